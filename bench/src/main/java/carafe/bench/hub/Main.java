package carafe.bench.hub;

import carafe.bench.Output;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// `bench/hub [--rounds N] [--millis N] [--out DIR]`: operations per second of each registry, alternating, and how many
/// failed. Writes samples.csv and table.md.
final class Main {

    private int rounds = 5;
    private int millis = 2000;
    private Path out = Path.of("bench/target/hub-results");
    private final Map<String, Map<String, List<Double>>> samples = new LinkedHashMap<>();
    private final Map<String, AtomicLong> failures = new LinkedHashMap<>();

    /// A registry that runs: its name, its process and its port.
    private record Peer(String name, Process process, int port, Work work) {}

    /// A row of the table: what `clients` clients do.
    private record Row(String title, int clients, Choice choice) {}

    /// Picks the step of a registry's work.
    @FunctionalInterface
    private interface Choice {
        Work.Step of(Work work);
    }

    private static final List<Row> ROWS = List.of(
            new Row("blob get 16 KiB, 8 clients", 8, work -> work::readSmall),
            new Row("blob get 1 MiB, 8 clients", 8, work -> work::readLarge),
            new Row("blob put 16 KiB, 8 clients", 8, work -> work::writeSmall),
            new Row("blob put 1 MiB, 8 clients", 8, work -> work::writeLarge),
            new Row("manifest get by tag, 8 clients", 8, work -> work::readManifest),
            new Row("push and pull of a small image, 64 clients", 64, work -> work::mixed));

    private Main(List<String> arguments) {
        var rest = new ArrayList<>(arguments);
        while (!rest.isEmpty()) {
            String word = rest.removeFirst();
            switch (word) {
                case "--rounds" -> rounds = Integer.parseInt(rest.removeFirst());
                case "--millis" -> millis = Integer.parseInt(rest.removeFirst());
                case "--out" -> out = Path.of(rest.removeFirst());
                default -> throw new IllegalArgumentException("usage: bench/hub [--rounds N] [--millis N] [--out DIR]");
            }
        }
    }

    /// Measures and writes; ends with 1 and one sentence when a registry fails.
    public static void main(String[] arguments) throws Exception {
        try {
            new Main(List.of(arguments)).run();
        } catch (IOException | IllegalArgumentException e) {
            System.err.println("error: " + e.getMessage());
            System.exit(1);
        }
    }

    private void run() throws Exception {
        Path work = Files.createTempDirectory("bench-hub");
        var peers = new ArrayList<Peer>();
        try {
            peers.add(hub(work.resolve("hub")));
            peers.add(registry(work.resolve("registry")));
            for (var peer : peers) {
                try (var client = new Client(peer.port())) {
                    peer.work().prepare(client);
                }
                for (var row : ROWS) {
                    measure(peer, row, Math.max(500, millis / 2));
                }
            }
            for (int round = 0; round < rounds; round++) {
                for (var row : ROWS) {
                    for (var peer : peers) {
                        samples.computeIfAbsent(row.title(), _ -> new LinkedHashMap<>())
                                .computeIfAbsent(peer.name(), _ -> new ArrayList<>())
                                .add(measure(peer, row, millis));
                    }
                }
                System.err.println("round " + (round + 1) + " of " + rounds + " done");
            }
        } finally {
            for (var peer : peers) {
                peer.process().destroy();
                peer.process().waitFor(10, TimeUnit.SECONDS);
            }
            Output.remove(work);
        }
        write();
    }

    private static Peer hub(Path directory) throws IOException, InterruptedException {
        int port = freePort();
        Files.createDirectories(directory);
        Path config = Files.writeString(directory.resolve("hub.json"), "{\"data\":\"" + directory.resolve("data")
                + "\",\"listen\":[\"tcp://127.0.0.1:" + port + "\"],\"rights\":[{\"who\":[\"anonymous\"],\"namespace\":\"**\","
                + "\"may\":[\"pull\",\"push\"]}]}");
        return start("carafe hub", directory, port, System.getProperty("carafe.bench.carafe"), "hub", "serve", "--config",
                config.toString());
    }

