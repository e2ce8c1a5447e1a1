package carafe.hub;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.http.Address;
import carafe.http.Answer;
import carafe.http.Headers;
import carafe.http.HttpServer;
import carafe.http.Listener;
import carafe.http.ServerLimits;
import carafe.spec.Json;
import carafe.spec.oci.Digest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Events reach an endpoint that fails at first, signed, and only those it wants.
@Timeout(120)
class WebhookTest {

    private static final String CONFIG = "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}";

    @TempDir
    private Path directory;

    private record Post(Headers headers, byte[] body) {}

    @Test
    void eventsArriveInOrderAfterFailuresAndSigned() throws Exception {
        BlockingQueue<Post> posts = new LinkedBlockingQueue<>();
        var failures = new AtomicInteger(2);
        try (var endpoint = HttpServer.start(
                List.of(Listener.at(new Address.Tcp("127.0.0.1", 0, Optional.empty()))), ServerLimits.DEFAULTS,
                exchange -> {
                    byte[] body = exchange.readBody(1 << 20);
                    if (failures.getAndDecrement() > 0) {
                        exchange.respond(500, Headers.NONE, new byte[0]);
                        return;
                    }
                    posts.add(new Post(exchange.headers(), body));
                    exchange.respond(200, Headers.NONE, new byte[0]);
                },
                _ -> new Answer(500, Headers.NONE, new byte[0]))) {
            int port = ((Address.Tcp) endpoint.addresses().getFirst()).port();
            Path secret = Files.writeString(directory.resolve("secret"), "s3cret\n");
            try (var hub = new TestHub(directory)
                    .with("webhooks", "[{\"url\":\"http://127.0.0.1:" + port + "/hook?x=1\",\"actions\":[\"push\",\"delete\"],"
                            + "\"namespace\":\"team/**\",\"secret-file\":\"" + secret + "\"}]").start();
                    var registry = Registry.of(hub)) {
                registry.pushImage("other/app", "v", CONFIG, "layer");
                byte[] manifest = registry.pushImage("team/app", "v1", CONFIG, "layer");
                registry.get("/v2/team/app/manifests/v1");
                registry.delete("/v2/team/app/manifests/v1");

                var pushed = event(posts, "s3cret");
                assertThat(pushed.text("action")).isEqualTo("push");
                assertThat(pushed.object("target").text("repository")).isEqualTo("team/app");
                assertThat(pushed.object("target").text("tag")).isEqualTo("v1");
                assertThat(pushed.object("target").text("digest")).isEqualTo(Digest.sha256(manifest).toString());
                assertThat(pushed.object("actor").text("name")).isEqualTo("anonymous");
                assertThat(event(posts, "s3cret").text("action")).isEqualTo("delete");
                assertThat(registry.get("/metrics").text())
                        .contains("carafe_hub_events_total{action=\"push\"} 2")
                        .contains("carafe_hub_requests_total{kind=\"manifest\",method=\"GET\",status=\"200\"}");
            }
        }
    }

    private static Json.Obj event(BlockingQueue<Post> posts, String secret) throws Exception {
        var post = posts.poll(60, TimeUnit.SECONDS);
        assertThat(post).isNotNull();
        var mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
        assertThat(post.headers().first("X-Carafe-Signature").orElse(""))
                .isEqualTo("sha256=" + HexFormat.of().formatHex(mac.doFinal(post.body())));
        assertThat(post.headers().first("Content-Type").orElse("")).contains("docker.distribution.events");
        return Json.parseObject(post.body()).objects("events").getFirst();
    }
}
