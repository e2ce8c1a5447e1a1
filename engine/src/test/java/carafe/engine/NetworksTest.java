package carafe.engine;

import static carafe.engine.EngineHarness.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.network.port.Families;
import carafe.network.port.PortRequest;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.ContainerConfig;
import carafe.spec.docker.EndpointSettings;
import carafe.spec.docker.Filters;
import carafe.spec.docker.NetworkCreateRequest;
import carafe.spec.docker.NetworkingConfig;
import carafe.spec.network.IpAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Networks as the engine's door offers them, over a fabric without a kernel.
class NetworksTest {

    @TempDir
    Path root;

    private EngineHarness harness;
    private Networks networks;

    @BeforeEach
    void open() throws Exception {
        harness = new EngineHarness(root);
        networks = harness.engine.networks();
    }

    @AfterEach
    void close() {
        harness.close();
    }

    private static NetworkCreateRequest network(String json) throws Exception {
        return NetworkCreateRequest.parse((Json.Obj) Json.parse(json));
    }

    private static EndpointSettings settings(String json) throws Exception {
        return EndpointSettings.parse((Json.Obj) Json.parse(json));
    }

    private ContainerNetworks.Place place(String container, String network) throws Exception {
        return harness.containers().inspect(container, false).networks().places().stream()
                .filter(place -> place.network().equals(network)).findFirst().orElseThrow();
    }

    private List<String> names(String id, String network) throws Exception {
        String networkId = place(id, network).networkId();
        return harness.fabric.sandbox(id).orElseThrow().in(networkId).orElseThrow().names();
    }

    @Test
    void oneThatRunsIsKnownByItsNewName() throws Exception {
        networks.create(network("{\"Name\":\"lan\"}"));
        String id = harness.containers().create(
                request("web", "{\"NetworkMode\":\"lan\",\"PortBindings\":{\"80/tcp\":[{\"HostPort\":\"8080\"}]}}", "sleep")).id();
        harness.containers().rename("web", "early");
        harness.containers().start(id);
        assertThat(names(id, "lan")).startsWith("early").doesNotContain("web");
        harness.containers().rename("early", "shop");
        assertThat(names(id, "lan")).startsWith("shop").doesNotContain("early");
        assertThat(harness.outlets.called).containsEntry(id, "shop");
        networks.connect("bridge", id, settings("{}"));
        harness.containers().rename("shop", "kiosk");
        assertThat(names(id, "bridge")).as("where names are not served").isEmpty();
        // The engine died between its row and its networks.
        var lan = harness.fabric.sandbox(id).orElseThrow().endpoints().getFirst();
        harness.fabric.rename(id, java.util.Map.of(lan.networkId(), List.of("shop")));
        harness.crash();
        networks = harness.engine.networks();
        assertThat(names(id, "lan")).startsWith("kiosk").doesNotContain("shop");
    }

    /// As the auditor did it: a line of the container's own, then connect and disconnect.
    @Test
    void aContainersOwnHostsStayWhenItComesToANetworkAndLeavesIt() throws Exception {
        networks.create(network("{\"Name\":\"lan\",\"IPAM\":{\"Config\":[{\"Subnet\":\"10.9.0.0/24\"}]}}"));
        harness.create("web", "sleep");
        harness.containers().start("web");
        Path file = harness.containers().inspect("web", false).files().hosts();
        Files.writeString(file, Files.readString(file) + "192.0.2.7\tmine\n");
        networks.connect("lan", "web", settings("{}"));
        assertThat(hosts("web")).contains("192.0.2.7\tmine\n", "10.9.0.2\t");
        networks.disconnect("lan", "web", false);
        assertThat(hosts("web")).endsWith("192.0.2.7\tmine\n").contains("172.17.0.2\t");
        Files.write(file, new byte[(1 << 20) + 1]);
        networks.connect("lan", "web", settings("{}"));
        assertThat(place("web", "lan").live()).as("it is in the network all the same").isPresent();
    }

    @Test
    void theHostIsReachedByBothFamiliesOfTheDefaultBridge() throws Exception {
        harness.fabric.defaultSix("fd00:9::/64");
        harness.crash();
        harness.containers().create(request("web", "{\"ExtraHosts\":[\"gate:host-gateway\"]}", "sleep"));
        harness.containers().start("web");
        assertThat(hosts("web")).contains("172.17.0.1\tgate\nfd00:9::1\tgate\n");
    }

