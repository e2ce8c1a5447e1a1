package carafe.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.engine.NameDefaults;
import carafe.engine.NetworkDefaults;
import carafe.network.FabricConfig;
import carafe.network.port.PacketMark;
import carafe.spec.EngineException.Invalid;
import carafe.spec.build.CachePrune;
import carafe.spec.build.CacheRules;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigReaderTest {

    @TempDir
    private Path directory;

    @Test
    void defaultsAreTheseAndNoOthers() throws Exception {
        assertThat(read("{}"))
                .isEqualTo(new DaemonConfig(
                        List.of("unix:///run/carafe/carafe.sock"),
                        Path.of("/var/lib/carafe"),
                        Path.of("/run/carafe"),
                        Path.of("/run/carafe/carafed.pid"),
                        "carafe",
                        false,
                        new DaemonConfig.Tls(false, false, Optional.empty(), Optional.empty(), Optional.empty()),
                        Map.of(),
                        List.of(),
                        new DaemonConfig.Registries(Map.of(), List.of(), Optional.empty(), Optional.empty(),
                                Optional.empty(), new DaemonConfig.Transfers(3, 5, 5)),
                        Optional.empty(),
                        new DaemonConfig.Networking(
                                FabricConfig.DefaultBridge.USUAL, FabricConfig.usualPools(), true, false, Optional.empty(), NameDefaults.NONE,
                                NetworkDefaults.NONE),
                        Optional.empty(),
                        CacheRules.USUAL,
                        List.of()));
    }

    @Test
    void everyKeyOfTheFileArrivesInItsPlace() throws Exception {
        var config = read("""
                {"hosts":["unix:///a","tcp://127.0.0.1:2376"],"data-root":"/d","exec-root":"/e","pidfile":"/p",
                 "group":"g","debug":true,"log-level":"info","log-opts":{"max-size":"1m"},"log-driver":"json-file",
                 "labels":["a=b"],"tls":true,"tlsverify":true,"tlscacert":"/ca","tlscert":"/cert","tlskey":"/key",
                 "registry-mirrors":["https://m"],"mirrors":{"quay.io":["https://q/1","https://q/2"]},
                 "insecure-registries":["10.0.0.0/8"],"max-concurrent-downloads":7,"max-concurrent-uploads":8,
                 "max-download-attempts":9,"http-proxy":"http://p","proxies":{"https-proxy":"http://s","no-proxy":"a,b"},
                 "live-restore":true,"userns-remap":"default",
                 "builder":{"gc":{"enabled":false,"defaultKeepStorage":"20GB"}},"bip":"10.9.0.1/24","fixed-cidr":"10.9.0.128/25","fixed-cidr-v6":"fd00:9::/64","bip6":"fd00:9::1/56",
                 "default-gateway":"10.9.0.254","default-gateway-v6":"fd00:9::fe",
                 "ipv6":true,"mtu":1400,"icc":false,"ip":"127.0.0.1","ip-forward":false,"allow-direct-routing":true,"ip-masq":false,
                 "bridge-accept-fwmark":"0x10/0xf0","ip-forward-no-drop":true,
                 "dns":["10.9.9.9","fd00::9"],"dns-opts":["ndots:3"],"dns-search":["corp.example"],
                 "host-gateway-ips":["10.9.0.7"],"host-gateway-ip":"fd00::7",
                 "default-network-opts":{"bridge":{"mtu":"1400","a":"b=c"},"ipvlan":{}},
                 "default-address-pools":[{"base":"10.10.0.0/16","size":24}]}""");
        assertThat(config)
                .isEqualTo(new DaemonConfig(
                        List.of("unix:///a", "tcp://127.0.0.1:2376"),
                        Path.of("/d"), Path.of("/e"), Path.of("/p"),
                        "g",
                        true,
                        new DaemonConfig.Tls(
                                true, true, Optional.of(Path.of("/ca")),
                                Optional.of(Path.of("/cert")),
                                Optional.of(Path.of("/key"))),
                        Map.of("max-size", "1m"),
                        List.of("a=b"),
                        new DaemonConfig.Registries(
                                Map.of("docker.io", List.of("https://m"), "quay.io", List.of("https://q/1", "https://q/2")),
                                List.of("10.0.0.0/8"), Optional.of("http://p"), Optional.of("http://s"),
                                Optional.of("a,b"), new DaemonConfig.Transfers(7, 8, 9)),
                        Optional.empty(),
                        new DaemonConfig.Networking(
                                new FabricConfig.DefaultBridge(
                                        true,
                                        Optional.empty(),
                                        Optional.of(Cidr.parseHost("10.9.0.1/24")),
                                        Optional.of(Cidr.parse("10.9.0.128/25")),
                                        true,
                                        Optional.of(Cidr.parseHost("fd00:9::1/56")),
                                        Optional.of(Cidr.parse("fd00:9::/64")),
                                        1400, false, false,
                                        Optional.of(IpAddress.parse("127.0.0.1")),
                                        new FabricConfig.DefaultBridge.Gateways(
                                                Optional.of(IpAddress.parse("10.9.0.254")),
                                                Optional.of(IpAddress.parse("fd00:9::fe")))),
                                List.of(new FabricConfig.PoolRule(Cidr.parse("10.10.0.0/16"), 24)),
                                false, true, Optional.of(new PacketMark(0x10, 0xf0)),
                                new NameDefaults(
                                        List.of(IpAddress.parse("10.9.9.9"), IpAddress.parse("fd00::9")),
                                        List.of("ndots:3"), List.of("corp.example"),
                                        List.of(IpAddress.parse("10.9.0.7"), IpAddress.parse("fd00::7"))),
                                new NetworkDefaults(Map.of("bridge", Map.of("mtu", "1400", "a", "b=c")))),
                        Optional.of("default"),
                        new CacheRules(false, Optional.empty(), new CachePrune.Space(20L << 30, 0, 0)),
                        List.of()));
    }

    @Test
    void flagsAreReadInEveryFormOfPflag() throws Exception {
        var config = read("{}", "-H", "unix:///a", "-Hunix:///b", "--host=unix:///c", "-D", "--data-root", "/d");
        assertThat(config.hosts()).containsExactly("unix:///a", "unix:///b", "unix:///c");
        assertThat(config.debug()).isTrue();
        assertThat(config.dataRoot()).isEqualTo(Path.of("/d"));
    }

    @Test
    void networksThatCannotBeAreRefused() throws Exception {
        assertThat(read("{}", "--bridge=none").networking().bridge().enabled()).isFalse();
        assertThat(read("{}", "-b", "lan0").networking().bridge().link()).contains("lan0");
        assertThat(read("{}", "--default-address-pool", "base=10.0.0.0/8,size=22").networking().pools()).hasSize(1);
        assertThat(read("{}", "--default-network-opt=bridge=a=b", "--default-network-opt", "bridge=c=").networking().networks())
                .isEqualTo(new NetworkDefaults(Map.of("bridge", Map.of("a", "b", "c", ""))));
        assertThatThrownBy(() -> read("{}", "--default-network-opt", "mtu=1400"))
                .hasMessageStartingWith("invalid default network option \"mtu=1400\": DRIVER=OPTION=VALUE is meant");
        refused("{\"default-network-opts\":{\"bridge\":{\"mtu\":1400}}}", "must be an object of strings");
        refused("{\"dns\":[\"resolver\"]}", "resolver is not an ip address");
        refused("{\"dns-search\":[\"a b\"]}", "a b is not a valid domain");
        refused("{\"host-gateway-ips\":[\"10.0.0.1\",\"10.0.0.2\"]}", "only one IPv4 and one IPv6 host gateway");
        refused("{\"bip6\":\"10.0.0.1/8\"}", "invalid bip6 10.0.0.1/8: an IPv6 address with its range is meant");
        refused("{\"bip6\":\"fd00::1/64\",\"bridge\":\"lan0\"}", "you specified -b & --bip6");
        refused("{\"bridge-accept-fwmark\":\"vpn\"}", "invalid bridge-accept-fwmark: \"vpn\" is no mark of packets: MARK or");
        refused("{\"default-gateway\":\"fd00::1\"}", "invalid default-gateway fd00::1: an IPv4 address is meant");
        refused("{\"default-gateway-v6\":\"10.0.0.1\"}", "invalid default-gateway-v6 10.0.0.1: an IPv6 address is meant");
        refused("{\"mtu\":12}", "invalid MTU 12");
        refused("{\"bip\":\"10.0.0.1\"}", "invalid CIDR address: 10.0.0.1");
        refused("{\"bridge\":\"b\",\"bip\":\"10.0.0.1/24\"}", "you specified -b & --bip");
        refused("{\"default-address-pools\":[{\"base\":\"10.0.0.0/24\",\"size\":8}]}", "networks of /8 do not fit");
    }

    private void refused(String json, String message) {
        assertThatThrownBy(() -> read(json)).isInstanceOf(Invalid.class).hasMessageContaining(message);
    }

    @Test
    void anUnknownKeyNamesTheNearest() {
        assertThatThrownBy(() -> read("{\"data-rot\":\"/x\"}"))
                .isInstanceOf(Invalid.class)
                .hasMessageEndingWith("unknown key \"data-rot\"; the nearest is \"data-root\"");
    }

    @Test
    void anUnknownFlagNamesTheNearest() {
        assertThatThrownBy(() -> read("{}", "--exec-rot=/x"))
                .hasMessage("unknown flag: --exec-rot (nearest: --exec-root)");
        assertThatThrownBy(() -> read("{}", "-Z")).hasMessage("unknown shorthand flag: 'Z' in -Z");
        assertThatThrownBy(() -> new ConfigReader(List.of("--data-root")))
                .hasMessage("flag needs an argument: --data-root");
        assertThatThrownBy(() -> read("{}", "start"))
                .hasMessage("\"carafed\" accepts no arguments, but got: start");
    }

    @Test
    void aDirectiveGivenTwiceIsRefused() {
        assertThatThrownBy(() -> read("{\"data-root\":\"/a\"}", "--data-root", "/b"))
                .hasMessageContaining("data-root (from flag: [/b], from file: [/a])");
    }

    @Test
    void keysOfDockerWithoutEffectAreAcceptedWithAWarning() throws Exception {
        assertThat(read("{\"iptables\":false}").warnings())
                .singleElement()
                .asString()
                .startsWith("\"iptables\" in ")
                .endsWith("has no effect in this version");
    }

    @Test
    void aFileThatIsNotJsonIsNamed() {
        assertThatThrownBy(() -> read("{\"hosts\":")).hasMessageContaining("daemon.json: not valid JSON");
        assertThatThrownBy(() -> new ConfigReader(List.of("--config-file", "/nonexistent/x.json")).read())
                .hasMessage("configuration file /nonexistent/x.json does not exist");
    }

    @Test
    void tlsWithoutItsFilesIsRefused() {
        assertThatThrownBy(() -> read("{}", "--tls")).hasMessage("--tls needs --tlscert and --tlskey");
        assertThatThrownBy(() -> read("{}", "--tlsverify", "--tlscert", "/c", "--tlskey", "/k"))
                .hasMessageContaining("--tlscacert");
    }

    @Test
    void theHubServesALocalSocketUnlessItIsToldMore() throws Exception {
        var hub = read("{\"hub\":{},\"data-root\":\"/d\",\"exec-root\":\"/e\"}").hub().orElseThrow();
        assertThat(hub.data()).isEqualTo(Path.of("/d/hub"));
        assertThat(hub.listen()).containsExactly(new carafe.http.Address.Unix(Path.of("/e/hub.sock")));
        assertThat(hub.rights()).isEmpty();
        assertThatThrownBy(() -> read("{\"hub\":{\"quota\":1}}")).hasMessageStartingWith("\"hub\": unknown key \"quota\"");
        Path file = Files.writeString(directory.resolve("hub.json"), "{\"listen\":[\"tcp://127.0.0.1:5000\"]}");
        assertThat(read("{\"hub\":\"" + file + "\",\"exec-root\":\"/e\"}").hub().orElseThrow().listen())
                .extracting(Object::toString).containsExactly("tcp://127.0.0.1:5000", "unix:///e/hub.sock");
        assertThat(read("{\"hub\":{\"listen\":[\"unix:///own\"]}}").hub().orElseThrow().listen())
                .extracting(Object::toString).containsExactly("unix:///own");
    }

    private DaemonConfig read(String file, String... flags) throws Exception {
        Path path = Files.writeString(directory.resolve("daemon.json"), file);
        var arguments = new ArrayList<>(List.of(flags));
        arguments.add("--config-file");
        arguments.add(path.toString());
        return new ConfigReader(arguments).read();
    }
}
