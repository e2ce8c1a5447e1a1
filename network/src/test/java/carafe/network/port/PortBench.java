package carafe.network.port;

import carafe.kernel.NamespaceThread;
import carafe.kernel.NetNamespace;
import carafe.network.Driver;
import carafe.network.Endpoint;
import carafe.network.EndpointListener.Attached;
import carafe.network.Network;
import carafe.network.Sandbox;
import carafe.network.dns.HostResolvers;
import carafe.network.dns.NameService;
import carafe.spec.Failpoints;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import carafe.spec.network.MacAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What publishing costs: one more port beside few and beside thousands, taking a port, a name server. Not a test; run it
/// on a quiet machine.
final class PortBench {

    private static final int TIMES = 300;

    private PortBench() {}

    /// Prints medians and 95th percentiles in milliseconds.
    public static void main(String[] args) throws Exception {
        try (var town = new Town()) {
            var filter = town.in("host", () -> PortFilter.open("bench", Optional.empty()));
            filter.admit(PortFilterTest.bridge("br0", false, Map.of()));
            filter.hold();
            for (int others : new int[] {0, 0, 1000, 10_000}) {
                for (int i = 0; i < others; i++) {
                    filter.publish("other" + i, List.of(target(i % 30_000 + 1)));
                }
                measure("publish and withdraw beside " + others + " ports", i -> {
                    filter.publish("c", List.of(target(40_000 + i)));
                    filter.publish("c", List.of());
                });
            }
            var ports = town.in("host",
                    () -> new PublishedPorts(filter, PublishedPorts.Ways.NONE, Files.createTempDirectory("ports"), Failpoints.none()));
            measure("reserve, lead and release one port", i -> town.in("host", () -> {
                ports.reserve("c" + i, "c", List.of(PublishedPortsTest.request(Protocol.TCP, 80, "", 50_000, 60_000)),
                        new Families(true, false, true));
                ports.attached(attached("c" + i, "/none"));
                ports.release("c" + i);
                return null;
            }));
            ports.close();
            filter.close();
        }
        try (var thread = NamespaceThread.start()) {
            var names = NameService.open(new HostResolvers(Path.of("/etc/resolv.conf")), Failpoints.none());
            var namespaces = new NetNamespace[TIMES];
            for (int i = 0; i < TIMES; i++) {
                namespaces[i] = thread.create(new NetNamespace.Settings(Map.of()));
            }
            measure("open a name server in a namespace", i -> names.attached(attached("c" + i, namespaces[i].path())));
            names.close();
            for (var namespace : namespaces) {
                namespace.close();
            }
        }
    }

    private static Elements.Target target(int port) throws Exception {
        return new Elements.Target(new PortBinding(Protocol.TCP, 80, IpAddress.parse("0.0.0.0"), port),
                IpAddress.parse("172.30.0.2"), false, Elements.Direct.NOBODY);
    }

    private static Attached attached(String id, String path) throws Exception {
        var network = new Network("n", "front", Instant.EPOCH, Driver.BRIDGE, Network.Addressing.NONE,
                Network.Reach.USUAL, "br0", Map.of(), Map.of());
        var endpoint = new Endpoint("e".repeat(64), "n", "eth0", "v", MacAddress.parse("02:42:ac:1e:00:02"),
                Optional.of(Cidr.parseHost("172.30.0.2/16")), Optional.empty(),
                new Endpoint.Gateways(Optional.of(IpAddress.parse("172.30.0.1")), Optional.empty(), 0, "front"), List.of(),
                List.of(id));
        return new Attached(new Sandbox(id, path, List.of(endpoint)), network, endpoint, false);
    }

    private interface Work {
        void run(int i) throws Exception;
    }

    private static void measure(String what, Work work) throws Exception {
        long[] times = new long[TIMES];
        for (int i = 0; i < TIMES; i++) {
            long begin = System.nanoTime();
            work.run(i);
            times[i] = System.nanoTime() - begin;
        }
        Arrays.sort(times);
        System.out.printf("%s: median %.3f ms, p95 %.3f ms%n", what, times[TIMES / 2] / 1e6, times[TIMES * 95 / 100] / 1e6);
    }
}