    /// Its name and its very files, so that what comes later is seen by both.
    @Test
    void whoSharesANetworkHasTheFilesAndTheNameOfItsOwner() throws Exception {
        networks.create(network("{\"Name\":\"lan\",\"IPAM\":{\"Config\":[{\"Subnet\":\"10.9.0.0/24\"}]}}"));
        var config = ContainerConfig.parse((Json.Obj) Json.parse(
                "{\"Image\":\"app\",\"Cmd\":[\"sleep\"],\"Hostname\":\"own\",\"Domainname\":\"example.org\"}"));
        harness.containers().create(new CreateRequest("owner", "", config,
                request("x", "{}", "sleep").host(), NetworkingConfig.NONE));
        harness.containers().start("owner");
        for (var guest : List.of(List.of("guest", "owner"), List.of("second", "guest"))) {
            harness.containers().create(
                    request(guest.get(0), "{\"NetworkMode\":\"container:" + guest.get(1) + "\"}", "sleep"));
            harness.containers().start(guest.get(0));
            var names = harness.containers().inspect(guest.get(0), false).container().config().names();
            assertThat(names.host() + "." + names.domain()).isEqualTo("own.example.org");
            var spec = harness.runtime.started().getLast().spec();
            assertThat(spec.hostname()).isEqualTo("own");
            var theirs = harness.containers().inspect("owner", false).files();
            for (var file : List.of(theirs.hosts(), theirs.hostname(), theirs.resolver())) {
                assertThat(spec.mounts()).anyMatch(mount -> mount.source().equals(file.toString()));
            }
            var files = harness.containers().inspect(guest.get(0), false).files();
            assertThat(List.of(files.hosts(), files.hostname(), files.resolver()))
                    .containsExactly(theirs.hosts(), theirs.hostname(), theirs.resolver());
            assertThat(files.log()).isNotEqualTo(theirs.log());
        }
        networks.connect("lan", "owner", settings("{}"));
        assertThat(hosts("guest")).contains("10.9.0.2\town.example.org\town\n");
        for (String name : List.of("second", "guest")) {
            harness.containers().remove(name, new RemoveRequest(true, false));
        }
        assertThat(hosts("owner")).as("files of its own stay").contains("10.9.0.2\t");
    }

    private String hosts(String container) throws Exception {
        return Files.readString(harness.containers().inspect(container, false).files().hosts());
    }

    @Test
    void threeNetworksAreAlwaysThereAndStayTheSame() throws Exception {
        var before = networks.list(Filters.NONE);
        assertThat(before).extracting(NetworkDetails::name).containsExactlyInAnyOrder("bridge", "host", "none");
        harness.crash();
        networks = harness.engine.networks();
        assertThat(networks.list(Filters.NONE)).extracting(NetworkDetails::id)
                .containsExactlyInAnyOrderElementsOf(before.stream().map(NetworkDetails::id).toList());
        for (var fixed : before) {
            assertThatThrownBy(() -> networks.remove(fixed.name()))
                    .isInstanceOf(EngineException.Forbidden.class)
                    .hasMessage(fixed.name() + " is a pre-defined network and cannot be removed");
        }
    }

    @Test
    void aContainerThatNamesNoNetworkIsOnTheDefaultBridge() throws Exception {
        harness.create("web", "sleep", "9");
        assertThat(harness.containers().inspect("web", false).container().host().namespaces().network())
                .isEqualTo("bridge");
        assertThat(place("web", "bridge").live()).isEmpty();
        harness.containers().start("web");
        var live = place("web", "bridge").live().orElseThrow();
        assertThat(live.four()).get().hasToString("172.17.0.2/16");
        assertThat(live.mac()).isEqualTo("02:42:ac:11:00:02");
        String id = harness.containers().inspect("web", false).container().id();
        assertThat(hosts("web")).endsWith("172.17.0.2\t" + id.substring(0, 12) + "\n");
        assertThat(networks.inspect("bridge").members()).singleElement()
                .satisfies(member -> assertThat(member.name()).isEqualTo("web"));
        harness.containers().kill("web", "");
        EngineHarness.eventually(() -> networks.inspect("bridge").members().isEmpty());
        harness.containers().remove("web", new RemoveRequest(false, false));
        harness.assertNothingLeft();
    }

