package carafe.network.port;

import carafe.kernel.NamespaceThread;
import carafe.kernel.NetNamespace;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/// Network namespaces that play a host and who is around it, gone when closed: `host` with the bridges br0 (172.30.0.1,
/// fd00:30::1) and br1 (172.31.0.1), containers `web` (172.30.0.2, fd00:30::2) and `peer` (172.30.0.3) on br0, `other`
/// (172.31.0.2) on br1, and `outside` (10.9.0.2, fd00:9::2), whose neighbour the host is (10.9.0.1, fd00:9::1), and who
/// knows the way to the bridges.
final class Town implements AutoCloseable {

    private static final Path TOOLS = Path.of(System.getProperty("carafe.root"), "e2e/target/tools/netfilter");

    private final NamespaceThread thread = NamespaceThread.start();
    private final Map<String, NetNamespace> places = new LinkedHashMap<>();

    Town() throws Exception {
        for (String place : List.of("host", "outside", "web", "peer", "other")) {
            places.put(place, thread.create(new NetNamespace.Settings(Map.of())));
        }
        for (String bridge : List.of("br0", "br1")) {
            run("host", "ip", "link", "add", bridge, "type", "bridge");
            run("host", "ip", "link", "set", bridge, "up");
        }
        run("host", "ip", "addr", "add", "172.30.0.1/16", "dev", "br0");
        run("host", "ip", "addr", "add", "fd00:30::1/64", "dev", "br0", "nodad");
        run("host", "ip", "addr", "add", "172.31.0.1/16", "dev", "br1");
        join("web", "br0", "172.30.0.2/16", "172.30.0.1");
        join("peer", "br0", "172.30.0.3/16", "172.30.0.1");
        join("other", "br1", "172.31.0.2/16", "172.31.0.1");
        run("web", "ip", "addr", "add", "fd00:30::2/64", "dev", "eth0", "nodad");
        run("web", "ip", "route", "add", "default", "via", "fd00:30::1");
        run("host", "ip", "link", "add", "up0", "type", "veth", "peer", "name", "eth0", "netns", path("outside"));
        run("host", "ip", "addr", "add", "10.9.0.1/24", "dev", "up0");
        run("host", "ip", "addr", "add", "fd00:9::1/64", "dev", "up0", "nodad");
        run("host", "ip", "link", "set", "up0", "up");
        run("outside", "ip", "addr", "add", "10.9.0.2/24", "dev", "eth0");
        run("outside", "ip", "addr", "add", "fd00:9::2/64", "dev", "eth0", "nodad");
        run("outside", "ip", "link", "set", "eth0", "up");
        run("outside", "ip", "route", "add", "172.16.0.0/12", "via", "10.9.0.1");
        run("outside", "ip", "route", "add", "fd00:30::/64", "via", "fd00:9::1");
        in("host", () -> {
            carafe.kernel.Host.setSysctl("net/ipv4/ip_forward", "1");
            carafe.kernel.Host.setSysctl("net/ipv6/conf/all/forwarding", "1");
            return null;
        });
    }

    private void join(String place, String bridge, String address, String gateway) throws Exception {
        run("host", "ip", "link", "add", "v" + place, "type", "veth", "peer", "name", "eth0", "netns", path(place));
        run("host", "ip", "link", "set", "v" + place, "master", bridge, "up");
        run(place, "ip", "addr", "add", address, "dev", "eth0");
        run(place, "ip", "link", "set", "eth0", "up");
        run(place, "ip", "route", "add", "default", "via", gateway);
    }

    /// A path that opens the namespace from other processes too.
    private String path(String place) {
        return "/proc/" + ProcessHandle.current().pid() + "/fd/" + namespace(place).handle().number();
    }

    private NetNamespace namespace(String place) {
        return Objects.requireNonNull(places.get(place), place);
    }

    /// Runs `work` in the namespace of `place`.
    <T> T in(String place, Callable<T> work) throws Exception {
        var done = new FutureTask<>(work);
        thread.inside(namespace(place).handle(), () -> {
            done.run();
            return true;
        });
        try {
            return done.get();
        } catch (ExecutionException e) {
            switch (Objects.requireNonNull(e.getCause())) {
                case Exception failure -> throw failure;
                case Error error -> throw error;
                case Throwable other -> throw new AssertionError(other);
            }
        }
    }

    /// Runs a tool there; what it printed. Fails the test when the tool fails.
    String run(String place, String... command) throws Exception {
        var words = words(command);
        return in(place, () -> printed(words));
    }

    /// Starts a tool there that goes on; both of its outputs are one. The caller ends it.
    Process start(String place, String... command) throws Exception {
        var words = words(command);
        return in(place, () -> builder(words).start());
    }

    private static List<String> words(String... command) {
        var words = new ArrayList<>(Arrays.asList(command));
        String directory = List.of("ip", "socat").contains(command[0]) ? "usr/bin" : "usr/sbin";
        words.set(0, TOOLS.resolve(directory).resolve(command[0]).toString());
        return words;
    }

    /// Runs a tool there with text as its input.
    void feed(String place, String input, String... command) throws Exception {
        var words = words(command);
        in(place, () -> {
            var process = builder(words).start();
            try (var stdin = process.getOutputStream()) {
                stdin.write(input.getBytes(StandardCharsets.UTF_8));
            }
            return finished(process, words);
        });
    }

    private static String printed(List<String> words) throws IOException, InterruptedException {
        var process = builder(words).start();
        process.getOutputStream().close();
        return finished(process, words);
    }

    private static ProcessBuilder builder(List<String> words) {
        var builder = new ProcessBuilder(words).redirectErrorStream(true);
        var library = TOOLS.resolve("usr/lib").resolve(System.getProperty("os.arch").equals("aarch64")
                ? "aarch64-linux-gnu" : "x86_64-linux-gnu");
        builder.environment().put("LD_LIBRARY_PATH", library.toString());
        builder.environment().put("XTABLES_LIBDIR", library.resolve("xtables").toString());
        return builder;
    }

    private static String finished(Process process, List<String> words) throws IOException, InterruptedException {
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new AssertionError(String.join(" ", words) + ": " + output);
        }
        return output;
    }

    @Override
    public void close() {
        places.values().forEach(NetNamespace::close);
        thread.close();
    }
}
