package carafe.cli.command;

import carafe.cli.client.Engine;
import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.session.Session;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What `--output` asks for beside the image in the engine: an archive of it (`docker`, `oci`: one that is both), or its
/// files as a tar. Without a destination, or with `-`, it goes to standard output.
record BuildOutput(Kind kind, String destination) {

    /// What is written.
    enum Kind { IMAGE, ARCHIVE, FILES }

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
            throw local();
        }
        Map<String, String> fields = new LinkedHashMap<>();
        for (String field : text.split(",")) {
            int equals = field.indexOf('=');
            fields.put(equals < 0 ? field : field.substring(0, equals), equals < 0 ? "" : field.substring(equals + 1));
        }
        String destination = fields.getOrDefault("dest", "-");
        return switch (fields.getOrDefault("type", "")) {
            case "image" -> new BuildOutput(Kind.IMAGE, "");
            case "docker" -> fields.containsKey("dest") ? new BuildOutput(Kind.ARCHIVE, destination)
                    : new BuildOutput(Kind.IMAGE, "");
            case "oci" -> new BuildOutput(Kind.ARCHIVE, destination);
            case "tar" -> new BuildOutput(Kind.FILES, destination);
            case "local" -> throw local();
            default -> throw new Failure(1, "invalid output \"" + text + "\": type=image, docker, oci and tar are known");
        };
    }

    private static Failure local() {
        return new Failure(1, "output into a directory is not available yet; write a tar: -o type=tar,dest=FILE");
    }

    /// Writes what was asked for of the image `id`.
    void write(Session session, Engine engine, String id) throws EngineError, EngineException.Invalid, IOException {
        switch (kind) {
            case IMAGE -> { }
            case ARCHIVE -> fetch(session, engine, Target.of("images", id, "get"));
            case FILES -> {
                var created = engine.post(Target.of("containers", "create"), Json.object().put("Image", id)
                        .put("Cmd", Json.ofTexts(List.of("none"))).build());
                String container = created.text("Id");
                try {
                    fetch(session, engine, Target.of("containers", container, "export"));
                } finally {
                    engine.delete(Target.of("containers", container));
                }
            }
        }
    }

    private void fetch(Session session, Engine engine, Target target) throws EngineError, IOException {
        try (var answer = engine.open(target)) {
            if (destination.equals("-")) {
                answer.body().transferTo(session.out());
                return;
            }
            Path file = session.path(destination);
            session.files().remove(file);
            try (OutputStream out = session.files().create(file)) {
                answer.body().transferTo(out);
            }
        }
    }
}