    @Test
    void networksSurviveTheEngineAndNamesAreTakenOnce() throws Exception {
        String id = networks.create(network("""
                {"Name":"app","Internal":true,"Labels":{"a":"b"},"IPAM":{"Config":[{"Subnet":"10.9.0.0/24"}]}}"""));
        assertThatThrownBy(() -> networks.create(network("{\"Name\":\"app\"}")))
                .isInstanceOf(EngineException.Conflict.class)
                .hasMessage("network with name app already exists");
        assertThatThrownBy(() -> networks.create(network("{\"Name\":\"bridge\"}")))
                .isInstanceOf(EngineException.Forbidden.class)
                .hasMessage("operation is not permitted on predefined bridge network ");
        harness.crash();
        networks = harness.engine.networks();
        var found = networks.inspect(id.substring(0, 8));
        assertThat(found.name()).isEqualTo("app");
        assertThat(found.flags().internal()).isTrue();
        assertThat(found.ipam().ranges().getFirst().subnet()).hasToString("10.9.0.0/24");
        networks.remove("app");
        assertThatThrownBy(() -> networks.inspect("app"))
                .isInstanceOf(EngineException.NotFound.class).hasMessage("network app not found");
    }

    @Test
    void aConfigurationServesOtherNetworksAndIsNoneItself() throws Exception {
        String config = "\"IPAM\":{\"Config\":[{\"Subnet\":\"10.9.0.0/24\",\"IPRange\":\"10.9.0.128/25\","
                + "\"AuxiliaryAddresses\":{\"a\":\"10.9.0.200\"}}]},\"Labels\":{\"a\":\"b\"},"
                + "\"Options\":{\"com.docker.network.driver.mtu\":\"1400\"}";
        networks.create(network("{\"Name\":\"conf\",\"ConfigOnly\":true," + config + "}"));
        networks.create(network("{\"Name\":\"same\",\"ConfigOnly\":true," + config + "}")); // takes no range
        var asked = network("{\"Name\":\"app\",\"Internal\":true,\"ConfigFrom\":{\"Network\":\"conf\"}}");
        networks.create(asked);
        harness.crash();
        networks = harness.engine.networks();
        for (String name : List.of("conf", "app")) {
            var found = networks.inspect(name);
            assertThat(found.labels()).containsEntry("a", "b");
            assertThat(found.options()).containsEntry("com.docker.network.driver.mtu", "1400");
            assertThat(found.ipam().ranges()).singleElement().satisfies(range -> {
                assertThat(range.subnet()).hasToString("10.9.0.0/24");
                assertThat(range.allocation()).get().hasToString("10.9.0.128/25");
                assertThat(range.auxiliary()).containsOnlyKeys("a");
            });
        }
        assertThat(networks.inspect("conf").flags()).isEqualTo(new NetworkDetails.Flags(false, false, false, true, ""));
        assertThat(networks.inspect("conf").driver()).isEqualTo("null");
        assertThat(networks.inspect("app").flags()).isEqualTo(new NetworkDetails.Flags(true, false, false, false, "conf"));
        assertThat(networks.inspect("app").driver()).isEqualTo("bridge");
        assertThatThrownBy(() -> networks.remove("conf")).isInstanceOf(EngineException.Forbidden.class)
                .hasMessage("configuration network \"conf\" is in use");
        harness.create("web", "sleep", "9");
        assertThatThrownBy(() -> networks.connect("conf", "web", settings("{}")))
                .isInstanceOf(EngineException.Forbidden.class)
                .hasMessageStartingWith("cannot create endpoint on configuration-only network");
        assertThatThrownBy(() -> harness.containers().create(request("no", "{\"NetworkMode\":\"conf\"}", "true")))
                .hasMessageStartingWith("cannot create endpoint on configuration-only network");
        assertThat(networks.prune(Filters.NONE)).as("configurations stay").containsExactly("app");
        networks.remove("conf");
        networks.remove("same");
        assertThatThrownBy(() -> networks.create(asked)).isInstanceOf(EngineException.NotFound.class)
                .hasMessage("configuration network \"conf\" does not exist");
    }

