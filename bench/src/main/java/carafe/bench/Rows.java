package carafe.bench;

import carafe.bench.Samples.Row;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/// What is measured: each method takes one engine through one piece of work and adds its samples.
///
/// Every row runs for one engine, then for the other, round after round, so that a slow minute of the machine hits both.
final class Rows {

    static final String IMAGE = "bench-busybox";
    private static final String TEN = "bench-ten";
    private static final String CREATE = """
            {"Image":"%s","Cmd":%s,"HostConfig":{"NetworkMode":"%s"}}""";
    private static final List<String> RUN = List.of("run", "--network", "none");
    private static final String NONE = "none";
    private static final String BRIDGE = "bench-br";
    private static final int MANY = 100;
    private static final int LOG_MEGABYTES = 64;

    private final Samples samples;
    private final Path archive;
    private final Path tenLayers;
    private final int samplesPerRound;

    /// `archive`: a docker-archive that holds the image `bench-busybox:latest`, `tenLayers` one that holds `bench-ten:latest`,
    /// the same with nine layers of a file above.
    Rows(Samples samples, Path archive, Path tenLayers, int samplesPerRound) {
        this.samples = samples;
        this.archive = archive;
        this.tenLayers = tenLayers;
        this.samplesPerRound = samplesPerRound;
    }

    /// One measured piece of work.
    @FunctionalInterface
    interface Work {
        void measure(Peer peer) throws Exception;
    }

    /// All rows by the names that `--only` takes, in the order of the table.
    Map<String, Work> all() {
        var all = new LinkedHashMap<String, Work>();
        all.put("ping", this::ping);
        all.put("lifecycle", peer -> lifecycle(peer, NONE));
        all.put("lifecycle-bridge", onBridge(this::lifecycle));
        all.put("parallel", peer -> parallelLifecycles(peer, NONE));
        all.put("parallel-bridge", onBridge(this::parallelLifecycles));
        all.put("run", peer -> runCommand(peer, NONE));
        all.put("run-bridge", onBridge(this::runCommand));
        all.put("run-detached", peer -> runDetached(peer, NONE));
        all.put("run-detached-bridge", onBridge(this::runDetached));
        all.put("exec-api", this::execApi);
        all.put("exec", this::execCommand);
        all.put("ps", this::ps);
        all.put("hundred", peer -> hundred(peer, NONE));
        all.put("hundred-bridge", onBridge(this::hundred));
        all.put("hundred-commands-bridge", onBridge(this::hundredCommands));
        all.put("logs", this::logs);
        all.put("build", this::build);
        all.put("daemon-start", this::daemonStart);
        all.put("layers", this::layers);
        return all;
    }

    /// Work on one network, by its mode.
    @FunctionalInterface
    private interface Networked {
        void measure(Peer peer, String network) throws Exception;
    }

    /// Measures on a bridge that is made for it: the one kind of bridge that every engine has, however it was started.
    private static Work onBridge(Networked work) {
        return peer -> {
            try (Api api = peer.connect(); var bridge = new Bridge(api, peer)) {
                work.measure(peer, bridge.name());
            }
        };
    }

    /// The bridge while it is there. When the work failed, its reason is told and not that the bridge is in use then.
    private record Bridge(Api api, Peer peer, String name) implements AutoCloseable {
        private static final AtomicInteger MADE = new AtomicInteger();

        Bridge(Api api, Peer peer) throws IOException {
            this(api, peer, BRIDGE + MADE.incrementAndGet());
            api.post("/networks/create", """
                    {"Name":"%1$s","Driver":"bridge","Options":{"com.docker.network.bridge.name":"%1$s"}}""".formatted(name));
        }

        /// Docker 20 now and then keeps the endpoint of a container that it has removed, and its network for ever: the
        /// link goes by hand then, which is told, and the next bridge has another name.
        @Override
        public void close() throws IOException {
            try {
                api.delete("/networks/" + name);
            } catch (IOException e) {
                if (!peer.name().equals("docker")) {
                    throw e;
                }
                System.err.println("note: " + e);
                new ProcessBuilder("ip", "link", "delete", name).inheritIO().start().onExit().join();
            }
        }
    }

    private static String shown(String network) {
        return network.equals(NONE) ? "network none" : "bridge";
    }

