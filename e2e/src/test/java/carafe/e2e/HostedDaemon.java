package carafe.e2e;

import java.io.IOException;
import java.util.List;
import java.util.Map;

/// Our engine on a host of its own, as far as networks go: a network namespace that outlives the daemon and goes with
/// this object. Its loopback is up and has 10.9.0.1 too.
final class HostedDaemon extends EngineUnderTest {

    private static final String BUSYBOX = Tools.fetched("busybox", "usr/bin/busybox").toString();
    private static final String PREPARE = """
            set -e; b=%s; $b ip link set lo up; $b ip addr add 10.9.0.1/32 dev lo; echo ready; exec $b sleep 1000000""".formatted(BUSYBOX);

    private final Process host;
    private String failpoints = "";
    private List<String> flags = List.of();

    HostedDaemon() throws IOException {
        super("carafe");
        host = new ProcessBuilder("unshare", "--net", "sh", "-c", PREPARE).redirectErrorStream(true).start();
        String said = host.inputReader().readLine();
        if (!"ready".equals(said)) {
            throw new IOException("no namespace to be a host: " + said);
        }
    }

    /// Where the daemon fails from its next start on; empty: nowhere.
    void failAt(String points) {
        failpoints = points;
    }

    /// What else the daemon is told from its next start on.
    HostedDaemon with(String... more) {
        flags = List.of(more);
        return this;
    }

    /// A command that runs on this host.
    Command on(String... words) {
        return Command.of("nsenter", "--net=/proc/" + host.pid() + "/ns/net").and(words);
    }

    /// What a web server answers to the host. By bash, because a static busybox resolves names with the host's library.
    Outcome fetch(String address) throws Exception {
        int colon = address.lastIndexOf(':');
        String target = "/dev/tcp/" + address.substring(0, colon) + "/" + address.substring(colon + 1);
        return on("timeout", "20", "bash", "-c",
                "exec 3<>" + target + " || exit 7; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; sed '1,/^\r*$/d' <&3").run();
    }

    /// The last call: the host goes.
    void end() throws InterruptedException {
        host.destroyForcibly().waitFor();
    }

    @Override
    List<String> daemonCommand() {
        return on(
                Tools.ours("carafed").toString(),
                "-H", host(),
                "--data-root", dataRoot().toString(),
                "--exec-root", execRoot().toString(),
                "--pidfile", directory().resolve("pid").toString())
                .and(flags.toArray(String[]::new))
                .words();
    }

    @Override
    Map<String, String> daemonEnvironment() {
        return failpoints.isEmpty() ? Map.of() : Map.of("CARAFE_FAILPOINTS", failpoints);
    }
}