    @Test
    void configurationsAndSwarmsHaveTheirRules() throws Exception {
        networks.create(network("{\"Name\":\"conf\",\"ConfigOnly\":true}"));
        String own = "user specified configurations are not supported if the network depends on a configuration network";
        String operator = "configuration network can only contain network specific fields. Network operator fields like"
                + " [ ingress | internal | attachable | scope ] are not supported.";
        for (String[] refused : new String[][] {
            {"\"ConfigOnly\":true,\"ConfigFrom\":{\"Network\":\"conf\"}",
                "a configuration network cannot depend on another configuration network"},
            {"\"ConfigOnly\":true,\"Internal\":true", operator},
            {"\"ConfigOnly\":true,\"Ingress\":true", operator},
            {"\"ConfigOnly\":true,\"Scope\":\"swarm\"", operator},
            {"\"ConfigFrom\":{\"Network\":\"conf\"},\"EnableIPv6\":true", own},
            {"\"ConfigFrom\":{\"Network\":\"conf\"},\"Labels\":{\"a\":\"b\"}", own},
            {"\"ConfigFrom\":{\"Network\":\"conf\"},\"Options\":{\"a\":\"b\"}",
                "network driver options are not supported if the network depends on a configuration network"},
            {"\"Ingress\":true", "Ingress network can only be global scope network"},
            {"\"Scope\":\"swarm\"", "cannot create a swarm scoped network when swarm is not active."},
        }) {
            assertThatThrownBy(() -> networks.create(network("{\"Name\":\"no\"," + refused[0] + "}")))
                    .isInstanceOf(EngineException.Forbidden.class).hasMessage(refused[1]);
        }
        assertThat(networks.list(Filters.NONE)).extracting(NetworkDetails::name).doesNotContain("no");
    }

    @Test
    void aContainerInUseKeepsItsNetwork() throws Exception {
        networks.create(network("{\"Name\":\"app\"}"));
        harness.containers().create(request("web", "{\"NetworkMode\":\"app\"}", "sleep", "9"));
        harness.containers().start("web");
        String endpoint = place("web", "app").live().orElseThrow().endpointId();
        assertThatThrownBy(() -> networks.remove("app"))
                .isInstanceOf(EngineException.Forbidden.class)
                .hasMessage("error while removing network: network app has active endpoints (name:\"web\" id:\""
                        + endpoint.substring(0, 12) + "\")");
        assertThat(networks.prune(Filters.NONE)).isEmpty();
        harness.containers().remove("web", new RemoveRequest(true, false));
        assertThat(networks.prune(Filters.NONE)).containsExactly("app");
    }

    @Test
    void runningContainersAreConnectedAndDisconnected() throws Exception {
        var since = Instant.now();
        networks.create(network("{\"Name\":\"db\",\"IPAM\":{\"Config\":[{\"Subnet\":\"10.9.0.0/24\"}]}}"));
        harness.create("web", "sleep", "9");
        harness.containers().start("web");
        networks.connect("db", "web", settings("{\"Aliases\":[\"store\"],\"IPAMConfig\":{\"IPv4Address\":\"10.9.0.77\"}}"));
        assertThat(place("web", "db").live().orElseThrow().four()).get().hasToString("10.9.0.77/24");
        assertThat(place("web", "db").names()).startsWith("web", "store");
        assertThat(hosts("web")).contains("172.17.0.2\t").contains("10.9.0.77\t");
        assertThatThrownBy(() -> networks.connect("db", "web", settings("{}")))
                .isInstanceOf(EngineException.Forbidden.class)
                .hasMessage("endpoint with name web already exists in network db");

        assertThat(harness.actions(since, "network")).containsExactly("create", "connect", "connect");
        harness.crash();
        networks = harness.engine.networks();
        assertThat(place("web", "db").live().orElseThrow().four()).get().hasToString("10.9.0.77/24");
        networks.disconnect("bridge", "web", false);
        assertThat(hosts("web")).doesNotContain("172.17.0.2\t").contains("10.9.0.77\t");
        String id = harness.containers().inspect("web", false).container().id();
        assertThatThrownBy(() -> networks.disconnect("bridge", "web", false))
                .isInstanceOf(EngineException.Forbidden.class)
                .hasMessage("container " + id + " is not connected to network bridge");
        networks.disconnect("bridge", "gone", true);
        assertThat(harness.actions(since, "network")).contains("disconnect");
    }

