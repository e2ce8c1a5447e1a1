package carafe.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/// `bench/run [--rounds N] [--samples N] [--only ROW,ROW] [--out DIR] ENGINE...`: measures the engines named,
/// alternating between them.
///
/// Engines: `carafe` (this tree's daemon under its own command), `carafe+docker` (the same daemon under the real docker
/// command), `docker` (Debian's dockerd, unpacked under target/), `buildkit` (the same dockerd under the docker command
/// that came with it, building with BuildKit). Writes samples.csv and table.md into DIR.
final class Main {

    private static final Duration WARM_UP = Duration.ofSeconds(10);

    private int rounds = 3;
    private int samplesPerRound = 20;
    private Set<String> only = Set.of();
    private Path out = Path.of("bench/target/results");
    private final List<String> engines = new ArrayList<>();

    private Main(List<String> arguments) {
        var rest = new ArrayList<>(arguments);
        while (!rest.isEmpty()) {
            String word = rest.removeFirst();
            switch (word) {
                case "--rounds" -> rounds = Integer.parseInt(rest.removeFirst());
                case "--samples" -> samplesPerRound = Integer.parseInt(rest.removeFirst());
                case "--only" -> only = Set.of(rest.removeFirst().split(","));
                case "--out" -> out = Path.of(rest.removeFirst());
                default -> engines.add(word);
            }
        }
        if (engines.isEmpty() || !Set.of("carafe", "carafe+docker", "docker", "buildkit").containsAll(engines)) {
            throw new IllegalArgumentException(
                    "usage: bench/run [--rounds N] [--samples N] [--only ROW,ROW] [--out DIR]"
                            + " carafe|carafe+docker|docker|buildkit ...");
        }
    }

    /// Measures and writes; ends with 1 and one sentence when an engine fails.
    public static void main(String[] arguments) throws Exception {
        try {
            new Main(List.of(arguments)).run();
        } catch (IOException | IllegalArgumentException e) {
            System.err.println("error: " + e.getMessage());
            System.exit(1);
        }
    }

    private void run() throws Exception {
        Path root = Path.of(System.getProperty("carafe.root"));
        Path work = Files.createTempDirectory("bench");
        var samples = new Samples();
        var rows = new Rows(samples, Path.of(System.getProperty("carafe.bench.image")), samplesPerRound);
        var all = rows.all();
        var transfers = new TransferRows(samples, Path.of(System.getProperty("carafe.bench.registry", "")),
                Path.of(System.getProperty("carafe.bench.large", "")));
        if (!System.getProperty("carafe.bench.large", "").isEmpty()) {
            transfers.addTo(all);
        }
        if (!only.isEmpty()) {
            new NetworkRows(samples, samplesPerRound).addTo(all);
            new BuildRows(samples, Path.of(System.getProperty("carafe.bench.busybox", "")), samplesPerRound).addTo(all);
        }
        if (!all.keySet().containsAll(only)) {
            throw new IllegalArgumentException("the rows are " + String.join(", ", all.keySet()));
        }
        var peers = new ArrayList<Peer>();
        try {
            for (String engine : engines) {
                var peer = new Peer(kind(engine, root), work.resolve(engine.replace('+', '-')));
                peers.add(peer);
                rows.prepare(peer);
            }
            for (int round = 1; round <= rounds; round++) {
                for (Peer peer : peers) {
                    rows.warmUp(peer, WARM_UP);
                }
                for (var row : all.entrySet()) {
                    if (only.isEmpty() || only.contains(row.getKey())) {
                        for (Peer peer : peers) {
                            row.getValue().measure(peer);
                        }
                    }
                }
                System.err.println("round " + round + " of " + rounds + " done");
            }
        } finally {
            for (Peer peer : peers) {
                peer.close();
            }
            transfers.close();
            Files.deleteIfExists(work);
        }
        Files.createDirectories(out);
        samples.write(out.resolve("samples.csv"));
        String table = samples.table(engines);
        Files.writeString(out.resolve("table.md"), table);
        System.out.print(table);
    }

    private static Peer.Kind kind(String engine, Path root) {
        String docker = System.getProperty("carafe.bench.docker");
        Path dockerd = Path.of(System.getProperty("carafe.bench.dockerd"));
        Path tools = Objects.requireNonNull(dockerd.getParent(), "an absolute path");
        var carafed = List.of(root.resolve("packaging/target/carafe/bin/carafed").toString(), "-H", "unix://{dir}/s",
                "--data-root", "{dir}/data", "--exec-root", "{run}", "--pidfile", "{dir}/pid",
                "--config-file", "{dir}/daemon.json");
        return switch (engine) {
            case "carafe" -> new Peer.Kind(engine, carafed,
                    List.of(root.resolve("packaging/target/carafe/bin/carafe").toString()), "carafe-monitor", "");
            case "carafe+docker" -> new Peer.Kind(engine, carafed, List.of(docker), "carafe-monitor", "");
            default -> new Peer.Kind(engine,
                    List.of(dockerd.toString(), "-H", "unix://{dir}/s", "--data-root", "{dir}/data",
                            "--exec-root", "{run}", "--pidfile", "{dir}/pid", "--config-file", "{dir}/daemon.json",
                            "--bridge=none", "--iptables=false", "--ip6tables=false"),
                    engine.equals("buildkit")
                            ? List.of("env", "DOCKER_BUILDKIT=1", tools.resolveSibling("bin").resolve("docker").toString())
                            : List.of(docker),
                    "containerd-shim", tools + ":" + tools.resolveSibling("bin"));
        };
    }
}
