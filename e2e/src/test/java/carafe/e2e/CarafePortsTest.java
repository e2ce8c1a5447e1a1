package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Published ports and names of containers, with the docker command, on a host of the test's own.
class CarafePortsTest {

    private static final String WEB = "echo hello > /tmp/index.html; exec httpd -f -p 80 -h /tmp";

    private final HostedDaemon engine;
    private final Client client = Client.docker28();

    CarafePortsTest() throws Exception {
        engine = new HostedDaemon();
    }

    @BeforeEach
    void start() throws Exception {
        engine.start();
        docker("load", "-i", TestImages.dockerArchive(engine.directory()).toString());
    }

    @AfterEach
    void stop() throws Exception {
        try (engine) {
            List<String> known = docker("ps", "-aq", "--no-trunc").lines();
            engine.remember(known);
            if (!known.isEmpty()) {
                client.to(engine).and("rm", "-f").and(known.toArray(String[]::new)).run().good();
            }
            assertThat(docker("network", "prune", "-f").err()).isEmpty();
        } finally {
            engine.end();
        }
    }

    private Outcome docker(String... words) throws Exception {
        return client.to(engine).and(words).run().good();
    }

    private void web(String name, String... flags) throws Exception {
        client.to(engine).and("run", "-d", "--name", name).and(flags).and("busybox", "sh", "-c", WEB).run().good();
        Deadline.await(name + " serves", () -> client.to(engine)
                .and("exec", name, "wget", "-q", "-O", "-", "http://127.0.0.1/").run().text().equals("hello"));
    }

    @Test
    void aFirewallThatDropsWhatItForwardsIsToldOfBeforeAnybodyWonders() throws Exception {
        assertThat(docker("info").all()).doesNotContain("drops what it forwards");
        var nft = Tools.fetched("netfilter", "usr/sbin/nft");
        String libraries = "LD_LIBRARY_PATH=" + Tools.fetched("netfilter", "usr/lib/x86_64-linux-gnu");
        String rules = "table inet filter { chain forward { type filter hook forward priority 0; policy drop; }; }";
        engine.on("env", libraries, nft.toString(), rules).run().good();
        String sentence = "this host's firewall drops what it forwards (table inet filter, chain forward, 0 rules)";
        assertThat(docker("info").all()).contains("WARNING: " + sentence);
        for (var each : List.of(client, Client.carafe())) {
            assertThat(each.to(engine).and("run", "--rm", "-p", "8080:80", "busybox", "true").run().good().err())
                    .contains("WARNING: " + sentence).contains("to let them out: nft insert rule inet filter forward");
            assertThat(each.to(engine).and("run", "--rm", "busybox", "true").run().good().err()).isEmpty();
        }
        var carafe = Client.carafe().to(engine).and("network", "create");
        assertThat(carafe.and("open").run().good().err()).contains("WARNING: " + sentence);
        assertThat(carafe.and("--internal", "inner").run().good().err()).isEmpty();
        engine.on("env", libraries, nft.toString(), "delete table inet filter").run().good();
        assertThat(docker("info").all()).doesNotContain("drops what it forwards");
    }