    @Test
    void oneThatStartedWithoutNetworksIsConnectedWhileItRuns() throws Exception {
        networks.create(network("{\"Name\":\"lan\",\"IPAM\":{\"Config\":[{\"Subnet\":\"10.9.0.0/24\"}]}}"));
        harness.create("web", "sleep", "9");
        networks.disconnect("bridge", "web", false);
        harness.containers().start("web");
        harness.crash();
        networks = harness.engine.networks();
        networks.connect("lan", "web", settings("{}"));
        assertThat(place("web", "lan").live().orElseThrow().four()).get().hasToString("10.9.0.2/24");
        assertThat(hosts("web")).contains("10.9.0.2\t");
    }

    @Test
    void oneInNoNetworkJoinsOthersOnlyAfterItLeftThat() throws Exception {
        networks.create(network("{\"Name\":\"a\"}"));
        networks.create(network("{\"Name\":\"b\"}"));
        harness.containers().create(request("web", "{\"NetworkMode\":\"none\"}", "sleep", "9"));
        String refusal =
                "container cannot be connected to multiple networks with one of the networks in private (none) mode";
        assertThatThrownBy(() -> networks.connect("a", "web", settings("{}")))
                .isInstanceOf(EngineException.Forbidden.class).hasMessage(refusal);
        harness.containers().start("web");
        networks.disconnect("none", "web", false);
        assertThatThrownBy(() -> networks.connect("a", "web", settings("{}")))
                .isInstanceOf(EngineException.Conflict.class)
                .hasMessage("container web was started without a network and cannot be connected to a while it runs: stop"
                        + " it, connect it and start it again");
        harness.containers().kill("web", "");
        EngineHarness.eventually(() -> !harness.state("web").alive());
        harness.containers().start("web");
        networks.connect("a", "web", settings("{}"));
        networks.connect("b", "web", settings("{}"));
        assertThat(harness.containers().inspect("web", false).networks().places())
                .extracting(ContainerNetworks.Place::network).containsExactly("a", "b");
        for (String fixed : List.of("none", "host")) {
            assertThatThrownBy(() -> networks.connect(fixed, "web", settings("{}")))
                    .isInstanceOf(EngineException.Forbidden.class);
        }
    }

    @Test
    void portsArePublishedWhileOneOfItsNetworksLeadsOut() throws Exception {
        networks.create(network("{\"Name\":\"inner\",\"Internal\":true}"));
        networks.create(network("{\"Name\":\"open\"}"));
        networks.create(network("{\"Name\":\"full\",\"IPAM\":{\"Config\":[{\"Subnet\":\"10.9.0.0/30\"}]}}"));
        String host = "{\"NetworkMode\":\"inner\",\"PortBindings\":{\"80/tcp\":[{\"HostPort\":\"8080\"}]}}";
        harness.containers().create(request("web", host, "sleep", "9"));
        harness.containers().start("web");
        assertThat(published("web")).isEmpty();
        harness.containers().create(request("last", "{\"NetworkMode\":\"full\"}", "sleep", "9"));
        harness.containers().start("last");
        assertThatThrownBy(() -> networks.connect("full", "web", settings("{}")))
                .isInstanceOf(EngineException.Unavailable.class);
        assertThat(published("web")).as("a connect that failed").isEmpty();
        networks.connect("open", "web", settings("{}"));
        assertThat(published("web")).containsExactly(8080);
        networks.connect("bridge", "web", settings("{}"));
        networks.disconnect("open", "web", false);
        assertThat(published("web")).containsExactly(8080);
        networks.disconnect("bridge", "web", false);
        assertThat(published("web")).isEmpty();

        harness.containers().create(request("other",
                "{\"PortBindings\":{\"80/tcp\":[{\"HostPort\":\"8080\"}]}}", "sleep", "9"));
        harness.containers().start("other");
        assertThatThrownBy(() -> networks.connect("open", "web", settings("{}")))
                .hasMessageContaining("port is already allocated");
        assertThat(harness.containers().inspect("web", false).networks().places())
                .extracting(ContainerNetworks.Place::network).containsExactly("inner");
    }

    private List<Integer> published(String container) throws Exception {
        return harness.containers().inspect(container, false).networks().ports().stream()
                .flatMap(port -> port.bindings().stream()).map(ContainerNetworks.HostPort::number).toList();
    }

