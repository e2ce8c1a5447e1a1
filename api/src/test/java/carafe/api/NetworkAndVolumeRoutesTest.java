package carafe.api;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.engine.Engine;
import carafe.engine.NetworkDetails;
import carafe.engine.Networks;
import carafe.engine.volume.Removed;
import carafe.engine.volume.Volume;
import carafe.engine.volume.Volumes;
import carafe.http.Address;
import carafe.http.ClientRequest;
import carafe.http.HttpClient;
import carafe.http.HttpServer;
import carafe.http.Listener;
import carafe.http.ServerLimits;
import carafe.spec.EngineException.NotFound;
import carafe.spec.Json;
import carafe.spec.docker.Filters;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import carafe.spec.network.MacAddress;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// `/networks` and `/volumes` as clients of different versions see them, of an engine with one network and one volume.
@Timeout(60)
class NetworkAndVolumeRoutesTest {

    private static final Instant NOON = Instant.parse("2026-03-01T12:00:00.123456789Z");

    @TempDir
    private Path directory;

    private final List<Filters> filters = new ArrayList<>();
    private HttpServer server;
    private HttpClient client;

    private record Reply(int status, Json.Obj body) {
        String message() throws Exception {
            return body.text("message");
        }
    }

    @BeforeEach
    void start() throws Exception {
        var networks = strict(Networks.class, Map.of(
                "list", arguments -> {
                    filters.add((Filters) arguments[0]);
                    return List.of(network(List.of()));
                },
                "inspect", arguments -> {
                    if (!arguments[0].equals("lan")) {
                        throw new NotFound("network " + arguments[0] + " not found");
                    }
                    return network(List.of(new NetworkDetails.Member(
                            "c1", "web", "e1", MacAddress.parse("02:42:0a:09:00:02"),
                            Optional.of(Cidr.parseHost("10.9.0.2/24")), Optional.empty())));
                },
                "prune", arguments -> {
                    filters.add((Filters) arguments[0]);
                    return List.of();
                }));
        var volume = new Volume("data", NOON, Map.of("a", "b"), Map.of(), Path.of("/v/data/_data"));
        var volumes = strict(Volumes.class, Map.of(
                "list", arguments -> {
                    filters.add((Filters) arguments[0]);
                    return List.of(volume);
                },
                "inspect", _ -> volume,
                "prune", arguments -> {
                    filters.add((Filters) arguments[0]);
                    return new Removed(List.of("data"), 5);
                }));
        var api = new DockerApi(strict(Engine.class, Map.of("networks", _ -> networks, "volumes", _ -> volumes)),
                new Product("1.2.3", "", ""), AlsoChecked.NOTHING);
        server = HttpServer.start(List.of(Listener.unix(directory.resolve("s"), 0600, Optional.empty())),
                ServerLimits.DEFAULTS, api, api.errors());
        client = new HttpClient(new Address.Unix(directory.resolve("s")), Duration.ofSeconds(5));
    }

    @AfterEach
    void stop() {
        client.close();
        server.close(Duration.ofSeconds(5));
    }

    private interface Doing {
        Object on(Object[] arguments) throws Exception;
    }

