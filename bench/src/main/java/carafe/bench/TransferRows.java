package carafe.bench;

import carafe.bench.Samples.Row;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What people wait for with the image of ten layers ([LargeImage]): pull and push, from and to Debian's docker-registry
/// on loopback; load, save and removal. The whole command, one sample per round. Both engines pull the same blobs; each
/// push goes to an empty registry. What one work has written is on the disk before the next begins.
final class TransferRows implements AutoCloseable {

    private static final String IMAGE = "large:10";
    private static final Pattern LISTENING = Pattern.compile("listening on (127\\.0\\.0\\.1:\\d+)");

    private final Samples samples;
    private final Path program;
    private final Path archive;
    private @Nullable Registry source;

    /// `program` is docker-registry, `archive` a docker-archive of [LargeImage].
    TransferRows(Samples samples, Path program, Path archive) {
        this.samples = samples;
        this.program = program;
        this.archive = archive;
    }

    void addTo(Map<String, Rows.Work> all) {
        all.put("load", this::load);
        all.put("pull", this::pull);
        all.put("push", this::push);
    }

    @FunctionalInterface
    private interface Action {
        void run() throws Exception;
    }

    private void time(String row, Peer peer, Action action) throws Exception {
        settle();
        long begin = System.nanoTime();
        action.run();
        samples.add(new Row(row, "s", true), peer.name(), (System.nanoTime() - begin) / 1e9);
    }

    /// Waits until what was written before is on the disk.
    private static void settle() throws Exception {
        new ProcessBuilder("sync").inheritIO().start().waitFor();
    }

    private void load(Peer peer) throws Exception {
        time("load of 10 layers, 300 MB, 53 583 files", peer,
                () -> peer.command(List.of("load", "-q", "-i", archive.toString())));
        time("save of that image", peer, () -> {
            long bytes = peer.commandOutput(List.of("save", IMAGE));
            if (bytes < Files.size(archive) * 9 / 10) {
                throw new IOException(peer.name() + " saved no more than " + bytes + " bytes");
            }
        });
        time("removal of that image", peer, () -> peer.command(List.of("rmi", IMAGE)));
    }

    private void pull(Peer peer) throws Exception {
        String name = source(peer).host + "/" + IMAGE;
        time("pull of that image from docker-registry", peer, () -> peer.command(List.of("pull", "-q", name)));
        time("removal of the pulled image", peer, () -> peer.command(List.of("rmi", name)));
    }

    private Registry source(Peer peer) throws Exception {
        var known = source;
        if (known == null) {
            known = new Registry(program);
            source = known;
            send(peer, known);
            peer.command(List.of("rmi", known.host + "/" + IMAGE, IMAGE));
        }
        return known;
    }

    private void send(Peer peer, Registry to) throws Exception {
        peer.command(List.of("load", "-q", "-i", archive.toString()));
        peer.command(List.of("tag", IMAGE, to.host + "/" + IMAGE));
        peer.command(List.of("push", "-q", to.host + "/" + IMAGE));
    }

    private void push(Peer peer) throws Exception {
        try (var empty = new Registry(program)) {
            String name = empty.host + "/" + IMAGE;
            peer.command(List.of("load", "-q", "-i", archive.toString()));
            peer.command(List.of("tag", IMAGE, name));
            time("push of that image to docker-registry", peer, () -> peer.command(List.of("push", "-q", name)));
            peer.command(List.of("rmi", name, IMAGE));
        }
    }

    @Override
    public void close() throws IOException {
        if (source != null) {
            source.close();
        }
    }

    /// A docker-registry with a directory of its own.
    private static final class Registry implements AutoCloseable {
        private final Path directory;
        private final Process process;
        private final String host;

        Registry(Path program) throws IOException {
            directory = Files.createTempDirectory("bench-registry");
            Path log = directory.resolve("log");
            Path config = Files.writeString(directory.resolve("config.yml"), """
                    version: 0.1
                    storage:
                      filesystem:
                        rootdirectory: %s
                    http:
                      addr: 127.0.0.1:0
                    """.formatted(directory.resolve("data")));
            process = new ProcessBuilder(program.toString(), "serve", config.toString())
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
            var listening = LISTENING.matcher("");
            while (!listening.find()) {
                if (System.nanoTime() > deadline || !process.isAlive()) {
                    throw new IOException("docker-registry does not listen: " + Files.readString(log));
                }
                LockSupport.parkNanos(5_000_000);
                listening = LISTENING.matcher(Files.readString(log));
            }
            host = listening.group(1);
        }

        @Override
        public void close() throws IOException {
            process.destroyForcibly().onExit().join();
            try (Stream<Path> files = Files.walk(directory)) {
                for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }
}