    @Test
    void aNetworkThatCannotGoKeepsNoOtherFromGoing() throws Exception {
        harness.reopen(carafe.spec.Failpoints.parse("network.gone=1*EIO->off"));
        networks = harness.engine.networks();
        networks.create(network("{\"Name\":\"a\"}"));
        networks.create(network("{\"Name\":\"b\"}"));
        assertThat(networks.prune(Filters.NONE)).containsExactly("b");
        assertThat(networks.prune(Filters.NONE)).containsExactly("a");
    }

    @Test
    void stoppedContainersRememberTheirNetworks() throws Exception {
        networks.create(network("{\"Name\":\"a\"}"));
        networks.create(network("{\"Name\":\"b\"}"));
        harness.containers().create(request("web", "{\"NetworkMode\":\"a\"}", "sleep", "9"));
        networks.connect("b", "web", settings("{}"));
        harness.crash();
        networks = harness.engine.networks();
        harness.containers().start("web");
        assertThat(harness.containers().inspect("web", false).networks().places())
                .extracting(ContainerNetworks.Place::network).containsExactly("a", "b");
        assertThat(place("web", "b").live()).isPresent();
    }

    @Test
    void severalNetworksAtOnceAndTheirContradictions() throws Exception {
        networks.create(network("{\"Name\":\"a\"}"));
        var two = new NetworkingConfig(java.util.Map.of(
                "a", (Json.Obj) Json.parse("{\"Aliases\":[\"x\"]}"), "bridge", (Json.Obj) Json.parse("{}")));
        var base = request("web", "{\"NetworkMode\":\"a\"}", "sleep", "9");
        harness.containers().create(new CreateRequest("web", "", base.config(), base.host(), two));
        assertThat(harness.containers().inspect("web", false).networks().places())
                .extracting(ContainerNetworks.Place::network).containsExactly("a", "bridge");
        refused("{\"NetworkMode\":\"host\"}", "{\"a\":{}}", "container cannot be connected to multiple networks with one of"
                + " the networks in host mode");
        refused("{}", "{\"bridge\":{\"IPAMConfig\":{\"IPv4Address\":\"172.17.0.9\"}}}", "invalid config for network bridge:"
                + " invalid endpoint settings:\nuser specified IP address is supported on user defined networks only");
        refused("{}", "{\"bridge\":{\"Aliases\":[\"x\"]}}", "invalid config for network bridge: invalid endpoint settings:\n"
                + "network-scoped alias is supported only for containers in user defined networks");
        refused("{\"NetworkMode\":\"nope\"}", "{}", "network nope not found");
        refused("{\"NetworkMode\":\"container:nope\"}", "{}", "No such container: nope");
    }

    @Test
    void whoSharesANetworkHasNothingOfTheNetworkOfItsOwn() throws Exception {
        harness.create("first", "sleep", "9");
        harness.create("third", "sleep", "9");
        String undefined = ". This would result in undefined behavior";
        String shared = "\"NetworkMode\":\"container:first\"";
        refused("{" + shared + ",\"Links\":[\"third:t\"]}", "{}",
                "conflicting options: container type network can't be used with links" + undefined);
        refused("{\"NetworkMode\":\"host\",\"Links\":[\"third:t\"]}", "{}",
                "conflicting options: host type networking can't be used with links" + undefined);
        refused("{" + shared + "}", "{\"container:first\":{\"MacAddress\":\"02:00:00:00:00:01\"}}",
                "conflicting options: mac-address and the network mode");
        for (String mode : List.of("container:first", "host")) {
            refusedConfig(mode, "\"MacAddress\":\"02:00:00:00:00:01\"",
                    "conflicting options: mac-address and the network mode");
        }
        refusedConfig("container:first", "\"ExposedPorts\":{\"80/tcp\":{}}",
                "conflicting options: port exposing and the container type network mode");
    }

    private void refusedConfig(String mode, String config, String message) throws Exception {
        var base = request("other", "{\"NetworkMode\":\"" + mode + "\"}", "true");
        var asked = ContainerConfig.parse(
                (Json.Obj) Json.parse("{\"Image\":\"" + base.config().image() + "\"," + config + "}"));
        assertThatThrownBy(() -> harness.containers().create(
                new CreateRequest("other", "", asked, base.host(), NetworkingConfig.NONE))).hasMessage(message);
    }

