package carafe.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/// `bench/run [--rounds N] [--samples N] [--warm-up SECONDS] [--only ROW,ROW] [--out DIR] ENGINE...`: measures the engines named,
/// alternating between them.
///
/// Engines: `carafe` (this tree's daemon under its own command), `carafe+docker` (the same daemon under the real docker
/// command), `carafe+isal` (our daemon where it finds Debian's libisal), `docker` (Debian's dockerd, unpacked under
/// target/), `buildkit` (the same dockerd under the docker command
/// that came with it, building with BuildKit), `podman` (Debian's, with the rows of images only). Writes samples.csv and
/// table.md into DIR.
final class Main {

    private static final String PODMAN = "podman";
    private static final String OURS = "packaging/target/carafe/bin/carafe";

    private int rounds = 3;
    private int samplesPerRound = 20;
    private Duration warmUp = Duration.ofSeconds(10);
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
                case "--warm-up" -> warmUp = Duration.ofSeconds(Integer.parseInt(rest.removeFirst()));
                case "--only" -> only = Set.of(rest.removeFirst().split(","));
                case "--out" -> out = Path.of(rest.removeFirst());
                default -> engines.add(word);
            }
        }
        var known = Set.of("carafe", "carafe+docker", "carafe+isal", "docker", "buildkit", PODMAN);
        if (engines.isEmpty() || !known.containsAll(engines)) {
            throw new IllegalArgumentException(
                    "usage: bench/run [--rounds N] [--samples N] [--warm-up SECONDS] [--only ROW,ROW] [--out DIR]"
                            + " carafe|carafe+docker|carafe+isal|docker|buildkit|podman ...");
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
        var rows = new Rows(samples, Path.of(System.getProperty("carafe.bench.image")),
                Path.of(System.getProperty("carafe.bench.ten")), samplesPerRound);
        var all = rows.all();
        var transfers = new LinkedHashMap<String, TransferRows.Work>();
        var moves = new TransferRows(samples, Map.of(
                LocalRegistry.Kind.DEBIAN, Path.of(System.getProperty("carafe.bench.registry")),
                LocalRegistry.Kind.HUB, root.resolve(OURS)), Path.of(System.getProperty("carafe.bench.large", "")));
        if (!System.getProperty("carafe.bench.large", "").isEmpty()) {
            moves.addTo(transfers);
        }
        if (!only.isEmpty()) {
            new NetworkRows(samples, samplesPerRound).addTo(all);
            all.put("layer-large", new LargeLayer(samples, Path.of(System.getProperty("carafe.bench.registry")))::measure);
            new BuildRows(samples, Path.of(System.getProperty("carafe.bench.busybox", "")), samplesPerRound).addTo(all);
        }
        check(all.keySet(), transfers.keySet());
        var open = new ArrayList<Engine>();
        var peers = new ArrayList<Peer>();
        try {
            for (String engine : engines) {
                open.add(engine.equals(PODMAN)
                        ? new Podman(Path.of(System.getProperty("carafe.bench.podman")), work.resolve(engine))
                        : new Peer(kind(engine, root), work.resolve(engine.replace('+', '-'))));
                if (open.getLast() instanceof Peer peer) {
                    peers.add(peer);
                    rows.prepare(peer);
                }
            }
            for (int round = 1; round <= rounds; round++) {
                for (Peer peer : peers) {
                    rows.warmUp(peer, warmUp);
                }
                for (var row : all.entrySet()) {
                    for (Peer peer : wanted(row.getKey()) ? peers : List.<Peer>of()) {
                        row.getValue().measure(peer);
                    }
                }
                for (var row : transfers.entrySet()) {
                    for (Engine engine : wanted(row.getKey()) ? open : List.<Engine>of()) {
                        row.getValue().measure(engine);
                    }
                }
                System.err.println("round " + round + " of " + rounds + " done");
            }
        } finally {
            open.forEach(Engine::close);
            moves.close();
            Files.deleteIfExists(work);
        }
        Files.createDirectories(out);
        samples.write(out.resolve("samples.csv"));
        String table = samples.table(engines);
        Files.writeString(out.resolve("table.md"), table);
        System.out.print(table);
    }

    private boolean wanted(String row) {
        return only.isEmpty() || only.contains(row);
    }

    private void check(Set<String> rows, Set<String> transfers) {
        for (String row : only) {
            if (!rows.contains(row) && !transfers.contains(row)) {
                throw new IllegalArgumentException("there is no row " + row + "; the rows are " + String.join(", ", rows)
                        + ", " + String.join(", ", transfers));
            }
        }
        if (engines.contains(PODMAN) && (only.isEmpty() || !transfers.containsAll(only))) {
            throw new IllegalArgumentException("podman is measured by its command alone: --only "
                    + "load,pull,pull-hub,push,push-hub");
        }
    }

    private static Peer.Kind kind(String engine, Path root) {
        String docker = System.getProperty("carafe.bench.docker");
        String iptables = System.getProperty("carafe.bench.iptables", ""); // where the programs are; none: Docker does without
        Path dockerd = Path.of(System.getProperty("carafe.bench.dockerd"));
        Path tools = Objects.requireNonNull(dockerd.getParent(), "an absolute path");
        var carafed = List.of(root.resolve("packaging/target/carafe/bin/carafed").toString(), "-H", "unix://{dir}/s",
                "--data-root", "{dir}/data", "--exec-root", "{run}", "--pidfile", "{dir}/pid",
                "--config-file", "{dir}/daemon.json");
        return switch (engine) {
            case "carafe" -> new Peer.Kind(engine, carafed,
                    List.of(root.resolve(OURS).toString()), "carafe-monitor", "");
            case "carafe+isal" -> new Peer.Kind(engine, withIsal(carafed), List.of(root.resolve(OURS).toString()),
                    "carafe-monitor", "");
            case "carafe+docker" -> new Peer.Kind(engine, carafed, List.of(docker), "carafe-monitor", "");
            default -> new Peer.Kind(engine,
                    List.of(dockerd.toString(), "-H", "unix://{dir}/s", "--data-root", "{dir}/data",
                            "--exec-root", "{run}", "--pidfile", "{dir}/pid", "--config-file", "{dir}/daemon.json",
                            "--bridge=none", "--iptables=" + !iptables.isEmpty(), "--ip6tables=false"),
                    engine.equals("buildkit")
                            ? List.of("env", "DOCKER_BUILDKIT=1", tools.resolveSibling("bin").resolve("docker").toString())
                            : List.of(docker),
                    "containerd-shim", tools + ":" + tools.resolveSibling("bin") + (iptables.isEmpty() ? "" : ":" + iptables));
        };
    }

    private static List<String> withIsal(List<String> daemon) {
        var words = new ArrayList<>(List.of("env", "LD_LIBRARY_PATH=" + PullStages.isal().resolve(PullStages.LIBRARIES)));
        words.addAll(daemon);
        return words;
    }
}