    /// Does what is told of, hands out parts that do nothing, and fails whatever else it is asked for.
    private static <T> T strict(Class<T> type, Map<String, Doing> doings) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (_, method, arguments) -> {
            var doing = doings.get(method.getName());
            if (doing != null) {
                return doing.on(arguments);
            }
            if (type == Engine.class && method.getReturnType().isInterface()) {
                return strict(method.getReturnType(), Map.of());
            }
            throw new AssertionError("nobody was to ask for " + type.getSimpleName() + "." + method.getName());
        }));
    }

    private static NetworkDetails network(List<NetworkDetails.Member> members) throws Exception {
        return new NetworkDetails("n".repeat(64), "lan", NOON, "bridge", new NetworkDetails.Families(true, false),
                new NetworkDetails.Ipam("default", Map.of(), List.of(new NetworkDetails.Range(Cidr.parse("10.9.0.0/24"),
                        Optional.of(IpAddress.parse("10.9.0.1")), Optional.empty(), Map.of(), 3, 253))),
                new NetworkDetails.Flags(false, true, false, false, ""), Map.of("o", "p"), Map.of("l", "m"), members);
    }

    private Reply ask(String method, String path) throws Exception {
        try (var response = client.send(ClientRequest.of(method, path))) {
            byte[] body = response.body().readAllBytes();
            String text = new String(body, StandardCharsets.UTF_8).strip();
            // a list is told as the one that is in it
            String one = text.startsWith("[") ? text.substring(1, text.length() - 1) : text;
            return new Reply(response.status(), Json.parseObject(one.getBytes(StandardCharsets.UTF_8)));
        }
    }

    @Test
    void aNetworkIsToldToEachClientInTheWordsOfItsVersion() throws Exception {
        for (int minor : List.of(24, 41, 47)) {
            assertThat(ask("GET", "/v1." + minor + "/networks/lan").body().fields()).as("1.%s", minor)
                    .containsKeys("Name", "EnableIPv6", "Containers").doesNotContainKeys("EnableIPv4", "Status");
        }
        for (int minor : List.of(48, 51)) {
            var told = ask("GET", "/v1." + minor + "/networks/lan").body();
            assertThat(told.truth("EnableIPv4")).as("1.%s", minor).isTrue();
            assertThat(told.truth("EnableIPv6")).isFalse();
            assertThat(told.fields()).doesNotContainKey("Status");
        }
        var newest = ask("GET", "/v1.52/networks/lan").body();
        assertThat(newest.object("Status").print()).isEqualTo(
                "{\"IPAM\":{\"Subnets\":{\"10.9.0.0/24\":{\"IPsInUse\":3,\"DynamicIPsAvailable\":253}}}}");
        assertThat(newest.object("Containers").object("c1").print()).isEqualTo("{\"Name\":\"web\",\"EndpointID\":\"e1\","
                + "\"MacAddress\":\"02:42:0a:09:00:02\",\"IPv4Address\":\"10.9.0.2/24\",\"IPv6Address\":\"\"}");
    }

    @Test
    void aListOfNetworksHasNoStatusAndNoContainers() throws Exception {
        var newest = ask("GET", "/v1.52/networks").body();
        assertThat(newest.fields()).doesNotContainKey("Status").containsKey("EnableIPv4");
        assertThat(newest.object("Containers").fields()).isEmpty();
        assertThat(ask("GET", "/v1.47/networks").body().fields()).doesNotContainKey("EnableIPv4");
        ask("GET", "/networks?filters=%7B%22scope%22%3A%5B%22swarm%22%5D%7D");
        assertThat(filters.getLast().of("scope")).containsExactly("swarm");
    }

    @Test
    void everyNetworkIsThisHosts() throws Exception {
        assertThat(ask("GET", "/networks/lan").body().text("Scope")).isEqualTo("local");
        assertThat(ask("GET", "/networks/lan?scope=local").status()).isEqualTo(200);
        for (String scope : List.of("swarm", "global")) {
            var other = ask("GET", "/networks/lan?scope=" + scope);
            assertThat(other.status()).as(scope).isEqualTo(404);
            assertThat(other.message()).isEqualTo("network lan not found");
        }
        var wrong = ask("GET", "/networks/lan?scope=moon");
        assertThat(wrong.status()).isEqualTo(400);
        assertThat(wrong.message()).isEqualTo("invalid scope: moon");
    }

    @Test
    void aVolumeIsToldAndIsNeverUpdated() throws Exception {
        String data = "{\"CreatedAt\":\"2026-03-01T12:00:00Z\",\"Driver\":\"local\",\"Labels\":{\"a\":\"b\"},\"Mountpoint\":"
                + "\"/v/data/_data\",\"Name\":\"data\",\"Options\":null,\"Scope\":\"local\"}";
        assertThat(ask("GET", "/volumes/data").body().print()).isEqualTo(data);
        assertThat(ask("GET", "/v1.52/volumes").body().print()).isEqualTo("{\"Volumes\":[" + data + "],\"Warnings\":null}");
        var update = ask("PUT", "/v1.44/volumes/data?version=1");
        assertThat(update.status()).isEqualTo(503);
        assertThat(update.message()).isEqualTo(
                "volume update only valid for cluster volumes, but swarm is unavailable");
    }

    @Test
    void beforeVersion42APruneTakesNamedVolumesToo() throws Exception {
        String labels = "filters=%7B%22label%21%22%3A%5B%22keep%22%5D%7D";
        for (String path : List.of("/v1.41/volumes/prune", "/v1.41/volumes/prune?" + labels, "/v1.42/volumes/prune",
                "/v1.42/volumes/prune?" + labels)) {
            assertThat(ask("POST", path).body().print())
                    .isEqualTo("{\"VolumesDeleted\":[\"data\"],\"SpaceReclaimed\":5}");
            assertThat(filters.getLast().truth("all", false)).as(path).isEqualTo(path.startsWith("/v1.41"));
            assertThat(filters.getLast().of("label!")).as(path).hasSize(path.endsWith(labels) ? 1 : 0);
        }
        ask("POST", "/v1.41/volumes/prune?filters=%7B%22all%22%3A%5B%220%22%5D%7D");
        assertThat(filters.getLast().truth("all", true)).as("who says so himself").isFalse();
    }

    @Test
    void whereNoNetworkGoesTheAnswerSaysNull() throws Exception {
        assertThat(ask("POST", "/networks/prune?filters=%7B%22until%22%3A%5B%221h%22%5D%7D").body().print())
                .isEqualTo("{\"NetworksDeleted\":null}");
        assertThat(filters.getLast().of("until")).containsExactly("1h");
    }
}