    private void refused(String host, String endpoints, String message) throws Exception {
        var base = request("other", host, "true");
        var networking = NetworkingConfig.parse((Json.Obj) Json.parse("{\"EndpointsConfig\":" + endpoints + "}"));
        assertThatThrownBy(() -> harness.containers().create(
                new CreateRequest("other", "", base.config(), base.host(), networking))).hasMessage(message);
    }

    @Test
    void theNetworkOfAnotherContainerIsShared() throws Exception {
        harness.create("first", "sleep", "9");
        String id = harness.containers().create(request("second", "{\"NetworkMode\":\"container:first\"}", "true")).id();
        String first = harness.containers().inspect("first", false).container().id();
        assertThatThrownBy(() -> harness.containers().start("second"))
                .isInstanceOf(EngineException.Conflict.class)
                .hasMessage("cannot join network of a non running container: " + first);
        harness.containers().start("first");
        harness.containers().start("second");
        assertThat(hosts("second")).contains("172.17.0.2\t" + first.substring(0, 12));
        assertThat(harness.containers().inspect(id, false).container().host().namespaces().network())
                .isEqualTo("container:" + first);
        assertThatThrownBy(() -> networks.connect("bridge", "second", settings("{}")))
                .isInstanceOf(EngineException.Forbidden.class);
    }

    @Test
    void filtersOfLists() throws Exception {
        networks.create(network("{\"Name\":\"app\",\"Labels\":{\"a\":\"b\"}}"));
        assertThat(names("{\"name\":[\"pp\"]}")).containsExactly("app");
        String id = networks.inspect("app").id();
        assertThat(names("{\"name\":[\"^app$\"]}")).containsExactly("app");
        assertThat(names("{\"name\":[\"^pp\",\"^br.d?ge$\"]}")).containsExactly("bridge");
        assertThat(names("{\"name\":[\"app[\"]}")).isEmpty();
        assertThat(names("{\"id\":[\"^" + id.substring(0, 12) + "\"]}")).containsExactly("app");
        assertThat(names("{\"id\":[\"" + id.substring(20, 40) + "\"]}")).containsExactly("app");
        assertThat(names("{\"id\":[\"^" + id.substring(1, 40) + "\"]}")).isEmpty();
        assertThat(names("{\"type\":[\"custom\"]}")).containsExactly("app");
        assertThat(names("{\"driver\":[\"null\"]}")).containsExactly("none");
        assertThat(names("{\"label\":[\"a=b\"]}")).containsExactly("app");
        assertThat(names("{\"dangling\":[\"true\"]}")).containsExactly("app");
        assertThat(names("{\"dangling\":[\"false\"]}")).hasSize(3);
        assertThatThrownBy(() -> names("{\"colour\":[\"red\"]}")).hasMessage("invalid filter 'colour'");
    }

    private List<String> names(String filters) throws Exception {
        return networks.list(Filters.parse(filters)).stream().map(NetworkDetails::name).toList();
    }

    /// Of the network that has its default route for IPv4: where packets come as they are, nothing is translated.
    @Test
    void aContainerInARoutedNetworkIsNotToBeReachedByTheTranslator() throws Exception {
        networks.create(network("{\"Name\":\"plain\"}"));
        networks.create(network("{\"Name\":\"routed\",\"Options\":{\"com.docker.network.bridge.gateway_mode_ipv4\":\"routed\"}}"));
        for (var name : List.of("plain", "routed")) {
            harness.containers().create(request("in-" + name, "{\"NetworkMode\":\"" + name + "\"}", "sleep", "1000"));
            harness.containers().start("in-" + name);
        }
        harness.containers().create(request("both", "{\"NetworkMode\":\"plain\"}", "sleep", "1000"));
        networks.connect("routed", "both", settings("{\"GwPriority\":1}"));
        harness.containers().start("both");
        harness.containers().create(request("even", "{\"NetworkMode\":\"routed\"}", "sleep", "1000"));
        networks.connect("plain", "even", settings("{}"));
        harness.containers().start("even"); // the name decides, not who came first
        assertThat(harness.outlets.openings).extracting(Outlets.Opening::families).containsExactly(
                new Families(true, false, true), new Families(true, false, false), new Families(true, false, false),
                new Families(true, false, true));
        for (var name : List.of("in-plain", "in-routed", "both", "even")) {
            harness.containers().remove(name, new RemoveRequest(true, false));
        }
    }

