package carafe.bench;

import carafe.bench.Samples.Row;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// What people wait for with the image of ten layers ([LargeImage]): pull and push, from and to Debian's docker-registry
/// and our hub on loopback; load, save and removal. The whole command, one sample per round. All engines pull the same
/// blobs; each push goes to an empty registry. What one work has written is on the disk before the next begins.
final class TransferRows implements AutoCloseable {

    private static final String IMAGE = "large:10";

    private final Samples samples;
    private final Map<LocalRegistry.Kind, Path> programs;
    private final Path archive;
    private final Map<LocalRegistry.Kind, LocalRegistry> sources = new EnumMap<>(LocalRegistry.Kind.class);

    /// `programs` are those of the registries, `archive` a docker-archive of [LargeImage].
    TransferRows(Samples samples, Map<LocalRegistry.Kind, Path> programs, Path archive) {
        this.samples = samples;
        this.programs = programs;
        this.archive = archive;
    }

    /// One measured piece of work, of any engine with a command.
    @FunctionalInterface
    interface Work {
        void measure(Engine engine) throws Exception;
    }

    void addTo(Map<String, Work> all) {
        all.put("load", this::load);
        all.put("pull", engine -> pull(engine, LocalRegistry.Kind.DEBIAN));
        all.put("pull-hub", engine -> pull(engine, LocalRegistry.Kind.HUB));
        all.put("push", engine -> push(engine, LocalRegistry.Kind.DEBIAN));
        all.put("push-hub", engine -> push(engine, LocalRegistry.Kind.HUB));
        all.put("pull-stages", this::stages);
    }

    @FunctionalInterface
    private interface Action {
        void run() throws Exception;
    }

    private void time(String row, String engine, Action action) throws Exception {
        settle();
        long begin = System.nanoTime();
        action.run();
        samples.add(new Row(row, "s", true), engine, (System.nanoTime() - begin) / 1e9);
    }

    /// Waits until what was written before is on the disk.
    private static void settle() throws Exception {
        new ProcessBuilder("sync").inheritIO().start().waitFor();
    }

    private void load(Engine engine) throws Exception {
        time("load of 10 layers, 300 MB, 53 583 files", engine.name(),
                () -> engine.command(List.of("load", "-q", "-i", archive.toString())));
        time("save of that image", engine.name(), () -> {
            long bytes = engine.commandOutput(List.of("save", IMAGE));
            if (bytes < Files.size(archive) * 9 / 10) {
                throw new IOException(engine.name() + " saved no more than " + bytes + " bytes");
            }
        });
        time("removal of that image", engine.name(), () -> engine.command(List.of("rmi", IMAGE)));
    }

    private void pull(Engine engine, LocalRegistry.Kind kind) throws Exception {
        String name = source(engine, kind).host + "/" + IMAGE;
        time("pull of that image from " + kind.title, engine.name(), () -> engine.command(plain(engine, "pull", name)));
        time("removal of the image pulled from " + kind.title, engine.name(), () -> engine.command(List.of("rmi", name)));
    }

    /// The registry of that kind with the image in it, which the engine that comes first has pushed.
    private LocalRegistry source(Engine engine, LocalRegistry.Kind kind) throws Exception {
        var known = sources.get(kind);
        if (known == null) {
            known = open(kind);
            sources.put(kind, known);
            String name = given(engine, known);
            engine.command(plain(engine, "push", name));
            engine.command(List.of("rmi", name, IMAGE));
        }
        return known;
    }

    private LocalRegistry open(LocalRegistry.Kind kind) throws IOException {
        return new LocalRegistry(kind, Objects.requireNonNull(programs.get(kind)));
    }

    private String given(Engine engine, LocalRegistry registry) throws Exception {
        String name = registry.host + "/" + IMAGE;
        engine.command(List.of("load", "-q", "-i", archive.toString()));
        engine.command(List.of("tag", IMAGE, name));
        return name;
    }

    private static List<String> plain(Engine engine, String word, String name) {
        var words = new ArrayList<>(List.of(word, "-q"));
        words.addAll(engine.plainFlags());
        words.add(name);
        return words;
    }

    private void push(Engine engine, LocalRegistry.Kind kind) throws Exception {
        try (var empty = open(kind)) {
            String name = given(engine, empty);
            time("push of that image to " + kind.title, engine.name(), () -> engine.command(plain(engine, "push", name)));
            time("the same push again, to " + kind.title, engine.name(), () -> engine.command(plain(engine, "push", name)));
            engine.command(List.of("rmi", name, IMAGE));
        }
    }

    /// What a pull is made of, each stage alone: told beside the first engine's figures, since it is nobody's.
    private void stages(Engine engine) throws Exception {
        var source = source(engine, LocalRegistry.Kind.DEBIAN);
        try (var stages = new PullStages("http://" + source.host + "/v2/large", "10")) {
            time("pull's stages alone: network", engine.name(), stages::fetch);
            time("pull's stages alone: inflate (the JDK's)", engine.name(), stages::inflate);
            stages.spread();
            time("pull's stages alone: inflate (libisal's igzip)", engine.name(), stages::inflateByIsal);
            time("pull's stages alone: hash", engine.name(), stages::hash);
            time("pull's stages alone: write and sync", engine.name(), stages::write);
        }
    }

    @Override
    public void close() {
        sources.values().forEach(LocalRegistry::close);
    }
}
