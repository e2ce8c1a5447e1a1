package carafe.cli.command;

import carafe.cli.client.Engine;
import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.copy.CopyException;
import carafe.cli.copy.CopyPlan;
import carafe.cli.copy.LocalUnpacker;
import carafe.cli.session.Session;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What `--output` asks for beside the image in the engine: an archive of it (`docker`, `oci`: one that is both), its
/// files as a tar or in a directory, or that it is pushed. Without a destination, or with `-`, it goes to standard output.
record BuildOutput(Kind kind, String destination) {

    /// What is written.
    enum Kind { IMAGE, PUSHED, ARCHIVE, FILES, DIRECTORY }

    /// Reads the values of `--output`; the last one counts.
    static BuildOutput read(List<String> values) throws Failure {
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
        String destination = fields.getOrDefault("dest", "-");
        return switch (fields.getOrDefault("type", "")) {
            case "image" -> new BuildOutput(fields.getOrDefault("push", "").equals("true") ? Kind.PUSHED : Kind.IMAGE, "");
            case "registry" -> new BuildOutput(Kind.PUSHED, "");
            case "docker" -> fields.containsKey("dest") ? new BuildOutput(Kind.ARCHIVE, destination)
                    : new BuildOutput(Kind.IMAGE, "");
            case "oci" -> new BuildOutput(Kind.ARCHIVE, destination);
            case "tar" -> new BuildOutput(Kind.FILES, destination);
            case "local" -> {
                if (!fields.containsKey("dest")) {
                    throw new Failure(1, "dest is required for local output: -o type=local,dest=DIRECTORY");
                }
                yield new BuildOutput(Kind.DIRECTORY, destination);
            }
            default -> throw new Failure(1, "invalid output \"" + text
                    + "\": type=image, registry, docker, oci, tar and local are known");
        };
    }

    /// Writes what was asked for of the image `id` called `names`.
    void write(Call call, String id, List<String> names)
            throws Failure, EngineError, EngineException.Invalid, IOException {
        var engine = call.engine();
        switch (kind) {
            case IMAGE -> { }
            case PUSHED -> {
                for (String name : names) {
                    Push.one(call, name, call.session().err());
                }
            }
            case ARCHIVE -> fetch(call.session(), engine, Target.of("images", id, "get"));
            case FILES, DIRECTORY -> {
                var created = engine.post(Target.of("containers", "create"), Json.object().put("Image", id)
                        .put("Cmd", Json.ofTexts(List.of("none"))).build());
                String container = created.text("Id");
                try {
                    fetch(call.session(), engine, Target.of("containers", container, "export"));
                } finally {
                    engine.delete(Target.of("containers", container));
                }
            }
        }
    }

    private void fetch(Session session, Engine engine, Target target) throws Failure, EngineError, IOException {
        try (var answer = engine.open(target)) {
            if (kind == Kind.DIRECTORY) {
                Path directory = session.path(destination);
                Files.createDirectories(directory);
                LocalUnpacker.unpack(answer.body(), directory, new CopyPlan(directory.toString(), "", ""));
                return;
            }
            if (destination.equals("-")) {
                answer.body().transferTo(session.out());
                return;
            }
            Path file = session.path(destination);
            session.files().remove(file);
            try (OutputStream out = session.files().create(file)) {
                answer.body().transferTo(out);
            }
        } catch (CopyException e) {
            throw new Failure(1, e.getMessage());
        }
    }
}