    @Test
    void aPublishedPortLeadsToTheContainerAsLongAsItRuns() throws Exception {
        web("web", "-p", "8080:80", "-p", "127.0.0.1:8081:80", "--expose", "9");
        for (String address : List.of("127.0.0.1:8080", "10.9.0.1:8080", "127.0.0.1:8081", "::1:8080")) {
            assertThat(engine.fetch(address).good().text()).as(address).isEqualTo("hello");
        }
        assertThat(docker("port", "web").lines())
                .containsExactlyInAnyOrder("80/tcp -> 0.0.0.0:8080", "80/tcp -> [::]:8080", "80/tcp -> 127.0.0.1:8081");
        assertThat(docker("port", "web", "80").lines()).contains("0.0.0.0:8080", "[::]:8080");
        assertThat(docker("inspect", "-f", "{{json .NetworkSettings.Ports}}", "web").text()).isEqualTo(
                "{\"80/tcp\":[{\"HostIp\":\"0.0.0.0\",\"HostPort\":\"8080\"},{\"HostIp\":\"::\",\"HostPort\":\"8080\"},"
                        + "{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"8081\"}],\"9/tcp\":null}");
        assertThat(docker("ps", "--format", "{{.Ports}}").text())
                .contains("0.0.0.0:8080->80/tcp", "[::]:8080->80/tcp", "127.0.0.1:8081->80/tcp", "9/tcp");

        assertThat(Command.of(Tools.ours("carafe").toString(), "-H", engine.host(), "port", "--reachable", "web").run()
                .good().lines()).contains("80/tcp -> 0.0.0.0:8080: from this host and others",
                        "80/tcp -> [::]:8080: from this host and others",
                        "80/tcp -> 127.0.0.1:8081: from this host only");

        var second = client.to(engine).and("run", "--name", "second", "-p", "8080:80", "busybox", "true").run();
        assertThat(second.code()).isEqualTo(125);
        assertThat(second.err()).contains("Bind for 0.0.0.0:8080 failed: port is already allocated")
                .contains("web");

        docker("stop", "-t", "0", "web");
        for (String address : List.of("127.0.0.1:8080", "::1:8080")) {
            assertThat(engine.fetch(address).code()).as("stopped").isNotZero();
        }
        assertThat(docker("port", "web").text()).isEmpty();
        docker("start", "web");
        Deadline.await("it serves again", () -> engine.fetch("127.0.0.1:8080").text().equals("hello"));
        docker("rm", "-f", "web", "second");
        web("third", "-p", "8080:80");
        assertThat(engine.fetch("127.0.0.1:8080").good().text()).as("free for others").isEqualTo("hello");
    }

    /// A kernel need not have sockets of SCTP: the first packet of an association is written and read as it is on the wire.
    @Test
    void associationsAreLedToTheContainerToo() throws Exception {
        docker("run", "-d", "--name", "bell", "-p", "8132:132/sctp", "busybox", "sleep", "1000");
        assertThat(docker("port", "bell").lines()).containsExactlyInAnyOrder("132/sctp -> 0.0.0.0:8132", "132/sctp -> [::]:8132");
        assertThat(docker("ps", "--format", "{{.Ports}}").text()).contains("0.0.0.0:8132->132/sctp");
        assertThat(Client.carafe().to(engine).and("run", "--rm", "-p", "8132:9/sctp", "busybox", "true").run().endedWith(125).err())
                .contains("8132");
        docker("run", "--rm", "-p", "8132:132/tcp", "busybox", "true"); // another protocol's port is another port
        String pid = docker("inspect", "-f", "{{.State.Pid}}", "bell").text();
        String socat = Tools.fetched("netfilter", "usr/bin/socat").toString();
        String libraries = "LD_LIBRARY_PATH=" + Tools.fetched("netfilter", "usr/lib/x86_64-linux-gnu");
        Path wire = engine.directory().resolve("association");
        Files.write(wire, association(5000, 8132));
        Path heard = engine.directory().resolve("heard");
        try (var listener = Command.of("env", libraries, "nsenter", "--net=/proc/" + pid + "/ns/net",
                socat, "-u", "IP4-RECVFROM:132", "CREATE:" + heard).start()) {
            Deadline.await("the packet is heard", () -> {
                engine.on("env", libraries, socat, "-u", "FILE:" + wire, "IP4-SENDTO:10.9.0.1:132").run().good();
                return Files.exists(heard) && Files.size(heard) > 0;
            });
            listener.await(Deadline.USUAL).good();
        }
        assertThat(Files.readAllBytes(heard)).isEqualTo(association(5000, 132));
    }