    /// Loads the image; done once before anything is measured.
    void prepare(Peer peer) throws IOException {
        try (Api api = peer.connect()) {
            api.postFile("/images/load?quiet=1", archive);
            api.get("/images/" + IMAGE + ":latest/json");
        }
    }

    /// Lifecycles that are not recorded, for as long with each engine, half of the time without a network, half on a
    /// bridge: daemons live for weeks, and what one does in its first seconds has a row of its own.
    void warmUp(Peer peer, Duration time) throws Exception {
        warmUp(peer, time.dividedBy(2), NONE);
        onBridge((on, network) -> warmUp(on, time.dividedBy(2), network)).measure(peer);
    }

    private static void warmUp(Peer peer, Duration time, String network) throws IOException {
        long end = System.nanoTime() + time.toNanos();
        try (Api api = peer.connect(); Api waiting = peer.connect()) {
            while (System.nanoTime() < end) {
                oneLifecycle(api, waiting, network);
            }
        }
    }

    /// What nine more layers cost a start, a container of each image in turns.
    private void layers(Peer peer) throws Exception {
        try (Api api = peer.connect(); Api waiting = peer.connect()) {
            api.postFile("/images/load?quiet=1", tenLayers);
            for (int i = 0; i < 2 * samplesPerRound; i++) {
                for (String image : List.of(IMAGE, TEN)) {
                    var row = new Row("API create+start+wait+delete, network none, image of "
                            + (image.equals(TEN) ? "ten layers" : "one layer, in turns with ten"), "ms", true);
                    long begin = System.nanoTime();
                    oneLifecycle(api, waiting, image, NONE);
                    add(row, peer, begin);
                }
            }
        }
    }

    private void ping(Peer peer) throws IOException {
        var row = new Row("GET /_ping, kept alive", "ms", true);
        try (Api api = peer.connect()) {
            for (int i = 0; i < 20 * samplesPerRound; i++) {
                long begin = System.nanoTime();
                api.get("/_ping");
                add(row, peer, begin);
            }
        }
    }

    private void lifecycle(Peer peer, String network) throws Exception {
        var row = new Row("API create+start+wait+delete, " + shown(network), "ms", true);
        try (Api api = peer.connect(); Api waiting = peer.connect()) {
            for (int i = 0; i < samplesPerRound; i++) {
                long begin = System.nanoTime();
                oneLifecycle(api, waiting, network);
                add(row, peer, begin);
            }
        }
    }

    private static void oneLifecycle(Api api, Api waiting, String network) throws IOException {
        oneLifecycle(api, waiting, IMAGE, network);
    }

    private static void oneLifecycle(Api api, Api waiting, String image, String network) throws IOException {
        String id = id(api.post("/containers/create", CREATE.formatted(image, "[\"true\"]", network)).text());
        waiting.callAndReadHead("POST", "/containers/" + id + "/wait?condition=next-exit");
        api.post("/containers/" + id + "/start", "");
        String answer = waiting.rest().text();
        if (!answer.contains("\"StatusCode\":0")) {
            throw new IOException("the container failed: " + answer);
        }
        api.delete("/containers/" + id);
    }

    private void parallelLifecycles(Peer peer, String network) throws Exception {
        var row = new Row("lifecycles per second, 8 in parallel, " + shown(network), "1/s", false);
        int each = Math.max(2, samplesPerRound / 4);
        var tasks = new ArrayList<Callable<Void>>();
        for (int i = 0; i < 8; i++) {
            tasks.add(() -> {
                try (Api api = peer.connect(); Api waiting = peer.connect()) {
                    for (int k = 0; k < each; k++) {
                        oneLifecycle(api, waiting, network);
                    }
                }
                return null;
            });
        }
        long begin = System.nanoTime();
        all(tasks);
        samples.add(row, peer.name(), 8.0 * each / seconds(begin));
    }

    private void runCommand(Peer peer, String network) throws Exception {
        var row = new Row("`run --rm busybox true`, " + shown(network) + ", whole command", "ms", true);
        for (int i = 0; i < samplesPerRound; i++) {
            long begin = System.nanoTime();
            peer.command(words(List.of("run", "--network", network), "--rm", IMAGE, "true"));
            add(row, peer, begin);
        }
    }

