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
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What one `--output` asks for beside the image in the engine: an archive of it (`docker`, `oci`: one that is both), its
/// files as a tar or in a directory, or that it is pushed. Without a destination, or with `-`, it goes to standard output.
/// Files of several platforms go into a directory each, `linux_arm64`, unless `platform-split=false` lays them over each
/// other; `true` does so for one platform too. An archive goes into a directory with `tar=false`.
record BuildOutput(Kind kind, Map<String, String> fields, String destination, Optional<Boolean> split) {

    /// What is written; nothing but the cache (`cacheonly`).
    enum Kind { IMAGE, PUSHED, ARCHIVE, FILES, DIRECTORY, NOTHING }

    /// What every kind of image may be asked for, in buildx's words; of the others only what is so anyway.
    private static final Set<String> OF_IMAGES = Set.of("type", "name", "push", "dest", "tar");
    private static final Set<String> OF_FILES = Set.of("type", "dest", "platform-split");
    private static final Map<String, String> ANYWAY = Map.of("oci-mediatypes", "true", "compression", "gzip", "store", "true",
            "unpack", "true", "force-compression", "false", "push-by-digest", "false", "name-canonical", "false",
            "registry.insecure", "false");
    private static final String ANNOTATION = "annotation";
    /// Files have no later time than the build's epoch in any case; without one it says nothing, to BuildKit neither.
    private static final String REWRITE = "rewrite-timestamp";

    BuildOutput {
        fields = Map.copyOf(fields);
    }

    private BuildOutput(Kind kind, String destination) {
        this(kind, Map.of(), destination, Optional.empty());
    }

    /// All that `--output` and `--push` ask for. `several`: more than one platform is built.
    static List<BuildOutput> readAll(List<String> values, boolean push, boolean several) throws Failure {
        var all = new ArrayList<BuildOutput>();
        for (String value : values) {
            all.add(read(value, several));
        }
        if (push && all.stream().noneMatch(each -> each.kind == Kind.PUSHED)) {
            all.add(new BuildOutput(Kind.PUSHED, ""));
        }
        return all;
    }

    private static BuildOutput read(String text, boolean several) throws Failure {
        if (!text.contains("=")) {
            return text.equals("-") ? new BuildOutput(Kind.FILES, "-") : new BuildOutput(Kind.DIRECTORY, text);
        }
        Map<String, String> fields = new LinkedHashMap<>();
        for (String field : text.split(",")) {
            int equals = field.indexOf('=');
            fields.put(equals < 0 ? field : field.substring(0, equals), equals < 0 ? "" : field.substring(equals + 1));
        }
        String type = fields.getOrDefault("type", "");
        if (several && type.equals("docker")) {
            throw new Failure(1, "docker exporter does not currently support exporting manifest lists: say -o type=oci for an"
                    + " archive of several platforms, or --load to keep them in the engine");
        }
        var kind = switch (type) {
            case "image" -> truth(fields, "push").orElse(false) ? Kind.PUSHED : Kind.IMAGE;
            case "registry" -> Kind.PUSHED;
            case "docker" -> fields.containsKey("dest") ? Kind.ARCHIVE : Kind.IMAGE;
            case "oci" -> Kind.ARCHIVE;
            case "tar" -> Kind.FILES;
            case "local" -> Kind.DIRECTORY;
            case "cacheonly" -> Kind.NOTHING;
            default -> throw new Failure(1, "invalid output \"" + text
                    + "\": type=image, registry, docker, oci, tar, local and cacheonly are known");
        };
        boolean files = kind == Kind.FILES || kind == Kind.DIRECTORY;
        refuseUnknown(text, fields, files);
        if (!fields.containsKey("dest")) {
            if (kind == Kind.DIRECTORY) {
                throw new Failure(1, "dest is required for local output: -o type=local,dest=DIRECTORY");
            }
            if (!truth(fields, "tar").orElse(true)) {
                throw new Failure(1, "dest is required for an archive in a directory: -o type=oci,tar=false,dest=DIRECTORY");
            }
        }
        return new BuildOutput(kind, fields, fields.getOrDefault("dest", "-"), truth(fields, "platform-split"));
    }

