package carafe.network.port;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.network.IpAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What engines that were killed leave in the packet filter, seen by the next engine of the host.
class OtherTablesTest {

    @TempDir
    private Path directory;

    private Town town;
    private long deadProcess;
    private final List<PortFilter> opened = new ArrayList<>();

    @BeforeEach
    void settle() throws Exception {
        town = new Town();
        var process = new ProcessBuilder("true").start();
        deadProcess = process.pid();
        process.waitFor();
    }

    @AfterEach
    void leave() throws Exception {
        opened.forEach(PortFilter::close);
        town.close();
    }

    private Path root(String name) throws Exception {
        return Files.createDirectories(directory.resolve(name).resolve("data"));
    }

    /// One whose process has ended.
    private TableOwner dead(Path root) throws Exception {
        var here = TableOwner.here(root);
        return new TableOwner(deadProcess, here.startTicks(), here.where(), here.dataRoot());
    }

    /// An engine that published port 8080 of the host, and left.
    private void leave(String mark, Optional<TableOwner> owner, String... bridges) throws Exception {
        var left = town.in("host", () -> {
            var opened = PortFilter.open(mark, owner);
            for (String bridge : bridges) {
                opened.admit(PortFilterTest.bridge(bridge, false, Map.of()));
            }
            return opened;
        });
        left.publish("c", List.of(PortFilterTest.target("0.0.0.0", 8080, "172.30.0.77", 80)));
        left.hold();
        left.close();
    }

    private PortFilter next() throws Exception {
        Path root = root("next");
        var filter = town.in("host", () -> PortFilter.open("next", root, Optional.empty()));
        opened.add(filter);
        filter.hold();
        return filter;
    }

    private String tables() throws Exception {
        return town.run("host", "nft", "list", "tables");
    }

    private static void delete(Path root) throws Exception {
        Files.delete(root);
        Files.delete(root.getParent());
    }

    private List<PortBinding> reserve(PortFilter filter, PortRequest request) throws Exception {
        var ports = town.in("host", () -> new PublishedPorts(
                filter, PublishedPorts.Ways.NONE, directory.resolve("ports"), Failpoints.none()));
        try (ports) {
            return town.in("host", () -> ports.reserve("c1", "web", List.of(request),
                    new Families(true, request.address().map(IpAddress::six).orElse(false), true)));
        }
    }

    @Test
    void whatAnEngineLeftThatWasKilledAndDeletedSwallowsNoPort() throws Exception {
        Path root = root("dead");
        leave("dead", Optional.of(dead(root)));
        delete(root);
        try (var _ = Service.tcp(town, "host", 8080)) {
            assertThat(Service.askInVain(town, "outside", "10.9.0.1", 8080)).as("swallowed").isNotEqualTo("refused")
                    .doesNotStartWith("host");
            next();
            assertThat(tables()).isEqualTo("table inet carafe-next\n");
            assertThat(Service.ask(town, "outside", "10.9.0.1", 8080)).startsWith("host ");
        }
    }

    @Test
    void anotherEngineAtTheSamePlaceIsProofEnough() throws Exception {
        leave("dead", Optional.of(dead(root("next")))); // its data root was deleted, and made anew for the next one
        next();
        assertThat(tables()).doesNotContain("carafe-dead");
    }

    @Test
    void aTableStaysWhoseEngineMayComeBack() throws Exception {
        leave("there", Optional.of(dead(root("there"))));

        Path running = root("running");
        var runs = TableOwner.here(running);
        leave("running", Optional.of(runs));
        delete(running);

        Path used = root("used");
        leave("used", Optional.of(dead(used)), "br0");
        delete(used);

        Path away = root("away");
        var where = dead(away).where();
        leave("unmounted", Optional.of(new TableOwner(
                deadProcess, 1, new TableOwner.Where(where.mount() + 1, where.device()), dead(away).dataRoot())));
        leave("disk", Optional.of(new TableOwner(
                deadProcess, 1, new TableOwner.Where(where.mount(), where.device() + 1), dead(away).dataRoot())));
        leave("file", Optional.of(new TableOwner(
                deadProcess, 1, where, Files.writeString(directory.resolve("file"), "").resolve("data"))));
        delete(away);

        leave("older", Optional.empty());
        next();
        assertThat(tables()).contains("carafe-there\n", "carafe-running\n", "carafe-used\n", "carafe-unmounted\n",
                "carafe-disk\n", "carafe-file\n", "carafe-older\n");
    }

