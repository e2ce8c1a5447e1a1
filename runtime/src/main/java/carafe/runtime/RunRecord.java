package carafe.runtime;

import carafe.kernel.KernelException;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.LinuxSpec.NamespaceType;
import carafe.spec.oci.IdMaps;
import carafe.spec.oci.ProcessSpec;
import carafe.spec.oci.RuntimeSpec;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What a run directory says of the process that was started with it, so that another life of the daemon can go on:
/// `process.json` (this record, which names the file of the compiled system-call filter that an exec gets too, and the
/// control group if that is its own: an exec's is the container's, and its record names none),
/// `explanation.json` (the steps of the start), and from the monitor its socket and the exit record. All but the last are
/// written before the process exists or are not needed to go on.
record RunRecord(
        String id, String cgroup, Set<NamespaceType> namespaces, IdMaps ids, ProcessSpec process, Filter filter) {

    static final String EXIT = "exit";

    private static final String FILE = "process.json";
    private static final String EXPLANATION = "explanation.json";
    private static final String EXPLANATION_TEMPORARY = EXPLANATION + ".new";
    private static final Set<String> FILES =
            Set.of(FILE, EXPLANATION, EXPLANATION_TEMPORARY, EXIT, EXIT + ".tmp", Preparer.SOCKET);
    private static final int ATTEMPTS = 3;
    private static final int VERSION = 1;

    RunRecord {
        namespaces = namespaces.isEmpty() ? Set.of() : EnumSet.copyOf(namespaces);
    }

    void write(Path runDir) throws IOException {
        var json = Json.object()
                .put("version", VERSION)
                .put("id", id)
                .put("cgroup", cgroup)
                .put("namespaces", Json.ofTexts(namespaces.stream().map(NamespaceType::word).toList()))
                .put("uids", Json.ofTexts(ids.uids().stream().map(IdMaps::text).toList()))
                .put("gids", Json.ofTexts(ids.gids().stream().map(IdMaps::text).toList()))
                .put("process", process.toJson())
                .put("filter", filter.file().map(Path::toString).orElse(""))
                .put("filterFlags", filter.flags())
                .build();
        Files.write(runDir.resolve(FILE), json.printBytes());
    }

    /// The record in `runDir`; empty if there is none or it is no record of this version.
    static Optional<RunRecord> read(Path runDir) throws IOException {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(runDir.resolve(FILE));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
        try {
            var json = Json.parseObject(bytes);
            if (json.number("version", 0) != VERSION) {
                return Optional.empty();
            }
            var namespaces = new ArrayList<NamespaceType>();
            for (String word : json.texts("namespaces")) {
                namespaces.add(NamespaceType.of(word));
            }
            var filter = Filter.NONE;
            if (!json.text("filter").isEmpty()) {
                filter = Filter.read(Path.of(json.text("filter")), json.number("filterFlags", 0));
            }
            return Optional.of(new RunRecord(
                    json.text("id"), json.text("cgroup"), Set.copyOf(namespaces),
                    new IdMaps(ranges(json, "uids"), ranges(json, "gids")),
                    ProcessSpec.fromJson(json.object("process")), filter));
        } catch (EngineException.Invalid | IllegalArgumentException e) {
            return Optional.empty(); // the latter: a path or number that is none
        }
    }

    private static List<RuntimeSpec.IdMapping> ranges(Json.Obj json, String key) throws EngineException.Invalid {
        var ranges = new ArrayList<RuntimeSpec.IdMapping>();
        for (String text : json.texts(key)) {
            ranges.add(IdMaps.parse(text));
        }
        return ranges;
    }

    static void writeExplanation(Path runDir, TapeExplanation explanation) throws IOException {
        Path temporary = runDir.resolve(EXPLANATION_TEMPORARY);
        Files.write(temporary, explanation.toJson().printBytes());
        Files.move(temporary, runDir.resolve(EXPLANATION), StandardCopyOption.ATOMIC_MOVE);
    }

    static Optional<TapeExplanation> readExplanation(Path runDir) throws IOException {
        try {
            var json = Json.parseObject(Files.readAllBytes(runDir.resolve(EXPLANATION)));
            return Optional.of(TapeExplanation.fromJson(json));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (EngineException.Invalid e) {
            throw new IOException(runDir + "/" + EXPLANATION + ": " + e.getMessage(), e);
        }
    }

    /// Removes the files that make up a run directory, and the directory if nothing else is in it. Idempotent.
    static void remove(Path runDir) throws IOException {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            removeFiles(runDir);
            try {
                Files.deleteIfExists(runDir);
                return;
            } catch (DirectoryNotEmptyException e) {
                continue; // a file of ours that came meanwhile, or somebody else keeps something here
            }
        }
    }

    /// Removes the files only.
    static void removeFiles(Path runDir) throws IOException {
        try (var found = Files.newDirectoryStream(runDir)) {
            for (var file : found) {
                if (FILES.contains(String.valueOf(file.getFileName()))) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (NoSuchFileException gone) {
            return;
        }
    }

    static EngineException internal(String what, IOException e) {
        String reason = e instanceof KernelException kernel ? kernel.getMessage() : String.valueOf(e.getMessage());
        return new EngineException.Internal(what + ": " + reason, e);
    }
}