    private static Peer registry(Path directory) throws IOException, InterruptedException {
        int port = freePort();
        Files.createDirectories(directory);
        Path config = Files.writeString(directory.resolve("config.yml"), """
                version: 0.1
                log: {level: error, accesslog: {disabled: true}}
                storage: {cache: {blobdescriptor: inmemory}, filesystem: {rootdirectory: %s}}
                http: {addr: "127.0.0.1:%d"}
                """.formatted(directory.resolve("data"), port));
        return start("docker-registry", directory, port, System.getProperty("carafe.bench.registry"), "serve",
                config.toString());
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private static Peer start(String name, Path directory, int port, String... command)
            throws IOException, InterruptedException {
        var process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start();
        for (long end = System.nanoTime() + 60_000_000_000L; System.nanoTime() < end && process.isAlive(); ) {
            try (var _ = new Socket("127.0.0.1", port)) {
                return new Peer(name, process, port, new Work());
            } catch (IOException e) {
                TimeUnit.MILLISECONDS.sleep(20);
            }
        }
        process.destroy();
        throw new IOException(name + " did not start: " + Files.readString(directory.resolve("log")));
    }

    /// Operations per second of all clients together.
    private double measure(Peer peer, Row row, int time) throws Exception {
        var step = row.choice().of(peer.work());
        var done = new AtomicLong();
        var failed = failures.computeIfAbsent(peer.name(), _ -> new AtomicLong());
        long begin = System.nanoTime();
        long end = begin + TimeUnit.MILLISECONDS.toNanos(time);
        try (var pool = Executors.newThreadPerTaskExecutor(Thread.ofPlatform().factory())) {
            var clients = new ArrayList<Future<?>>();
            for (int i = 0; i < row.clients(); i++) {
                Callable<?> task = () -> {
                    var random = new Random();
                    try (var client = new Client(peer.port())) {
                        while (System.nanoTime() < end) {
                            if (step.run(client, random)) {
                                done.incrementAndGet();
                            } else {
                                failed.incrementAndGet();
                            }
                        }
                    } catch (IOException e) {
                        failed.incrementAndGet();
                    }
                    return true;
                };
                clients.add(pool.submit(task));
            }
            for (var client : clients) {
                client.get();
            }
        }
        return done.get() / ((System.nanoTime() - begin) / 1e9);
    }

    private void write() throws IOException {
        var csv = new StringBuilder("row,unit,registry,sample,value\n");
        var table = new StringBuilder("| work, per second | carafe hub | docker-registry | gain |\n| --- | --- | --- | --- |\n");
        samples.forEach((row, peers) -> {
            table.append("| ").append(row);
            peers.forEach((peer, values) -> {
                table.append(String.format(Locale.ROOT, " | %.0f (%.0f–%.0f)", median(values),
                        values.stream().min(Double::compare).orElse(0.0), values.stream().max(Double::compare).orElse(0.0)));
                for (int i = 0; i < values.size(); i++) {
                    csv.append(String.format(Locale.ROOT, "\"%s\",1/s,%s,%d,%.2f\n", row, peer, i, values.get(i)));
                }
            });
            var both = List.copyOf(peers.values());
            table.append(String.format(Locale.ROOT, " | %.1f × |\n", median(both.get(0)) / median(both.get(1))));
        });
        failures.forEach((peer, count) -> table.append("\nFailed operations of ").append(peer).append(": ").append(count));
        table.append('\n');
        Files.createDirectories(out);
        Files.writeString(out.resolve("samples.csv"), csv);
        Files.writeString(out.resolve("table.md"), table);
        System.out.print(table);
    }

    private static double median(List<Double> values) {
        return values.stream().sorted().toList().get(values.size() / 2);
    }
}