    private void runDetached(Peer peer, String network) throws Exception {
        var row = new Row("`run -d`, " + shown(network) + ", whole command", "ms", true);
        for (int i = 0; i < samplesPerRound; i++) {
            long begin = System.nanoTime();
            peer.command(words(List.of("run", "--network", network), "-d", "--name", "bench-d" + i, IMAGE, "sleep", "600"));
            add(row, peer, begin);
        }
        try (Api api = peer.connect()) {
            for (int i = 0; i < samplesPerRound; i++) {
                api.delete("/containers/bench-d" + i + "?force=1");
            }
        }
    }

    /// A hundred commands, one after the other, as a script gives them.
    private void hundredCommands(Peer peer, String network) throws Exception {
        var names = new ArrayList<String>();
        long begin = System.nanoTime();
        for (int i = 0; i < 100; i++) {
            names.add("bench-c" + i);
            peer.command(words(List.of("run", "--network", network), "-d", "--name", names.getLast(), IMAGE, "sleep", "600"));
        }
        samples.add(new Row("100 × `run -d`, " + shown(network) + ", whole commands", "s", true), peer.name(), seconds(begin));
        names.addAll(0, List.of("rm", "-f"));
        begin = System.nanoTime();
        peer.command(names);
        samples.add(new Row("`rm -f` of these 100, " + shown(network) + ", one command", "s", true), peer.name(), seconds(begin));
    }

    private void execApi(Peer peer) throws Exception {
        var row = new Row("exec `true` through the API (create, start, end)", "ms", true);
        try (Api api = peer.connect()) {
            String id = create(api, "[\"sleep\",\"600\"]", NONE);
            api.post("/containers/" + id + "/start", "");
            for (int i = 0; i < samplesPerRound; i++) {
                long begin = System.nanoTime();
                String exec = id(api.post("/containers/" + id + "/exec", "{\"Cmd\":[\"true\"]}").text());
                api.post("/exec/" + exec + "/start", "{\"Detach\":true}");
                while (api.get("/exec/" + exec + "/json").text().contains("\"Running\":true")) {
                    Thread.onSpinWait();
                }
                add(row, peer, begin);
            }
            api.delete("/containers/" + id + "?force=1");
        }
    }

    private void execCommand(Peer peer) throws Exception {
        var row = new Row("`exec c true`, whole command", "ms", true);
        peer.command(words(RUN, "-d", "--name", "bench-exec", IMAGE, "sleep", "600"));
        for (int i = 0; i < samplesPerRound; i++) {
            long begin = System.nanoTime();
            peer.command(List.of("exec", "bench-exec", "true"));
            add(row, peer, begin);
        }
        peer.command(List.of("rm", "-f", "bench-exec"));
    }

    private void ps(Peer peer) throws Exception {
        var row = new Row("`ps`, nothing running, whole command", "ms", true);
        for (int i = 0; i < samplesPerRound; i++) {
            long begin = System.nanoTime();
            peer.command(List.of("ps"));
            add(row, peer, begin);
        }
    }

    private void hundred(Peer peer, String network) throws Exception {
        String suffix = network.equals(NONE) ? "" : ", " + shown(network);
        var ids = new ArrayList<String>();
        samples.add(new Row("daemon memory (PSS), nothing running" + suffix, "MiB", true), peer.name(),
                peer.daemonMemory() / 1024.0);
        long begin = System.nanoTime();
        try (Api api = peer.connect()) {
            for (int i = 0; i < MANY; i++) {
                String id = create(api, "[\"sleep\",\"600\"]", network);
                api.post("/containers/" + id + "/start", "");
                ids.add(id);
            }
            samples.add(new Row("100 × create and start through the API" + suffix, "s", true), peer.name(), seconds(begin));
            var list = new Row("GET /containers/json, 100 running" + suffix, "ms", true);
            for (int i = 0; i < samplesPerRound; i++) {
                begin = System.nanoTime();
                api.get("/containers/json");
                add(list, peer, begin);
            }
            samples.add(new Row("helper memory per container (PSS)" + suffix, "MiB", true), peer.name(),
                    peer.helperMemory() / 1024.0);
            samples.add(new Row("daemon memory (PSS), 100 running" + suffix, "MiB", true), peer.name(),
                    peer.daemonMemory() / 1024.0);
        }
        begin = System.nanoTime();
        peer.command(words(List.of("rm", "-f"), ids.toArray(String[]::new)));
        samples.add(new Row("`rm -f` of 100 running" + suffix, "s", true), peer.name(), seconds(begin));
    }

