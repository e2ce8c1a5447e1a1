package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/// `carafe hub verify` beside a hub that runs, and where none runs.
class HubVerifyTest {

    private static final byte[] BLOB = "a layer of somebody".getBytes(StandardCharsets.UTF_8);

    private static void push(String host, String digest) throws Exception {
        try (var http = HttpClient.newHttpClient()) {
            var put = http.send(HttpRequest.newBuilder(
                    URI.create("http://" + host + "/v2/some/app/blobs/uploads/?digest=sha256:" + digest))
                    .POST(BodyPublishers.ofByteArray(BLOB)).build(), BodyHandlers.discarding());
            assertThat(put.statusCode()).isEqualTo(201);
        }
    }

    private static Outcome verify(Path config, String... more) throws Exception {
        var words = new java.util.ArrayList<>(java.util.List.of(
                Tools.ours("carafe").toString(), "hub", "verify", "--config", config.toString()));
        words.addAll(java.util.List.of(more));
        return Command.of(words.toArray(String[]::new)).run();
    }

    @Test
    void damageIsFoundSetAsideAndHealedByAPush() throws Exception {
        try (var hub = HubUnderTest.open()) {
            String digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(BLOB));
            push(hub.host(), digest);
            Path config = hub.directory().resolve("hub.json");
            assertThat(verify(config).good().out()).isEqualTo("Verified 1 blobs and manifests, 19 bytes\n");
            Path file = hub.directory().resolve("data/content/blobs/sha256").resolve(digest);
            byte[] bytes = Files.readAllBytes(file);
            bytes[3] ^= 1;
            Files.write(file, bytes);
            String said = "damaged: blob sha256:" + digest + ": its bytes have another digest (in some/app)";
            assertThat(verify(config).endedWith(1).out()).contains(said, "1 thing is damaged; try: carafe hub verify --repair");
            assertThat(verify(config, "--repair").endedWith(1).out()).contains(said, "push again what is said above");
            assertThat(file).doesNotExist();
            push(hub.host(), digest);
            assertThat(verify(config).good().out()).contains("Verified 1 blobs");

            Path deaf = Files.writeString(hub.directory().resolve("deaf.json"), "{\"data\":\""
                    + hub.directory().resolve("data") + "\",\"listen\":[\"tcp://127.0.0.1:1\"],\"rights\":[]}");
            assertThat(verify(deaf).endedWith(1).err()).contains("is in use by another hub", "unix:///PATH");
            Path idle = Files.writeString(hub.directory().resolve("idle.json"), "{\"data\":\""
                    + hub.directory().resolve("idle") + "\",\"listen\":[\"tcp://127.0.0.1:1\"],\"rights\":[]}");
            assertThat(verify(idle).good().out()).isEqualTo("Verified 0 blobs and manifests, 0 bytes\n");
        }
    }
}
