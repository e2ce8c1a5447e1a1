package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The daemon dies, as `kill -9` ends it, at each step of the life of networks, of published ports and of names. After
/// its next start there is no link, namespace, rule, address or file too many, and the same life goes through.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CarafeNetworkDeathsTest {

    private static final String PORT = "28931";

    private final CarafeDaemon engine = new CarafeDaemon();

    private List<String> before = List.of();

    CarafeNetworkDeathsTest() throws Exception {}

    @BeforeAll
    void begin() throws Exception {
        engine.start();
        docker("load", "-i", TestImages.dockerArchive(engine.directory()).toString()).good();
        life();
        engine.stop();
        engine.start();
        before = held();
    }

    @AfterAll
    void end() {
        engine.close();
    }

    private Outcome docker(String... words) throws Exception {
        return Client.docker28().to(engine).and(words).run();
    }

    static Stream<String> points() {
        // The start of the daemon itself passes these: for the three networks that are always there, for the bridge.
        return Stream.concat(
                Stream.of("network.bridge=3*off->halt", "network.rules=1*off->halt"),
                Stream.of("network.plan", "network.row", "network.remove", "network.remove-bridge", "network.erase",
                        "network.gone", "sandbox.addresses", "sandbox.namespace", "sandbox.note", "sandbox.link",
                        "sandbox.configure", "sandbox.listeners", "sandbox.opened", "connect.addresses", "connect.note",
                        "connect.link", "connect.routes", "connect.listeners", "connect.row", "rename.note",
                        "disconnect.link", "ports.reserve", "ports.file", "ports.publish", "ports.drop", "undo.note",
                        "disconnect.note", "network.parent", "dns.open").map(point -> point + "=halt"));
    }

    @ParameterizedTest
    @MethodSource("points")
    void nothingIsLeftAndTheSameLifeGoesThrough(String point) throws Exception {
        engine.failAt(point);
        engine.kill();
        engine.start();
        for (var words : LIFE) {
            engine.remember(docker("ps", "-aq", "--no-trunc").lines());
            docker(words.toArray(String[]::new));
        }
        engine.awaitEnd();
        engine.failAt("");
        engine.start();
        engine.remember(docker("ps", "-aq", "--no-trunc").good().lines());
        docker("rm", "-f", "web", "site");
        docker("network", "rm", "front", "back", "shared");
        nothingIsLeft(point);
        life();
        nothingIsLeft(point);
    }

    /// A network namespace that was made with the container's own users, before the network was.
    @ParameterizedTest
    @ValueSource(strings = {"namespace.adopt", "namespace.loopback", "namespace.settings", "namespace.prepared"})
    void oneWithUsersOfItsOwnLeavesNothingEither(String point) throws Exception {
        var mapped = Client.carafe().to(engine).and("run", "-d", "--name", "web", "--userns=auto", "-p", PORT + ":80",
                "busybox", "sleep", "100000");
        engine.failAt(point + "=halt");
        engine.kill();
        engine.start();
        mapped.run();
        engine.awaitEnd();
        engine.failAt("");
        engine.start();
        engine.remember(docker("ps", "-aq", "--no-trunc").good().lines());
        docker("rm", "-f", "web").good();
        nothingIsLeft(point);
        mapped.run().good();
        engine.remember(docker("ps", "-aq", "--no-trunc").good().lines());
        docker("rm", "-f", "web").good();
        nothingIsLeft(point);
    }

    /// Between the row, which says that it is out, and the end.
    @ParameterizedTest
    @ValueSource(strings = {"disconnect.row", "disconnect.link", "disconnect.note", "disconnect.files"})
    void whoWasLeavingANetworkIsOutOfItAfterTheNextStart(String point) throws Exception {
        docker("network", "create", "--subnet", "10.197.1.0/24", "front").good();
        docker("network", "create", "--subnet", "10.197.2.0/24", "back").good();
        docker("run", "-d", "--name", "web", "--network", "front", "busybox", "sleep", "100000").good();
        docker("network", "connect", "--ip", "10.197.2.9", "back", "web").good();
        docker("run", "-d", "--name", "asker", "--network", "back", "busybox", "sleep", "100000").good();
        docker("exec", "asker", "ping", "-c", "1", "-W", "2", "web").good();
        assertThat(docker("exec", "web", "cat", "/etc/hosts").good().out()).contains("10.197.1.", "10.197.2.9");
        engine.failAt(point + "=halt");
        engine.kill();
        engine.start();
        docker("network", "disconnect", "back", "web");
        engine.awaitEnd();
        engine.failAt("");
        engine.start();
        engine.remember(docker("ps", "-aq", "--no-trunc").good().lines());
        assertThat(docker("exec", "web", "ip", "-o", "-4", "addr").good().out())
                .contains("10.197.1.").doesNotContain("10.197.2.");
        assertThat(docker("exec", "web", "cat", "/etc/hosts").good().out()).contains("10.197.1.").doesNotContain("10.197.2.");
        assertThat(docker("exec", "asker", "ping", "-c", "1", "-W", "2", "web").endedWith(1).err()).contains("bad address 'web'");
        docker("run", "--rm", "--name", "heir", "--network", "back", "--ip", "10.197.2.9", "busybox", "true").good();
        docker("rm", "-f", "web", "asker").good();
        docker("network", "rm", "front", "back").good();
        nothingIsLeft(point);
    }

    /// While it gives a container its link back, which went with the one that somebody deleted.
    @Test
    void whoseLinkIsLaidAnewHasItAfterTheNextStart() throws Exception {
        String id = docker("network", "create", "-d", "macvlan", "--subnet", "10.197.3.0/24", "shared").good().text();
        for (String name : List.of("web", "asker")) {
            docker("run", "-d", "--name", name, "--network", "shared", "busybox", "sleep", "100000").good();
        }
        engine.failAt("relay.link=halt");
        engine.kill();
        engine.start();
        Command.of("ip", "link", "delete", "dm-" + id.substring(0, 12)).run().good();
        engine.awaitEnd();
        engine.failAt("");
        engine.start();
        engine.remember(docker("ps", "-aq", "--no-trunc").good().lines());
        docker("exec", "asker", "ping", "-c", "1", "-W", "5", "web").good();
        assertThat(docker("exec", "web", "ip", "-o", "-4", "addr").good().out()).contains("10.197.3.2/24");
        docker("rm", "-f", "web", "asker").good();
        docker("network", "rm", "shared").good();
        nothingIsLeft("relay.link");
    }

    /// While it takes over what the last one left: networks are made again, ports lead to who runs, names are served. After
    /// the start that comes through, all is as it was.
    @Test
    void aDeathInTheMiddleOfTheStartIsMadeGoodByTheNext() throws Exception {
        docker("network", "create", "--ipv6", "--subnet", "10.197.1.0/24", "--subnet", "fd00:197::/64", "-o",
                "com.docker.network.bridge.name=br197", "front").good();
        docker("network", "create", "-d", "macvlan", "--subnet", "10.197.3.0/24", "shared").good();
        docker("run", "-d", "--name", "web", "--network", "front", "-p", PORT + ":80", "--hostname", "web", "busybox",
                "httpd", "-f", "-h", "/etc").good();
        docker("run", "-d", "--name", "asker", "--network", "front", "busybox", "sleep", "100000").good();
        docker("network", "connect", "shared", "web").good();
        docker("network", "connect", "shared", "asker").good();
        engine.remember(docker("ps", "-aq", "--no-trunc").good().lines());
        var held = held();
        var rules = rules();
        for (String point : List.of("network.bridge=3*off->halt", "network.rules=1*off->halt", "ports.publish=halt",
                "dns.open=1*off->halt")) {
            engine.kill();
            if (point.startsWith("network.rules")) {
                Command.of("ip", "link", "delete", "br197").run().good(); // so there is one to be made
            }
            engine.failAt(point);
            engine.startInVain();
            engine.failAt("");
            engine.start();
            Deadline.await("what there was before " + point, () -> held().equals(held));
            assertThat(rules()).as(point).isEqualTo(rules);
            Deadline.await(point + ": the port leads to it", () -> fetched().equals("web"));
            docker("exec", "asker", "sh", "-ec", "for who in web fd00:197::2 10.197.3.2; do ping -c 1 -W 5 $who; done").good();
        }
        docker("rm", "-f", "web", "asker").good();
        docker("network", "rm", "front", "shared").good();
        nothingIsLeft("all of them");
    }

    /// The name that the server at the published port has.
    private static String fetched() {
        try (var in = URI.create("http://127.0.0.1:" + PORT + "/hostname").toURL().openStream()) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            return e.toString();
        }
    }

    /// What the packet filter has of the networks of these tests.
    private static List<String> rules() throws Exception {
        return nft().lines().map(String::strip)
                .filter(line -> line.contains("br197") || line.contains("10.197.") || line.contains(PORT)).toList();
    }

    private static final List<List<String>> LIFE = List.of(
            List.of("network", "create", "--ipv6", "--subnet", "10.197.1.0/24", "--subnet", "fd00:197::/64", "front"),
            List.of("network", "create", "--subnet", "10.197.2.0/24", "back"),
            List.of("network", "create", "-d", "macvlan", "--subnet", "10.197.3.0/24", "shared"),
            List.of("run", "-d", "--name", "web", "--network", "front", "-p", PORT + ":80", "-p", "[::]:28932:81",
                    "busybox", "sleep", "100000"),
            List.of("network", "connect", "back", "web"),
            List.of("network", "connect", "shared", "web"),
            List.of("network", "disconnect", "back", "web"),
            List.of("rename", "web", "site"),
            List.of("rm", "-f", "site"),
            List.of("network", "rm", "front"),
            List.of("network", "rm", "back"),
            List.of("network", "rm", "shared"));

    private void life() throws Exception {
        for (var words : LIFE) {
            docker(words.toArray(String[]::new)).good();
            engine.remember(docker("ps", "-aq", "--no-trunc").good().lines());
        }
    }

    private void nothingIsLeft(String point) throws Exception {
        Deadline.await("only what was there before " + point, () -> held().equals(before));
        assertThat(docker("network", "ls", "--format", "{{.Name}}").good().lines()).as(point)
                .containsExactlyInAnyOrder("bridge", "host", "none");
        assertThat(docker("ps", "-aq").good().lines()).as(point).isEmpty();
        assertThat(nft()).as(point).doesNotContain(PORT).doesNotContain("28932").doesNotContain("10.197.")
                .doesNotContain("fd00:197:");
    }

    private static String nft() throws Exception {
        return Command.of(Tools.fetched("netfilter", "usr/sbin/nft").toString(), "list", "ruleset")
                .with("LD_LIBRARY_PATH", Tools.fetched("netfilter", "usr/lib/x86_64-linux-gnu").toString()).run().good()
                .text();
    }

    /// Links of this engine that somebody uses, its files about namespaces, containers and ports, and mounts; spare
    /// namespaces, which come and go in the background, are no container's.
    private List<String> held() throws Exception {
        var held = new ArrayList<String>();
        held.addAll(Leftovers.linksInUse(engine.directory()));
        Leftovers.mountsBelow(engine.directory()).forEach(mount -> held.add("mount " + mount));
        for (String part : List.of("exec/n", "exec/p", "exec/c", "data/containers", "data/snapshots")) {
            Path directory = engine.directory().resolve(part);
            try (Stream<Path> found = Files.exists(directory) ? Files.list(directory) : Stream.empty()) {
                found.filter(file -> !file.getFileName().toString().startsWith(".")).forEach(file -> held.add(file.toString()));
            }
        }
        return held.stream().sorted().toList();
    }
}