    private void logs(Peer peer) throws Exception {
        String line = "0123456789abcdef".repeat(8).substring(1);
        String writer = "[\"sh\",\"-c\",\"yes " + line + " | head -c " + ((long) LOG_MEGABYTES << 20) + "\"]";
        try (Api api = peer.connect(); Api waiting = peer.connect()) {
            String id = create(api, writer, NONE);
            waiting.callAndReadHead("POST", "/containers/" + id + "/wait?condition=next-exit");
            long begin = System.nanoTime();
            api.post("/containers/" + id + "/start", "");
            waiting.rest();
            samples.add(new Row("log write, 128-byte lines", "MB/s", false), peer.name(), rate(begin));
            begin = System.nanoTime();
            api.drain("/containers/" + id + "/logs?stdout=1");
            samples.add(new Row("log read back", "MB/s", false), peer.name(), rate(begin));
            api.delete("/containers/" + id);
        }
        long begin = System.nanoTime();
        long got = peer.commandOutput(words(RUN, "--rm", "--log-driver", "none", IMAGE, "sh", "-c",
                "yes " + line + " | head -c " + ((long) LOG_MEGABYTES << 20)));
        if (got != (long) LOG_MEGABYTES << 20) {
            throw new IOException("attached output lost bytes: " + got);
        }
        samples.add(new Row("attached stdout through the client", "MB/s", false), peer.name(), rate(begin));
    }

    /// The classic door on both sides; a peer's BuildKit has no other than its own protocol.
    private void build(Peer peer) throws Exception {
        Path context = BuildContext.write(IMAGE, 2000);
        try (Api api = peer.connect()) {
            for (int i = 0; i < Math.max(2, samplesPerRound / 4); i++) {
                built(new Row("build 5 x RUN + COPY of 2000 files, no cache (classic door)", "ms", true), peer, api,
                        "/build?nocache=1&networkmode=none", context);
                built(new Row("the same, all cached", "ms", true), peer, api, "/build?networkmode=none", context);
            }
        } finally {
            Files.delete(context);
        }
    }

    private void built(Row row, Peer peer, Api api, String target, Path context) throws IOException {
        long begin = System.nanoTime();
        String answer = api.postFile(target, context).text();
        add(row, peer, begin);
        if (!answer.contains("Successfully built")) {
            throw new IOException("the build failed: " + answer);
        }
    }

    private void daemonStart(Peer peer) throws Exception {
        samples.add(new Row("daemon start to first answer", "ms", true), peer.name(), peer.restart() / 1e6);
        var row = new Row("API create+start+wait+delete, network none, the first of a fresh daemon", "ms", true);
        try (Api api = peer.connect(); Api waiting = peer.connect()) {
            for (int i = 0; i < 2 * samplesPerRound; i++) {
                long begin = System.nanoTime();
                oneLifecycle(api, waiting, NONE);
                add(row, peer, begin);
            }
        }
    }

    private void add(Row row, Peer peer, long begin) {
        samples.add(row, peer.name(), (System.nanoTime() - begin) / 1e6);
    }

    private static double rate(long begin) {
        return (LOG_MEGABYTES << 20) / 1e6 / seconds(begin);
    }

    private static double seconds(long begin) {
        return (System.nanoTime() - begin) / 1e9;
    }

    private static String create(Api api, String command, String network) throws IOException {
        return id(api.post("/containers/create", CREATE.formatted(IMAGE, command, network)).text());
    }

    static String id(String json) throws IOException {
        int at = json.indexOf("\"Id\":\"");
        if (at < 0) {
            throw new IOException("no id in " + json);
        }
        return json.substring(at + 6, json.indexOf('"', at + 6));
    }

    private static List<String> words(List<String> first, String... rest) {
        var words = new ArrayList<>(first);
        words.addAll(List.of(rest));
        return words;
    }

    private static void all(List<Callable<Void>> tasks) throws InterruptedException, ExecutionException {
        try (var pool = Executors.newFixedThreadPool(tasks.size())) {
            for (var future : pool.invokeAll(tasks)) {
                future.get();
            }
        }
    }
}
