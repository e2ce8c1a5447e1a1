package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.copy.CopyException;
import carafe.cli.copy.CopyPlan;
import carafe.cli.copy.LocalUnpacker;
import carafe.cli.copy.PrefixedTar;
import carafe.cli.flag.FlagException;
import carafe.cli.flag.Values;
import carafe.cli.session.Session;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What `--output` asks for beside the image in the engine: an archive of it (`docker`, `oci`: one that is both), its
/// files as a tar or in a directory, or that it is pushed. Without a destination, or with `-`, it goes to standard output.
/// Files of several platforms go into a directory each, `linux_arm64`, unless `platform-split=false` lays them over each
/// other; `true` does so for one platform too.
record BuildOutput(Kind kind, String destination, Optional<Boolean> split) {

    /// What is written.
    enum Kind { IMAGE, PUSHED, ARCHIVE, FILES, DIRECTORY }

    private BuildOutput(Kind kind, String destination) {
        this(kind, destination, Optional.empty());
    }

    /// Reads the values of `--output`; the last one counts. `several`: more than one platform is built.
    static BuildOutput read(List<String> values, boolean several) throws Failure {
        if (values.isEmpty()) {
            return new BuildOutput(Kind.IMAGE, "");
        }
        String text = values.getLast();
        if (!text.contains("=")) {
            if (text.equals("-")) {
                return new BuildOutput(Kind.FILES, "-");
            }
            return new BuildOutput(Kind.DIRECTORY, text);
        }
        Map<String, String> fields = new LinkedHashMap<>();
        for (String field : text.split(",")) {
            int equals = field.indexOf('=');
            fields.put(equals < 0 ? field : field.substring(0, equals), equals < 0 ? "" : field.substring(equals + 1));
        }
        if (several && fields.getOrDefault("type", "").equals("docker")) {
            throw new Failure(1, "docker exporter does not currently support exporting manifest lists: say -o type=oci for an"
                    + " archive of several platforms, or --load to keep them in the engine");
        }
        String destination = fields.getOrDefault("dest", "-");
        var split = split(fields.getOrDefault("platform-split", ""));
        return switch (fields.getOrDefault("type", "")) {
            case "image" -> new BuildOutput(fields.getOrDefault("push", "").equals("true") ? Kind.PUSHED : Kind.IMAGE, "");
            case "registry" -> new BuildOutput(Kind.PUSHED, "");
            case "docker" -> fields.containsKey("dest") ? new BuildOutput(Kind.ARCHIVE, destination)
                    : new BuildOutput(Kind.IMAGE, "");
            case "oci" -> new BuildOutput(Kind.ARCHIVE, destination);
            case "tar" -> new BuildOutput(Kind.FILES, destination, split);
            case "local" -> {
                if (!fields.containsKey("dest")) {
                    throw new Failure(1, "dest is required for local output: -o type=local,dest=DIRECTORY");
                }
                yield new BuildOutput(Kind.DIRECTORY, destination, split);
            }
            default -> throw new Failure(1, "invalid output \"" + text
                    + "\": type=image, registry, docker, oci, tar and local are known");
        };
    }

    private static Optional<Boolean> split(String text) throws Failure {
        try {
            return text.isEmpty() ? Optional.empty() : Optional.of(Boolean.valueOf(Values.bool(text)));
        } catch (FlagException e) {
            throw new Failure(1, "invalid value \"" + text + "\" of platform-split: say true or false");
        }
    }

    /// Writes what was asked for of `made`, called `names`.
    /// @return the same, as a registry has it when it was pushed
    BuildResult write(Call call, BuildResult made, List<String> names)
            throws Failure, EngineError, EngineException.Invalid, IOException {
        var result = made;
        switch (kind) {
            case IMAGE -> { }
            case PUSHED -> {
                Optional<Json.Obj> first = Optional.empty();
                for (String name : names) {
                    var there = Push.one(call, name, call.session().err());
                    first = first.isPresent() ? first : there;
                }
                result = made.pushed(first);
            }
            case ARCHIVE -> archive(call, made, names);
            case FILES, DIRECTORY -> files(call, made);
        }
        return result;
    }

    private void archive(Call call, BuildResult made, List<String> names)
            throws Failure, EngineError, EngineException.Invalid, IOException {
        try (var answer = call.engine().upload(Target.of("build", "export"), "application/json",
                new ByteArrayInputStream(made.archive(names).printBytes()))) {
            into(call.session(), answer.body()::transferTo);
        }
    }

    private void files(Call call, BuildResult made) throws Failure, EngineError, EngineException.Invalid, IOException {
        boolean apart = split.orElse(made.isIndex());
        if (kind == Kind.DIRECTORY) {
            Path directory = call.session().path(destination);
            for (var image : made.images()) {
                Path own = apart ? directory.resolve(image.directory()) : directory;
                exported(call, image.id(), files -> {
                    Files.createDirectories(own);
                    LocalUnpacker.unpack(files, own, new CopyPlan(own.toString(), "", ""));
                });
            }
        } else if (!apart && made.images().size() == 1) {
            exported(call, made.image(), files -> into(call.session(), files::transferTo));
        } else {
            into(call.session(), out -> {
                var tar = new PrefixedTar(out);
                for (var image : made.images()) {
                    exported(call, image.id(), files -> tar.add(apart ? image.directory() : "", files));
                }
                tar.finish();
            });
        }
    }

    /// Does something with a stream of files.
    @FunctionalInterface
    private interface Use<S> {
        void of(S stream) throws Failure, EngineError, EngineException.Invalid, IOException, CopyException;
    }

    /// The files of an image, through a container that never runs.
    private static void exported(Call call, String id, Use<InputStream> use)
            throws Failure, EngineError, EngineException.Invalid, IOException {
        var engine = call.engine();
        var created = engine.post(Target.of("containers", "create"), Json.object().put("Image", id)
                .put("Cmd", Json.ofTexts(List.of("none"))).build());
        String container = created.text("Id");
        try (var answer = engine.open(Target.of("containers", container, "export"))) {
            use.of(answer.body());
        } catch (CopyException e) {
            throw new Failure(1, e.getMessage());
        } finally {
            engine.delete(Target.of("containers", container));
        }
    }

    /// Opens the destination for `use`.
    private void into(Session session, Use<OutputStream> use)
            throws Failure, EngineError, EngineException.Invalid, IOException {
        try {
            if (destination.equals("-")) {
                use.of(session.out());
                return;
            }
            Path file = session.path(destination);
            session.files().remove(file);
            try (OutputStream out = session.files().create(file)) {
                use.of(out);
            }
        } catch (CopyException e) {
            throw new Failure(1, e.getMessage());
        }
    }
}
