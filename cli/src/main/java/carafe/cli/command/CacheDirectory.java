package carafe.cli.command;

import carafe.cli.build.ContextStream;
import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.copy.CopyException;
import carafe.cli.copy.CopyPlan;
import carafe.cli.copy.LocalUnpacker;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.build.IgnorePatterns;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// A cache of builds in a directory: an OCI layout with one image without a name. It goes to the engine and comes from
/// there as an image that lives only as long as it is needed.
final class CacheDirectory {

    private static final Pattern LOADED = Pattern.compile("Loaded image ID: (sha256:[0-9a-f]{64})");
    private static final int MOST_INDEX_BYTES = 4 << 20;

    private final Call call;
    private final Path directory;

    CacheDirectory(Call call, String directory) {
        this.call = call;
        this.directory = call.session().path(directory).normalize();
    }

    /// Gives the directory to the engine as an image without a name, whatever names it says there: a cache may not take
    /// the name of an image that is there.
    /// @return the image's id; empty when the directory is not there
    Optional<String> send() throws Failure, EngineError, EngineException.Invalid, IOException {
        var files = call.session().files();
        Path index = directory.resolve("index.json");
        if (!files.exists(index)) {
            return Optional.empty();
        }
        byte[] bytes;
        try (var in = files.read(index)) {
            bytes = in.readNBytes(MOST_INDEX_BYTES);
        }
        var extra = new ContextStream.Extra("index.json", nameless(bytes));
        var without = IgnorePatterns.of(List.of("index.json", "manifest.json", "repositories"));
        var found = Optional.<String>empty();
        try (var archive = new ContextStream(files, directory, without, Set.of(), List.of(extra));
                var answer = call.engine().upload(Target.of("images/load").with("quiet", "1"), archive);
                var messages = Json.stream(answer.body())) {
            for (var message = messages.next(); message.isPresent(); message = messages.next()) {
                if (message.get() instanceof Json.Obj said) {
                    if (!said.text("error").isEmpty()) {
                        throw new Failure(1, "the cache in " + directory + " cannot be used: " + said.text("error"));
                    }
                    var matcher = LOADED.matcher(said.text("stream"));
                    found = matcher.find() ? Optional.of(matcher.group(1)) : found;
                }
            }
        } catch (EngineError e) {
            throw new Failure(1, "the cache in " + directory + " cannot be used: " + e.getMessage());
        }
        if (found.isEmpty()) {
            throw new Failure(1, "the cache in " + directory + " cannot be used: the engine found no image in it");
        }
        return found;
    }

    private static byte[] nameless(byte[] index) throws EngineException.Invalid {
        var json = Json.parseObject(index);
        var manifests = json.objects("manifests").stream().map(each -> each.with("annotations", Json.object().build()))
                .toList();
        return json.with("manifests", Json.ofAll(manifests)).printBytes();
    }

    /// Writes an image of the engine into the directory, in place of the cache that was there; [#forget] is the caller's.
    void receive(String image) throws Failure, EngineError, IOException {
        try (var answer = call.engine().open(Target.of("images", image, "get"))) {
            Files.createDirectories(directory);
            if (Files.exists(directory.resolve("oci-layout"))) {
                clear(directory.resolve("blobs"));
            }
            LocalUnpacker.unpack(answer.body(), directory, new CopyPlan(directory.toString(), "", ""));
        } catch (CopyException e) {
            throw new Failure(1, e.getMessage());
        }
    }

    /// Removes an image that held a cache, unless somebody gave it a name meanwhile.
    void forget(String image) throws Failure, EngineError, EngineException.Invalid, IOException {
        var about = call.engine().fetchObject(Target.of("images", image, "json"));
        if (!about.texts("RepoTags").isEmpty() || !about.texts("RepoDigests").isEmpty()) {
            return;
        }
        call.engine().delete(Target.of("images", image));
    }

    /// The blobs of the cache before: those of `blobs/ALGORITHM/`, nothing else.
    private static void clear(Path blobs) throws IOException {
        if (!Files.isDirectory(blobs)) {
            return;
        }
        try (var algorithms = Files.newDirectoryStream(blobs)) {
            for (Path algorithm : algorithms) {
                try (var files = Files.newDirectoryStream(algorithm, "[0-9a-f]*")) {
                    for (Path file : files) {
                        Files.delete(file);
                    }
                }
            }
        }
    }

    /// `builder export`: cache mounts into a directory.
    static Command exported(String path) {
        var command = Command.of(path, "[OPTIONS] [ID...]", "Write cache mounts of builds into a directory")
                .aliases("builder export").words(0, Integer.MAX_VALUE);
        command.flags().text("o,output", "Directory to write to");
        return command.does(call -> {
            if (call.flags().text("output").isEmpty()) {
                throw new Failure(1, "where to? name a directory: " + Help.PROGRAM + " builder export -o DIRECTORY");
            }
            var target = Target.of("build", "cache", "export");
            for (String id : call.words()) {
                target = target.with("id", id);
            }
            String image = call.engine().post(target, Json.object().build()).text("Id");
            var directory = new CacheDirectory(call, call.flags().text("output"));
            try {
                directory.receive(image);
            } finally {
                directory.forget(image);
            }
            return 0;
        });
    }

    /// `builder import`: cache mounts from such a directory.
    static Command imported(String path) {
        var command = Command.of(path, "DIRECTORY", "Fill cache mounts that are not there yet from a directory")
                .aliases("builder import").words(1, 1);
        return command.does(call -> {
            var directory = new CacheDirectory(call, call.word(0));
            var image = directory.send().orElseThrow(() -> new Failure(1, "there is no cache in " + call.word(0)
                    + "; write one with: " + Help.PROGRAM + " builder export -o " + call.word(0)));
            try {
                var mounts = call.engine().post(Target.of("build", "cache", "import").with("image", image),
                        Json.object().build()).texts("Mounts");
                for (String id : mounts) {
                    call.session().println(id);
                }
            } finally {
                directory.forget(image);
            }
            return 0;
        });
    }
}
