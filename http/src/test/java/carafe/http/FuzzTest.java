package carafe.http;

import static carafe.http.TestServer.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Both parsers against damaged messages: they answer or throw IOException, and always end.
/// Another seed: `-Dcarafe.fuzz.seed=N`, more rounds: `-Dcarafe.fuzz.rounds=N`.
@Timeout(60)
class FuzzTest {

    private static final long SEED = Long.getLong("carafe.fuzz.seed", 20_261);
    private static final int ROUNDS = Integer.getInteger("carafe.fuzz.rounds", 20_000);

    private static final List<String> RESPONSES = List.of(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nA: b\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
            "HTTP/1.0 200 OK\r\n\r\nuntil the end",
            "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nraw");

    private static final List<String> REQUESTS = List.of(
            "GET /v1.41/containers/json?all=1&filters=%7B%7D HTTP/1.1\r\nHost: api.moby.localhost\r\n\r\n",
            "POST /exec HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: h\r\n\r\n",
            "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n",
            "POST /up HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nearly",
            "PUT /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc");

    private static final String SPICE = "\r\n\0 :;,=?%/09afAF\t-+\u007f\u00ff";

    @Test
    void theClientSurvivesAnyAnswer() {
        var random = new Random(SEED);
        int whole = 0;
        for (int round = 0; round < ROUNDS; round++) {
            byte[] script = damaged(RESPONSES.get(random.nextInt(RESPONSES.size())), random);
            var nowhere = new Address.Unix(Path.of("/nowhere"));
            try (var client = new HttpClient(nowhere, Duration.ofSeconds(1))) {
                var dialler = new Connector(nowhere, Duration.ofSeconds(1));
                var connection = new ClientConnection(client, dialler, new ScriptedWire(script, random));
                boolean upgrade = random.nextBoolean();
                var request = ClientRequest.get("/");
                var answer = upgrade
                        ? connection.upgrade(request, "tcp", new TransferBuffers(1))
                        : new Upgraded.Refused(connection.send(request));
                byte[] body = switch (answer) {
                    case Upgraded.Switched switched -> switched.stream().input().readAllBytes();
                    case Upgraded.Refused refused -> refused.response().readBody(1000);
                };
                assertThat(body.length).as("seed %d round %d", SEED, round).isLessThanOrEqualTo(script.length);
                whole++;
            } catch (IOException e) {
                assertThat(e.getMessage()).as("seed %d round %d", SEED, round).isNotEmpty();
            }
        }
        assertThat(whole).as("undamaged enough to be read").isBetween(ROUNDS / 20, ROUNDS * 19 / 20);
    }

    @Test
    void theServerSurvivesAnyRequest() throws IOException {
        var random = new Random(SEED);
        var handled = new AtomicInteger();
        Handler handler = exchange -> {
            handled.incrementAndGet();
            exchange.segments();
            exchange.query();
            if (exchange.upgradeProtocol().isPresent()) {
                exchange.upgrade(Headers.NONE).input().readAllBytes();
            } else {
                exchange.respond(200, Headers.NONE, exchange.readBody(1000));
            }
        };
        var failures = new AtomicInteger();
        ErrorMapper errors = cause -> {
            failures.addAndGet(cause instanceof IOException ? 0 : 1);
            return new Answer(400, Headers.NONE, bytes("no"));
        };
        var service = new Service(
                ServerLimits.DEFAULTS, handler, errors, new ResponseHead(), new TransferBuffers(1));
        var connections = new Connections(ServerLimits.DEFAULTS);
        try (var unused = SocketChannel.open()) {
            for (int round = 0; round < ROUNDS; round++) {
                byte[] script = damaged(REQUESTS.get(random.nextInt(REQUESTS.size())), random);
                new Connection(unused, new ScriptedWire(script, random), service, connections).run();
                assertThat(failures.get()).as("seed %d round %d", SEED, round).isZero();
            }
        }
        assertThat(handled.get()).isBetween(ROUNDS / 20, ROUNDS * 39 / 20);
    }

    @Test
    void keysSurviveAnyDamage() {
        var random = new Random(SEED);
        String pem = """
                -----BEGIN EC PRIVATE KEY-----
                MHcCAQEEIBkg4LVWM9nuwNSk3yByxZpYRTBnVJk0jFqm3LTGhPmKoAoGCCqGSM49
                AwEHoUQDQgAEu5KDXjlwRJjvBVXFN5z1jsvnQTUl1FVbiHUpCsTyMfMxNpJjFaYV
                -----END EC PRIVATE KEY-----
                -----BEGIN CERTIFICATE-----
                MIIBszCCAVmgAwIBAgIUBz
                -----END CERTIFICATE-----
                """;
        for (int round = 0; round < ROUNDS / 4; round++) {
            String text = new String(damaged(pem, random), StandardCharsets.ISO_8859_1);
            for (boolean key : new boolean[] {true, false}) {
                try {
                    var parsed = Pem.parse("x", text);
                    assertThat(key ? parsed.privateKey() : parsed.certificates()).isNotNull();
                } catch (IOException e) {
                    assertThat(e.getMessage()).as("seed %d round %d", SEED, round).startsWith("x holds ");
                }
            }
        }
    }

    /// Up to four bytes replaced, dropped, doubled or inserted, or the end cut off; sometimes nothing.
    private static byte[] damaged(String message, Random random) {
        var text = new StringBuilder(message);
        for (int damages = random.nextInt(5); damages > 0 && !text.isEmpty(); damages--) {
            int at = random.nextInt(text.length());
            char spice = SPICE.charAt(random.nextInt(SPICE.length()));
            switch (random.nextInt(6)) {
                case 0 -> text.setCharAt(at, spice);
                case 1 -> text.deleteCharAt(at);
                case 2 -> text.insert(at, text.charAt(at));
                case 3 -> text.insert(at, spice);
                case 4 -> text.insert(at, text.substring(random.nextInt(at + 1), at));
                default -> text.setLength(at);
            }
        }
        return bytes(text.toString());
    }
}
