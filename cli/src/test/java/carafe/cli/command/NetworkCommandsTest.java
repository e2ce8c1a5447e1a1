package carafe.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.cli.session.TestSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The commands on networks: what they ask the engine, and what they print.
class NetworkCommandsTest extends CommandScene {

    @Test
    void rangesGoToTheirSubnets() throws Exception {
        engine.on("POST /networks/create", 201, "{\"Id\":\"n1\",\"Warning\":\"\"}");
        assertThat(run("network", "create", "--subnet", "10.1.0.0/16,fd00:1::/64", "--ip-range", "10.1.4.0/24", "--gateway",
                "fd00:1::1", "--gateway", "10.1.0.9", "--aux-address", "nas=10.1.0.5", "--ipv6", "-o", "a=b", "--label", "x",
                "--internal", "app")).isZero();
        assertThat(caller.output()).isEqualTo("n1\n");
        assertThat(engine.body(0).print()).isEqualTo("{\"Name\":\"app\",\"Driver\":\"bridge\",\"Scope\":\"\",\"Internal\":true,"
                + "\"Attachable\":false,\"Ingress\":false,\"ConfigOnly\":false,\"IPAM\":{\"Driver\":\"default\",\"Options\":{},"
                + "\"Config\":[{\"Subnet\":\"10.1.0.0/16\",\"IPRange\":\"10.1.4.0/24\",\"Gateway\":\"10.1.0.9\","
                + "\"AuxiliaryAddresses\":{\"nas\":\"10.1.0.5\"}},{\"Subnet\":\"fd00:1::/64\",\"Gateway\":\"fd00:1::1\"}]},"
                + "\"Options\":{\"a\":\"b\"},\"Labels\":{\"x\":\"\"},\"EnableIPv6\":true}");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --gateway 10.0.0.1 | every ip-range or gateway must have a corresponding subnet
            --subnet 10.0.0.0/24 --gateway 10.1.0.1 | no matching subnet for gateway 10.1.0.1
            --subnet 10.0.0.0/24 --ip-range 10.1.0.0/25 | no matching subnet for range 10.1.0.0/25
            --subnet 10.0.0.0/24 --aux-address a=1.2.3.4 | no matching subnet for aux-address 1.2.3.4
            --subnet 10.0.0.0/24 --subnet 10.0.0.0/25 | multiple overlapping subnet configuration is not supported
            --subnet nonsense | invalid CIDR address: nonsense
            """)
    void whatDoesNotFitTogetherIsRefusedBeforeTheEngineIsAsked(String flags, String sentence) {
        String[] words = ("network create " + flags + " app").split(" ");
        assertThat(run(words)).isEqualTo(1);
        assertThat(caller.errors()).isEqualTo(sentence + "\n");
        assertThat(engine.asked).isEmpty();
    }

    @Test
    void theListIsSortedByName() {
        engine.on("GET /networks", 200, """
                [{"Name":"web","Id":"0123456789abcdef","Driver":"bridge","Scope":"local","EnableIPv6":true,"Labels":{"b":"2","a":"1"}},
                 {"Name":"app","Id":"fedcba9876543210","Driver":"bridge","Scope":"local","Labels":null}]""");
        assertThat(run("network", "ls")).isZero();
        assertThat(caller.output()).isEqualTo("""
                NETWORK ID     NAME      DRIVER    SCOPE
                fedcba987654   app       bridge    local
                0123456789ab   web       bridge    local
                """);
        var again = new TestSession();
        again.environment.putAll(caller.environment);
        Carafe.run(again.session("network", "ls", "--no-trunc", "--format", "{{.ID}} {{.IPv6}} {{.Labels}}"), address -> false);
        assertThat(again.output()).isEqualTo("fedcba9876543210 false \n0123456789abcdef true a=1,b=2\n");
    }

    @Test
    void connectingTellsTheWholeEndpoint() throws Exception {
        engine.on("POST /networks/app/connect", 200, "");
        assertThat(run("network", "connect", "--ip", "10.0.0.9", "--alias", "db", "--gw-priority", "3", "app", "web")).isZero();
        assertThat(engine.body(0).print()).isEqualTo("{\"Container\":\"web\",\"EndpointConfig\":{\"IPAMConfig\":{\"IPv4Address\":"
                + "\"10.0.0.9\",\"IPv6Address\":\"\",\"LinkLocalIPs\":[]},\"Links\":[],\"Aliases\":[\"db\"],\"DriverOpts\":{},"
                + "\"GwPriority\":3}}");
    }

    @Test
    void textsOfOneFlagAreSeparatedByCommas() throws Exception {
        engine.on("POST /networks/app/connect", 200, "");
        assertThat(run("network", "connect", "--alias", "db,sql", "--alias", "\"a,b\"", "--link-local-ip",
                "169.254.3.1,169.254.3.2", "--driver-opt", "a=1,b=2", "app", "web")).isZero();
        var settings = engine.body(0).object("EndpointConfig");
        assertThat(settings.texts("Aliases")).containsExactly("db", "sql", "a,b");
        assertThat(settings.object("IPAMConfig").texts("LinkLocalIPs")).containsExactly("169.254.3.1", "169.254.3.2");
        assertThat(settings.textMap("DriverOpts")).containsEntry("a", "1").containsEntry("b", "2").hasSize(2);
        assertThat(run("network", "connect", "--alias", "a\"b", "app", "web")).isEqualTo(125);
        assertThat(caller.errors()).contains("invalid argument \"a\\\"b\" for \"--alias\" flag:"
                + " parse error on line 1, column 2: bare \" in non-quoted-field");
    }

    @Test
    void whenANetworkWasMadeIsToldToTheNanosecond() {
        engine.on("GET /networks", 200, """
                [{"Name":"a","Id":"0","Created":"2026-11-23T22:58:41.123456789Z"},
                 {"Name":"b","Id":"1","Created":"2026-11-23T23:58:41.5+01:00"},
                 {"Name":"c","Id":"2","Created":"2026-11-23T22:58:41Z"}]""");
        assertThat(run("network", "ls", "--format", "{{.CreatedAt}}")).isZero();
        assertThat(caller.output()).isEqualTo("""
                2026-11-23 22:58:41.123456789 +0000 UTC
                2026-11-23 22:58:41.5 +0000 UTC
                2026-11-23 22:58:41 +0000 UTC
                """);
    }

    @Test
    void removingGoesOnAfterAMistake() {
        engine.on("DELETE /networks/app", 204, "");
        engine.on("DELETE /networks/gone", 404, "{\"message\":\"network gone not found\"}");
        assertThat(run("network", "rm", "gone", "app")).isEqualTo(1);
        assertThat(caller.output()).isEqualTo("app\n");
        assertThat(caller.errors()).isEqualTo("Error response from daemon: network gone not found\n");
        assertThat(run("network", "rm", "-f", "gone")).isZero();
    }

    @Test
    void pruningAsksUnlessForced() {
        engine.on("POST /networks/prune", 200, "{\"NetworksDeleted\":[\"app\",\"web\"]}");
        assertThat(run("network", "prune")).isEqualTo(1);
        assertThat(caller.output()).startsWith("WARNING! This will remove all custom networks not used by at least one container.");
        assertThat(engine.asked).isEmpty();
        assertThat(run("network", "prune", "-f")).isZero();
        assertThat(caller.output()).endsWith("Deleted Networks:\napp\nweb\n\n");
    }
}