    private static void refuseUnknown(String text, Map<String, String> fields, boolean files) throws Failure {
        for (var field : fields.entrySet()) {
            String name = field.getKey();
            boolean known = (files ? OF_FILES : OF_IMAGES).contains(name)
                    || !files && name.equals(REWRITE) && truth(fields, name).isPresent()
                    || !files && (annotation(name).isPresent() || field.getValue().equals(ANYWAY.get(name)));
            if (!known) {
                throw new Failure(1, "invalid output \"" + text + "\": " + name + "=" + field.getValue()
                        + " is not known to this engine; leave it out");
            }
        }
    }

    /// `annotation.KEY`, `annotation-index.KEY` or `annotation-manifest[linux/arm64].KEY` as `--annotation` has it.
    private static Optional<String> annotation(String name) {
        int dot = name.indexOf('.', name.indexOf(']') + 1);
        if (!name.startsWith(ANNOTATION) || dot < 0) {
            return Optional.empty();
        }
        String place = name.substring(ANNOTATION.length(), dot);
        return Optional.of((place.startsWith("-") ? place.substring(1) : place) + ":" + name.substring(dot + 1));
    }

    /// The annotations it asks for, in the words of `--annotation`.
    List<String> annotations() {
        var all = new ArrayList<String>();
        fields.forEach((name, value) -> annotation(name).ifPresent(read -> all.add(read + "=" + value)));
        return all;
    }

    /// The name it gives the image, if it does.
    Optional<String> name() {
        return Optional.of(fields.getOrDefault("name", "")).filter(name -> !name.isEmpty());
    }

    private static Optional<Boolean> truth(Map<String, String> fields, String name) throws Failure {
        String text = fields.getOrDefault(name, "");
        try {
            return text.isEmpty() ? Optional.empty() : Optional.of(Boolean.valueOf(Values.bool(text)));
        } catch (FlagException e) {
            throw new Failure(1, "invalid value \"" + text + "\" of " + name + ": say true or false");
        }
    }

    /// Writes what was asked for of `made`, called `names`.
    /// @return the same, as a registry has it when it was pushed
    BuildResult write(Call call, BuildResult made, List<String> names)
            throws Failure, EngineError, EngineException.Invalid, IOException {
        var result = made;
        switch (kind) {
            case IMAGE, NOTHING -> { }
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
            if (truth(fields, "tar").orElse(true)) {
                into(call.session(), answer.body()::transferTo);
                return;
            }
            Path directory = call.session().path(destination);
            make(directory);
            LocalUnpacker.unpack(answer.body(), directory, new CopyPlan(directory.toString(), "", ""));
        } catch (CopyException e) {
            throw new Failure(1, e.getMessage());
        }
    }

    private void files(Call call, BuildResult made) throws Failure, EngineError, EngineException.Invalid, IOException {
        boolean apart = split.orElse(made.isIndex());
        if (kind == Kind.DIRECTORY) {
            Path directory = call.session().path(destination);
            for (var image : made.images()) {
                Path own = apart ? directory.resolve(image.directory()) : directory;
                exported(call, image.id(), files -> {
                    make(own);
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

    private static void make(Path directory) throws Failure, IOException {
        try {
            Files.createDirectories(directory);
        } catch (FileSystemException e) {
            String reason = e instanceof AccessDeniedException ? "permission denied"
                    : e.getReason() == null ? "a file is there" : e.getReason().toLowerCase(Locale.ROOT);
            throw new Failure(1, "cannot make the directory " + directory + " for what was built: " + reason);
        }
    }

    /// Whether it takes standard output.
    boolean printed() {
        return destination.equals("-") && switch (kind) {
            case ARCHIVE, FILES -> true;
            case IMAGE, PUSHED, DIRECTORY, NOTHING -> false;
        };
    }

    /// Does something with a stream of files.
    @FunctionalInterface
    private interface Use<S> {
        void of(S stream) throws Failure, EngineError, EngineException.Invalid, IOException, CopyException;
    }

    /// The files of an image.
    private static void exported(Call call, String id, Use<InputStream> use)
            throws Failure, EngineError, EngineException.Invalid, IOException {
        try (var answer = call.engine().open(Target.of("build", "files").with("image", id))) {
            use.of(answer.body());
        } catch (CopyException e) {
            throw new Failure(1, e.getMessage());
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
            try (OutputStream out = session.files().overwrite(file)) {
                use.of(out);
            }
        } catch (CopyException e) {
            throw new Failure(1, e.getMessage());
        }
    }
}
