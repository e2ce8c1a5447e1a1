package carafe.e2e;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Debian 12's Docker engine 20.10 with its containerd and runc: the reference. It shows that a contract asks for what
/// Docker does, before the contract is held against us.
final class DebianDocker extends EngineUnderTest {

    DebianDocker() throws IOException {
        super("docker");
    }

    @Override
    List<String> daemonCommand() {
        return List.of(
                Tools.fetched("docker20", "usr/sbin/dockerd").toString(),
                "--host=" + host(),
                "--data-root=" + dataRoot(),
                "--exec-root=" + execRoot(),
                "--pidfile=" + directory().resolve("pid"),
                "--bridge=none",
                "--iptables=false",
                "--ip6tables=false",
                "--storage-driver=overlay2");
    }

    @Override
    Set<String> knownLeftovers() {
        return Set.of("data", "exec/netns/default");
    }

    @Override
    Map<String, String> daemonEnvironment() {
        Path tree = Tools.fetched("docker20", "usr");
        return Map.of(
                "PATH", tree.resolve("bin") + ":" + tree.resolve("sbin") + ":/usr/sbin:/usr/bin:/sbin:/bin",
                "LD_LIBRARY_PATH", tree.resolve("lib/x86_64-linux-gnu").toString());
    }
}