    /// An INIT with its checksum. Source: RFC 9260, 3.1, 3.3.2, appendix A.
    private static byte[] association(int from, int to) {
        var packet = ByteBuffer.allocate(32).putShort((short) from).putShort((short) to).putInt(0).putInt(0)
                .put((byte) 1).put((byte) 0).putShort((short) 20) // INIT, its length
                .putInt(0x01020304).putInt(65_536).putShort((short) 1).putShort((short) 1).putInt(7);
        var checksum = new CRC32C();
        checksum.update(packet.array());
        packet.order(ByteOrder.LITTLE_ENDIAN).putInt(8, (int) checksum.getValue());
        return packet.array();
    }

    @Test
    void portsComeWithTheFirstNetworkThatLeadsOutAndGoWithTheLast() throws Exception {
        docker("network", "create", "--internal", "inner");
        docker("network", "create", "open");
        web("web", "--network", "inner", "-p", "8080:80");
        assertThat(docker("port", "web").text()).isEmpty();
        docker("network", "connect", "open", "web");
        assertThat(docker("port", "web").lines()).contains("80/tcp -> 0.0.0.0:8080");
        assertThat(engine.fetch("127.0.0.1:8080").good().text()).isEqualTo("hello");
        docker("network", "disconnect", "open", "web");
        assertThat(docker("port", "web").text()).isEmpty();
        assertThat(engine.fetch("127.0.0.1:8080").code()).isNotZero();
        docker("network", "connect", "open", "web");
        assertThat(engine.fetch("127.0.0.1:8080").good().text()).isEqualTo("hello");
    }

    @Test
    void portsComeAndGoWithTheFamiliesOfTheNetworks() throws Exception {
        docker("network", "create", "--ipv4=false", "--ipv6", "--subnet", "fd00:214::/64", "six");
        docker("network", "create", "four");
        web("web", "--network", "six", "-p", "8080:80");
        assertThat(docker("port", "web").lines()).containsExactly("80/tcp -> [::]:8080");
        docker("network", "connect", "four", "web");
        assertThat(docker("port", "web").lines()).containsExactlyInAnyOrder("80/tcp -> [::]:8080", "80/tcp -> 0.0.0.0:8080");
        for (String address : List.of("127.0.0.1:8080", "fd00:214::1:8080")) {
            assertThat(engine.fetch(address).good().text()).as(address).isEqualTo("hello");
        }
        docker("network", "disconnect", "four", "web");
        assertThat(docker("port", "web").lines()).containsExactly("80/tcp -> [::]:8080");
        assertThat(engine.fetch("127.0.0.1:8080").code()).isNotZero();
        assertThat(engine.fetch("fd00:214::1:8080").good().text()).isEqualTo("hello");

        docker("run", "-d", "--name", "other", "--network", "four", "-p", "127.0.0.1:8080:80", "busybox", "sleep", "1000");
        var refused = client.to(engine).and("network", "connect", "four", "web").run();
        assertThat(refused.code()).isNotZero();
        assertThat(refused.err()).contains("Bind for 0.0.0.0:8080 failed: port is already allocated (by container other)");
        assertThat(docker("inspect", "-f", "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}", "web").text())
                .as("nothing of it").isEqualTo("six");
        docker("rm", "-f", "other");
        docker("network", "connect", "four", "web");
        Deadline.await("it answers again", () -> engine.fetch("127.0.0.1:8080").text().equals("hello"));
    }

    @Test
    void whatAnEngineLeavesThatIsKilledAndDeletedGoesWithTheNext() throws Exception {
        var nft = Tools.fetched("netfilter", "usr/sbin/nft");
        var list = engine.on("env", "LD_LIBRARY_PATH=" + Tools.fetched("netfilter", "usr/lib/x86_64-linux-gnu"),
                nft.toString(), "list", "ruleset");
        docker("run", "--rm", "-p", "8080:80", "busybox", "true");
        engine.kill();
        String before = list.run().good().text();
        assertThat(before).contains("table inet carafe-", "data root ", engine.dataRoot().toString());
        Command.of("rm", "-rf", engine.dataRoot().toString()).run().good();
        engine.start();
        String after = list.run().good().text();
        assertThat(after).containsOnlyOnce("table inet carafe-").doesNotContain(before.lines().findFirst().orElseThrow());
        assertThat(engine.log()).contains("of an engine that was killed and whose data root " + engine.dataRoot());
    }