    @Test
    void portsArePublishedWhereTheirNetworkSays() throws Exception {
        String create = "{\"Name\":\"%s\",\"Options\":{\"com.docker.network.bridge.host_binding_ipv4\":\"%s\"}}";
        networks.create(network(create.formatted("own", "192.0.2.5")));
        networks.create(network(create.formatted("all", "0.0.0.0")));
        assertThatThrownBy(() -> networks.create(network(create.formatted("bad", "here"))))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessage("invalid value for com.docker.network.bridge.host_binding_ipv4: here");
        String ports = "{\"NetworkMode\":\"%s\",\"PortBindings\":{\"80/tcp\":[{\"HostPort\":\"8080\"}],"
                + "\"81/tcp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"8081\"}]}}";
        for (var name : List.of("own", "all")) {
            harness.containers().create(request("in-" + name, ports.formatted(name), "sleep", "1000"));
            harness.containers().start("in-" + name);
            harness.containers().remove("in-" + name, new RemoveRequest(true, false));
        }
        assertThat(harness.outlets.openings).map(opening -> opening.ports().stream()
                        .map(port -> port.containerPort() + " at " + port.address().map(Object::toString).orElse("all")).toList())
                .containsExactly(List.of("80 at 192.0.2.5", "81 at 127.0.0.1"), List.of("80 at all", "81 at 127.0.0.1"));
        harness.containers().create(request("both", ports.formatted("all"), "sleep", "1000"));
        harness.containers().start("both");
        networks.connect("own", "both", settings("{}"));
        assertThat(harness.outlets.published.getLast().ports()).extracting(PortRequest::address)
                .as("one more network moves nothing").containsExactly(Optional.empty(), IpAddress.find("127.0.0.1"));
        harness.containers().remove("both", new RemoveRequest(true, false));
    }

    @Test
    void newNetworksHaveTheOptionsThatTheEngineWasToldUnlessTheyAreGiven() throws Exception {
        String bind = "com.docker.network.bridge.host_binding_ipv4";
        String mtu = "com.docker.network.driver.mtu";
        String six = "com.docker.network.enable_ipv6";
        networks.create(network("{\"Name\":\"before\",\"Options\":{\"dev.carafe.bridge.kept_addresses\":\"10.1.0.1/24\"}}"));
        harness.networkDefaults = new NetworkDefaults(Map.of(
                "bridge", Map.of(bind, "127.0.0.1", mtu, "1400", six, "true"), "macvlan", Map.of(mtu, "9")));
        harness.crash();
        networks = harness.engine.networks();
        assertThat(networks.inspect("before").options()).isEmpty();
        networks.create(network("{\"Name\":\"plain\"}"));
        assertThat(networks.inspect("plain").options()).isEqualTo(Map.of(bind, "127.0.0.1", mtu, "1400", six, "true"));
        assertThat(networks.inspect("plain").families()).isEqualTo(new NetworkDetails.Families(true, true));
        networks.create(network("{\"Name\":\"own\",\"EnableIPv6\":false,\"Options\":{\"" + mtu + "\":\"1300\"}}"));
        assertThat(networks.inspect("own").options()).isEqualTo(Map.of(bind, "127.0.0.1", mtu, "1300"));
        assertThat(networks.inspect("own").families()).isEqualTo(new NetworkDetails.Families(true, false));
        assertThatThrownBy(() -> networks.create(network("{\"Name\":\"no\",\"Options\":{\"" + six + "\":\"maybe\"}}")))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessage("driver-opt \"" + six + "\" is not a valid bool: \"maybe\"; it is true or false");
        networks.create(network("{\"Name\":\"kept\",\"ConfigOnly\":true,\"Options\":{\"" + mtu + "\":\"1200\"}}"));
        harness.networkDefaults = NetworkDefaults.NONE;
        harness.crash();
        networks = harness.engine.networks();
        networks.create(network("{\"Name\":\"of-it\",\"ConfigFrom\":{\"Network\":\"kept\"}}"));
        assertThat(networks.inspect("of-it").options()).containsEntry(mtu, "1200").containsEntry(bind, "127.0.0.1");
    }
}
