package carafe.api;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.engine.ContainerDetails;
import carafe.engine.ContainerNetworks;
import carafe.engine.ContainerSnapshot;
import carafe.engine.ContainerSummary;
import carafe.engine.State;
import carafe.spec.Json;
import carafe.spec.docker.ContainerConfig;
import carafe.spec.docker.EndpointSettings;
import carafe.spec.docker.HostConfig;
import carafe.spec.docker.NetworkingConfig;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ContainerMessagesTest {

    private static final Instant NOON = Instant.parse("2026-01-02T12:00:00.120Z");
    private static final State.Exited OUT_OF_MEMORY =
            new State.Exited(137, true, NOON, NOON.plusSeconds(1), Optional.empty());

    @Test
    void aListLineHasWhatClientsRead() throws Exception {
        var line = new ContainerSummary(container(new State.Running(7, NOON)), "busybox", "Up 3 minutes", List.of(),
                none(), Optional.empty());
        assertThat(ContainerMessages.summary(line).print())
                .isEqualTo("{\"Id\":\"" + "a".repeat(64) + "\",\"Names\":[\"/web\"],\"Image\":\"busybox\","
                        + "\"ImageID\":\"sha256:1\",\"Command\":\"sh -c 'sleep 1'\",\"Created\":1767355200,\"Ports\":[],"
                        + "\"Labels\":{\"k\":\"v\"},\"State\":\"running\",\"Status\":\"Up 3 minutes\","
                        + "\"HostConfig\":{\"NetworkMode\":\"none\"},\"NetworkSettings\":{\"Networks\":{\"none\":{"
                        + "\"IPAMConfig\":null,\"Links\":null,\"Aliases\":null,\"MacAddress\":\"\",\"DriverOpts\":null,"
                        + "\"GwPriority\":0,\"NetworkID\":\"\",\"EndpointID\":\"\",\"Gateway\":\"\",\"IPAddress\":\"\","
                        + "\"IPPrefixLen\":0,\"IPv6Gateway\":\"\",\"GlobalIPv6Address\":\"\",\"GlobalIPv6PrefixLen\":0,"
                        + "\"DNSNames\":null}}},\"Mounts\":[]}");
    }

    @Test
    void sizesAreThereOnlyWhenAskedFor() throws Exception {
        var sized = new ContainerSummary(container(new State.Created(Optional.empty())), "busybox", "Created",
                List.of(), none(), Optional.of(new ContainerDetails.Size(5, 10)));
        assertThat(ContainerMessages.summary(sized).print()).contains("\"SizeRw\":5,\"SizeRootFs\":10");
    }

    @Test
    void inspectTellsEachStateInDockersFields() throws Exception {
        assertThat(state(new State.Created(Optional.empty())))
                .isEqualTo("{\"Status\":\"created\",\"Running\":false,\"Paused\":false,\"Restarting\":false,"
                        + "\"OOMKilled\":false,\"Dead\":false,\"Pid\":0,\"ExitCode\":0,\"Error\":\"\","
                        + "\"StartedAt\":\"0001-01-01T00:00:00Z\",\"FinishedAt\":\"0001-01-01T00:00:00Z\"}");
        assertThat(state(new State.Paused(new State.Running(7, NOON))))
                .contains("\"Status\":\"paused\",\"Running\":true,\"Paused\":true")
                .contains("\"Pid\":7")
                .contains("\"StartedAt\":\"2026-01-02T12:00:00.12Z\"");
        assertThat(state(OUT_OF_MEMORY))
                .contains("\"Status\":\"exited\",\"Running\":false")
                .contains("\"OOMKilled\":true")
                .contains("\"ExitCode\":137")
                .contains("\"FinishedAt\":\"2026-01-02T12:00:01.12Z\"");
        assertThat(state(new State.Created(Optional.of(new State.Failure(127, "no such file")))))
                .contains("\"Status\":\"created\"")
                .contains("\"ExitCode\":127,\"Error\":\"no such file\"");
        assertThat(state(new State.Restarting(OUT_OF_MEMORY, NOON)))
                .contains("\"Status\":\"restarting\",\"Running\":true,\"Paused\":false,\"Restarting\":true")
                .contains("\"ExitCode\":137");
    }

    private static String state(State state) throws Exception {
        var files = new ContainerDetails.Files(Path.of("/l"), Path.of("/h"), Path.of("/n"), Path.of("/r"));
        var details = new ContainerDetails(container(state), files, List.of(), List.of(), Map.of(), Optional.empty(),
                "overlay", "", none());
        return ((Json.Obj) ContainerMessages.details(details, ApiVersion.CURRENT)).object("State").print();
    }

    private static ContainerNetworks none() throws Exception {
        var settings = EndpointSettings.parse(Json.object().build());
        return new ContainerNetworks("", "", List.of(
                new ContainerNetworks.Place("none", "", settings, Optional.empty(), List.of())), List.of());
    }

    @Test
    void aPlaceOnTheDefaultBridgeIsRepeatedAtTheTopForOldClients() throws Exception {
        var settings = EndpointSettings.parse((Json.Obj) Json.parse("{\"Aliases\":[\"db\"]}"));
        var networks = new ContainerNetworks("sandbox", "/key", List.of(new ContainerNetworks.Place("bridge", "n1", settings,
                Optional.of(new ContainerNetworks.Live("e1", "02:42:ac:11:00:02",
                        Optional.of(Cidr.parseHost("172.17.0.2/16")), Optional.empty(),
                        Optional.of(IpAddress.parse("172.17.0.1")), Optional.empty())), List.of("web", "db"))), List.of());
        String old = NetworkMessages.settings(networks, ApiVersion.parse("1.41")).print();
        assertThat(old).contains("\"SandboxID\":\"sandbox\",\"SandboxKey\":\"/key\"")
                .contains("\"EndpointID\":\"e1\",\"Gateway\":\"172.17.0.1\",\"GlobalIPv6Address\":\"\","
                        + "\"GlobalIPv6PrefixLen\":0,\"IPAddress\":\"172.17.0.2\",\"IPPrefixLen\":16,\"IPv6Gateway\":\"\","
                        + "\"MacAddress\":\"02:42:ac:11:00:02\",\"Networks\":{\"bridge\":{")
                .contains("\"Aliases\":[\"db\"],\"MacAddress\":\"02:42:ac:11:00:02\"")
                .endsWith("\"DNSNames\":[\"web\",\"db\"]}}}");
        assertThat(NetworkMessages.settings(networks, ApiVersion.parse("1.52")).print())
                .doesNotContain("SecondaryIPAddresses").contains("\"IPAddress\":\"172.17.0.2\"");
    }

    @Test
    void oldClientsFindTheShortIdAmongTheAliases() throws Exception {
        var settings = EndpointSettings.parse((Json.Obj) Json.parse("{\"Aliases\":[\"db\"]}"));
        var networks = new ContainerNetworks("", "", List.of(
                new ContainerNetworks.Place("lan", "n1", settings, Optional.empty(), List.of("web", "db", "aaaaaaaaaaaa", "box")),
                new ContainerNetworks.Place("bridge", "n2", settings, Optional.empty(), List.of())), List.of());
        assertThat(NetworkMessages.settings(networks, ApiVersion.parse("1.44")).print())
                .contains("\"Aliases\":[\"db\",\"aaaaaaaaaaaa\",\"box\"]").contains("\"Aliases\":[\"db\"]");
        assertThat(NetworkMessages.settings(networks, ApiVersion.parse("1.45")).print())
                .contains("\"Aliases\":[\"db\"]").doesNotContain("\"Aliases\":[\"db\",");
    }

    private static ContainerSnapshot container(State state) throws Exception {
        var config = (Json.Obj) Json.parse("{\"Image\":\"busybox\",\"Labels\":{\"k\":\"v\"}}");
        var host = (Json.Obj) Json.parse("{\"NetworkMode\":\"none\"}");
        return new ContainerSnapshot("a".repeat(64), "web", NOON,
                new ContainerSnapshot.Image("busybox", "sha256:1", "linux"), List.of("sh", "-c", "sleep 1"),
                ContainerConfig.parse(config), HostConfig.parse(host), NetworkingConfig.NONE, state,
                new ContainerSnapshot.Restarts(0, false, false));
    }
}