    @Test
    void whoAsksForAPortOfAnEngineThatDoesNotRunIsToldWhose() throws Exception {
        leave("there", Optional.of(dead(root("there"))));
        leave("older", Optional.empty());
        var filter = next();
        var wanted = PublishedPortsTest.request(Protocol.TCP, 80, "127.0.0.1", 8080, 8080);
        assertThatThrownBy(() -> reserve(filter, wanted)).isInstanceOf(EngineException.Internal.class)
                .hasMessageStartingWith("driver failed programming external connectivity on endpoint web (c1): failed to bind"
                        + " host port 127.0.0.1:8080/tcp: it is published by another engine (")
                .hasMessageContaining("which does not run").hasMessageContaining("nft delete table inet carafe-");
        town.run("host", "nft", "delete", "table", "inet", "carafe-older");
        assertThatThrownBy(() -> reserve(filter, wanted))
                .hasMessageContaining("(data root " + directory.resolve("there/data") + ")")
                .hasMessageEndingWith("nft delete table inet carafe-there");
        assertThat(reserve(filter, PublishedPortsTest.request(Protocol.TCP, 80, "127.0.0.1", 8080, 8081)))
                .as("another of a range").hasToString("[127.0.0.1:8081->80/tcp]");
        assertThat(reserve(filter, PublishedPortsTest.request(Protocol.UDP, 80, "", 8080, 8080))).hasSize(1);
        delete(root("there"));
        assertThat(reserve(filter, wanted)).as("it cannot come back any more").hasSize(1);
        assertThat(tables()).isEqualTo("table inet carafe-next\n");
    }

    @Test
    void anAddressIsPublishedThereOnly() throws Exception {
        var left = town.in("host", () -> PortFilter.open("there", Optional.of(dead(root("there")))));
        left.publish("c", List.of(PortFilterTest.target("10.9.0.1", 8080, "172.30.0.77", 80),
                PortFilterTest.target("fd00:9::1", 8081, "fd00:30::77", 80)));
        left.hold();
        left.close();
        var filter = next();
        assertThat(reserve(filter, PublishedPortsTest.request(Protocol.TCP, 80, "127.0.0.1", 8080, 8080))).hasSize(1);
        assertThat(reserve(filter, PublishedPortsTest.request(Protocol.TCP, 80, "", 8081, 8081))).as("IPv6 only").hasSize(1);
        for (String address : List.of("10.9.0.1", "")) {
            assertThatThrownBy(() -> reserve(filter, PublishedPortsTest.request(Protocol.TCP, 80, address, 8080, 8080)))
                    .as(address).hasMessageContaining("carafe-there");
        }
        assertThatThrownBy(() -> reserve(filter, PublishedPortsTest.request(Protocol.TCP, 80, "fd00:9::1", 8081, 8081)))
                .hasMessageContaining("carafe-there");
    }

    @Test
    void itsTranslatorGoesToo() throws Exception {
        Path root = root("dead");
        var left = town.in("host", () -> PortFilter.open("dead", Optional.of(dead(root))));
        left.translate("six6dead", "six4dead", IpAddress.parse("fd00::1"));
        left.hold();
        left.close();
        town.run("host", "ip", "link", "add", "six6dead", "type", "veth", "peer", "name", "six4dead");
        town.run("host", "ip", "link", "set", "six6dead", "alias", "translator of carafe dead 192.0.0.1 1");
        town.run("host", "ip", "link", "add", "six6other", "type", "veth", "peer", "name", "six4other");
        town.run("host", "ip", "link", "set", "six6other", "alias", "translator of carafe other 192.0.0.2 1");
        delete(root);
        next();
        assertThat(town.run("host", "ip", "link")).doesNotContain("six6dead", "six4dead").contains("six6other");
    }

    @Test
    void theTableSaysWhoseItIsAlsoAfterAFlush() throws Exception {
        var filter = next();
        String comment = "comment \"" + TableOwner.here(root("next")).comment() + "\"";
        assertThat(comment).endsWith(" " + directory.resolve("next/data") + "\"");
        assertThat(town.run("host", "nft", "list", "ruleset")).contains(comment);
        long before = filter.assertions();
        town.run("host", "nft", "flush", "ruleset");
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (filter.assertions() == before) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            Thread.onSpinWait();
        }
        assertThat(town.run("host", "nft", "list", "ruleset")).contains(comment);
    }

    @Test
    void aPathThatNoCommentHoldsIsNotTold() throws Exception {
        var texts = new ArrayList<String>();
        for (String name : List.of("plain \u00e4 b", "with\"quote", "l".repeat(250))) {
            texts.add(TableOwner.here(root(name)).comment());
        }
        assertThat(texts.getFirst()).contains("plain \u00e4 b");
        assertThat(texts.subList(1, 3)).containsOnly("");
        assertThat(TableOwner.parse(texts.getFirst())).contains(TableOwner.here(root("plain \u00e4 b")));
        assertThat(TableOwner.parse("")).isEmpty();
        assertThat(TableOwner.parse("engine 1/99999999999999999999, data root 1/1 /x")).isEmpty();
        assertThat(TableOwner.parse("engine 1/1, data root 1/1 /x\0y")).as("no path").isEmpty();
    }
}