    @Test
    void whatTheHostsRulesMarkReachesEveryPort() throws Exception {
        var nft = Tools.fetched("netfilter", "usr/sbin/nft");
        String libraries = "LD_LIBRARY_PATH=" + Tools.fetched("netfilter", "usr/lib/x86_64-linux-gnu");
        engine.on("env", libraries, nft.toString(), "table inet vpn { chain peers { type filter hook prerouting priority -150;"
                + " iifname \"lan0\" meta mark set 0x4d1; }; }").run().good();
        docker("network", "create", "-o", "com.docker.network.bridge.name=lan0", "lan");
        web("web");
        String address = docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}", "web").text();
        docker("run", "-d", "--name", "asker", "--network", "lan", "busybox", "sleep", "1000");
        var ask = client.to(engine).and("exec", "asker", "timeout", "3", "wget", "-q", "-O", "-", "http://" + address + "/");
        assertThat(ask.run().code()).as("nobody trusts the mark").isNotZero();
        engine.stop();
        engine.with("--bridge-accept-fwmark", "0xd0/0xf0", "--ip-forward-no-drop").start();
        Deadline.await("the mark is trusted", () -> ask.run().text().equals("hello"));
        assertThat(engine.log()).doesNotContain("no effect");
    }

    @Test
    void whatTranslatesBetweenTheFamiliesGoesWithTheEngine() throws Exception {
        web("web", "-p", "8080:80");
        assertThat(engine.on("ls", "/proc/sys/net/ipv6/conf").run().good().text()).contains("six6");
        docker("rm", "-f", "web");
        engine.stop();
        assertThat(engine.on("ls", "/proc/sys/net/ipv6/conf").run().good().text()).doesNotContain("six6", "six4");
        engine.start();
    }

    @Test
    void portsAndNamesOutliveTheDaemon() throws Exception {
        docker("network", "create", "front");
        web("web", "--network", "front", "--network-alias", "shop", "-P", "--expose", "80");
        String ports = docker("port", "web", "80").text();
        String port = docker("port", "web", "80").lines().getFirst();
        String address = port.replace("0.0.0.0", "10.9.0.1");
        String six = port.replace("0.0.0.0", "::1");
        assertThat(engine.fetch(address).good().text()).isEqualTo("hello");
        docker("run", "-d", "--name", "asker", "--network", "front", "busybox", "sleep", "1000");
        assertThat(docker("exec", "asker", "wget", "-q", "-O", "-", "http://shop/").text()).isEqualTo("hello");
        assertThat(docker("exec", "asker", "cat", "/etc/resolv.conf").text()).contains("nameserver 127.0.0.11", "ndots:0");

        engine.kill();
        assertThat(engine.fetch(address).good().text()).as("nobody there").isEqualTo("hello");
        assertThat(engine.fetch(six).good().text()).as("nobody there, IPv6 to IPv4").isEqualTo("hello");
        engine.start();
        assertThat(engine.fetch(address).good().text()).as("taken over").isEqualTo("hello");
        assertThat(engine.fetch(six).good().text()).as("taken over, IPv6 to IPv4").isEqualTo("hello");
        assertThat(docker("port", "web", "80").text()).isEqualTo(ports);
        assertThat(docker("exec", "asker", "wget", "-q", "-O", "-", "http://shop/").text()).isEqualTo("hello");

        docker("network", "disconnect", "front", "web");
        assertThat(client.to(engine).and("exec", "asker", "nslookup", "shop").run().code()).isNotZero();
        docker("network", "connect", "front", "web");
        assertThat(docker("exec", "asker", "nslookup", "web").text()).contains("Name:\tweb");
    }
}
