package carafe.network.port;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.kernel.Nftables.BaseChain;
import carafe.spec.network.IpAddress;
import java.util.List;
import java.util.Optional;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// A host whose firewall is legacy iptables: its table is no part of nf_tables and drops all the same.
class LegacyFirewallTest {

    private Town town;
    private PortFilter filter;

    @BeforeEach
    void settle() throws Exception {
        town = new Town();
        filter = town.in("host", () -> {
            var opened = PortFilter.open("test", Optional.empty());
            opened.admit(PortFilterTest.bridge("br0", false, Map.of()));
            return opened;
        });
        filter.hold();
    }

    @AfterEach
    void leave() throws Exception {
        filter.close();
        town.close();
    }

    private void iptables(String... words) throws Exception {
        var command = new java.util.ArrayList<>(List.of("iptables-legacy"));
        command.addAll(List.of(words));
        town.run("host", command.toArray(String[]::new));
    }

    private List<BaseChain> chains() throws Exception {
        return town.in("host", filter::foreignChains);
    }

    private boolean drops() throws Exception {
        return chains().getFirst().drops();
    }

    private List<String> warnings() throws Exception {
        return Reach.warnings(chains());
    }

    @Test
    void whereThereIsNoTableNoneIsMade() throws Exception {
        assertThat(chains()).isEmpty();
        assertThat(town.in("host", () -> java.nio.file.Files.readString(
                java.nio.file.Path.of("/proc/thread-self/net/ip_tables_names")))).isEmpty();
    }

    @Test
    void aPolicyThatDropsIsToldWithWhatToDo() throws Exception {
        iptables("-A", "FORWARD", "-s", "10.0.0.1", "-j", "ACCEPT");
        assertThat(warnings()).isEmpty();
        iptables("-P", "FORWARD", "DROP");
        assertThat(warnings()).singleElement().asString()
                .contains("this host's firewall drops what it forwards (iptables-legacy, chain FORWARD, 1 rules)")
                .contains("iptables-legacy -I FORWARD -i BRIDGE -j ACCEPT");
    }

    @Test
    void itIsTrueThatItDropsAndThatTheRemedyHelps() throws Exception {
        filter.publish("c", List.of(PortFilterTest.target("0.0.0.0", 8080, "172.30.0.2", 80)));
        iptables("-P", "FORWARD", "DROP");
        iptables("-A", "FORWARD", "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT");
        var binding = new PortBinding(Protocol.TCP, 80, IpAddress.parse("0.0.0.0"), 8080);
        var reach = Reach.of(binding, List.of(IpAddress.parse("172.30.0.2")), chains(), true);
        assertThat(reach.fromOthers()).isFalse();
        String remedy = "iptables-legacy -I FORWARD -d 172.30.0.2 -p tcp --dport 80 -j ACCEPT";
        assertThat(String.join("\n", reach.remarks())).contains("to open it: " + remedy);
        try (var _ = Service.tcp(town, "web", 80)) {
            assertThat(Service.askInVain(town, "outside", "10.9.0.1", 8080)).isEqualTo("silence");
            town.run("host", remedy.split(" "));
            assertThat(Service.ask(town, "outside", "10.9.0.1", 8080)).isEqualTo("web 10.9.0.2");
        }
    }

    @Test
    void aLastRuleThatRefusesIsLikeAPolicy() throws Exception {
        iptables("-A", "FORWARD", "-d", "10.0.0.1", "-j", "ACCEPT");
        iptables("-A", "FORWARD", "-j", "REJECT");
        assertThat(drops()).isTrue();
        iptables("-I", "FORWARD", "-i", "br0", "-j", "DROP");
        iptables("-D", "FORWARD", "-j", "REJECT");
        assertThat(drops()).as("only what comes from br0").isFalse();
    }

    @Test
    void chainsAreFollowedWhereEveryPacketGoesThatWay() throws Exception {
        iptables("-N", "deep");
        iptables("-N", "guard");
        iptables("-A", "FORWARD", "-j", "LOG");
        iptables("-A", "FORWARD", "-j", "guard");
        iptables("-A", "guard", "-p", "tcp", "-j", "RETURN");
        iptables("-A", "guard", "-j", "deep");
        iptables("-A", "deep", "-m", "conntrack", "--ctstate", "INVALID", "-j", "DROP");
        assertThat(drops()).isFalse();
        iptables("-A", "deep", "-j", "DROP");
        assertThat(drops()).isTrue();
        iptables("-I", "guard", "-j", "RETURN");
        assertThat(drops()).isFalse();
        iptables("-P", "FORWARD", "DROP");
        assertThat(drops()).isTrue();
        iptables("-I", "FORWARD", "-j", "ACCEPT");
        assertThat(drops()).as("a policy that nothing comes to").isFalse();
    }

    @Test
    void aChainThatIsGoneToForGoodLeadsBackToNobody() throws Exception {
        for (String program : List.of("iptables-legacy", "ip6tables-legacy")) {
            town.run("host", program, "-N", "guard");
            town.run("host", program, "-A", "FORWARD", "-g", "guard");
            town.run("host", program, "-A", "FORWARD", "-j", "ACCEPT"); // nobody comes here
            town.run("host", program, "-A", "guard", "-m", "conntrack", "--ctstate", "ESTABLISHED", "-j", "ACCEPT");
            assertThat(chains().getLast().drops()).as(program).isFalse();
            town.run("host", program, "-P", "FORWARD", "DROP");
            assertThat(chains().getLast().drops()).as("the policy comes next").isTrue();
            town.run("host", program, "-P", "FORWARD", "ACCEPT");
            town.run("host", program, "-A", "guard", "-j", "DROP");
            assertThat(chains().getLast().drops()).as(program).isTrue();
            town.run("host", program, "-F");
        }
    }

    @Test
    void aCommentIsNoCondition() throws Exception {
        iptables("-A", "FORWARD", "-m", "comment", "--comment", "nobody passes", "-j", "DROP");
        assertThat(drops()).isTrue();
        iptables("-I", "FORWARD", "-m", "comment", "--comment", "some", "-m", "conntrack", "--ctstate", "NEW", "-j", "ACCEPT");
        assertThat(drops()).as("with a condition beside it").isTrue();
        iptables("-I", "FORWARD", "-m", "comment", "--comment", "all", "-m", "comment", "--comment", "do", "-j", "RETURN");
        assertThat(drops()).as("to the policy").isFalse();
        iptables("-P", "FORWARD", "DROP");
        assertThat(drops()).isTrue();
    }

    @Test
    void bothFamiliesAreAsked() throws Exception {
        town.run("host", "ip6tables-legacy", "-A", "FORWARD", "-s", "fd00::1", "-j", "ACCEPT");
        town.run("host", "ip6tables-legacy", "-P", "FORWARD", "DROP");
        assertThat(chains()).singleElement().extracting("family", "drops", "rules", "legacy")
                .containsExactly("ip6", true, 1, true);
        assertThat(warnings()).singleElement().asString().contains("ip6tables-legacy -I FORWARD");
    }

    @Test
    void aTableOfThousandsOfRulesIsRead() throws Exception {
        var rules = new StringBuilder("*filter\n:FORWARD DROP [0:0]\n");
        for (int i = 0; i < 5000; i++) {
            rules.append("-A FORWARD -s 10.1.").append(i / 250).append('.').append(i % 250).append(" -j ACCEPT\n");
        }
        town.feed("host", rules.append("COMMIT\n").toString(), "iptables-legacy-restore");
        assertThat(chains()).singleElement().extracting("drops", "rules").containsExactly(true, 5000);
    }
}
