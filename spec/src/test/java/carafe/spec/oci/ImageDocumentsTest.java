package carafe.spec.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ImageDocumentsTest {

    private static final String DIGEST = "sha256:" + "ab".repeat(32);
    private static final String CONFIG = "{\"mediaType\":\"" + MediaTypes.OCI_CONFIG + "\",\"digest\":\"" + DIGEST
            + "\",\"size\":7}";
    private static final String LAYER = "{\"mediaType\":\"" + MediaTypes.OCI_LAYER_GZIP + "\",\"digest\":\"" + DIGEST
            + "\",\"size\":9}";
    private static final String MANIFEST = "{\"schemaVersion\":2,\"mediaType\":\"" + MediaTypes.OCI_MANIFEST
            + "\",\"config\":" + CONFIG + ",\"layers\":[" + LAYER + "]}";
    private static final String IMAGE = """
            {"created":"2024-05-01T10:00:00.123456789+02:00","author":"a","architecture":"arm64","variant":"v8",\
            "os":"linux","docker_version":"20.10","config":{"User":"1:2","ExposedPorts":{"80/tcp":{}},\
            "Env":["A=b"],"Entrypoint":["/e"],"Cmd":"only","Volumes":{"/data":{}},"WorkingDir":"/w",\
            "Labels":{"k":"v"},"StopSignal":"SIGINT","Healthcheck":{"Test":["CMD","true"],"Interval":1000000000,\
            "Retries":3},"OnBuild":["RUN x"],"Shell":["/bin/bash","-c"],"ArgsEscaped":true},\
            "rootfs":{"type":"layers","diff_ids":["%s"]},\
            "history":[{"created_by":"x","comment":"c"},{"empty_layer":true}]}""".formatted(DIGEST);

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void manifestsAreReadAndPrintedTheSame() throws Exception {
        var manifest = Manifest.parse(bytes(MANIFEST));
        assertThat(manifest.layers()).hasSize(1);
        assertThat(manifest.toJson().print()).isEqualTo(MANIFEST);
    }

    @Test
    void dockersExtraFieldsAreKept() throws Exception {
        var config = ImageConfig.parse(bytes(IMAGE));
        assertThat(config.created()).contains(Instant.parse("2024-05-01T08:00:00.123456789Z"));
        assertThat(config.run().cmd()).containsExactly("only");
        assertThat(config.run().healthcheck().orElseThrow().interval()).isEqualTo(Duration.ofSeconds(1));
        assertThat(config.run().healthcheck().orElseThrow().retries()).isEqualTo(3);
        assertThat(config.run().onBuild()).containsExactly("RUN x");
        assertThat(config.run().shell()).containsExactly("/bin/bash", "-c");
        assertThat(config.run().argsEscaped()).isTrue();
        assertThat(config.run().stopSignal()).isEqualTo("SIGINT");
        assertThat(config.platform()).hasToString("linux/arm64/v8");
        assertThat(ImageConfig.parse(config.toJson().printBytes())).isEqualTo(config);
    }

    @Test
    void nobodyCanBeShownTwoFacesOfOneDocument() {
        assertThatThrownBy(() -> Manifest.parse(bytes(MANIFEST.replace("\"config\"", "\"manifests\":[],\"config\""))))
                .hasMessageContaining("ambiguous");
        assertThatThrownBy(() -> Index.parse(bytes("{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}")))
                .hasMessageContaining("ambiguous");
        assertThatThrownBy(() -> Index.parse(bytes(MANIFEST))).hasMessageContaining("not an image index");
        assertThatThrownBy(() -> Manifest.parse(bytes(MANIFEST.replace(MediaTypes.OCI_MANIFEST, MediaTypes.OCI_INDEX))))
                .hasMessageContaining("not an image manifest");
        assertThatThrownBy(() -> Manifest.parse(bytes(MANIFEST.replace("schemaVersion\":2", "schemaVersion\":1"))))
                .hasMessage("unsupported manifest schema version 1");
    }

    @Test
    void sizesAndDigestsAreStrict() {
        for (String wrong : new String[] {"-1", "1.5", "9223372036854775808", "\"7\"", "null"}) {
            assertThatThrownBy(() -> Manifest.parse(bytes(MANIFEST.replace("\"size\":7", "\"size\":" + wrong))))
                    .as(wrong).isInstanceOf(EngineException.Invalid.class);
        }
        assertThatThrownBy(() -> Manifest.parse(bytes(MANIFEST.replace(DIGEST, "sha256:../../etc/passwd"))))
                .isInstanceOf(EngineException.Invalid.class);
        assertThatThrownBy(() -> Digest.parse("sha256:" + "AB".repeat(32)))
                .hasMessage("invalid checksum digest format");
        assertThatThrownBy(() -> Digest.parse("sha256")).hasMessage("invalid checksum digest format");
        assertThatThrownBy(() -> Digest.parse("sha1:" + "ab".repeat(20))).hasMessage("unsupported digest algorithm");
    }

    @Test
    void countsAreBounded() {
        String layers = (LAYER + ",").repeat(Manifest.MAX_LAYERS + 1);
        assertThatThrownBy(() -> Manifest.parse(bytes(MANIFEST.replace(LAYER,
                layers.substring(0, layers.length() - 1))))).hasMessageContaining("501 layers");
        assertThatThrownBy(() -> Manifest.parse(new byte[Manifest.MAX_BYTES + 1])).hasMessageContaining("larger than");
        assertThatThrownBy(() -> ImageConfig.parse(new byte[ImageConfig.MAX_BYTES + 1]))
                .hasMessageContaining("larger than");
    }

    @Test
    void digestsOfBothAlgorithmsAreKnown() throws Exception {
        byte[] nothing = {};
        assertThat(Digest.sha256(nothing)).hasToString(
                "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        var sha512 = Digest.finish(Digest.Algorithm.SHA512, Digest.Algorithm.SHA512.hasher().digest(nothing));
        assertThat(Digest.parse(sha512.toString())).isEqualTo(sha512);
        assertThat(sha512.matches(nothing)).isTrue();
        assertThat(sha512.matches(new byte[1])).isFalse();
    }

    @Test
    void platformsOfManyNamesAreOne() throws Exception {
        assertThat(Platform.parse("linux/x86_64")).isEqualTo(Platform.of("linux", "amd64"));
        assertThat(Platform.parse("arm64")).isEqualTo(Platform.parse("linux/aarch64/v8"));
        assertThat(Platform.parse("linux/arm/v6").runsOn(Platform.parse("linux/arm/v7"))).isTrue();
        assertThat(Platform.parse("linux/arm/v7").runsOn(Platform.parse("linux/arm/v6"))).isFalse();
        assertThat(Platform.parse("linux/amd64").runsOn(Platform.parse("linux/arm64"))).isFalse();
        assertThatThrownBy(() -> Platform.parse("a/b/c/d")).isInstanceOf(EngineException.Invalid.class);
        assertThatThrownBy(() -> Platform.parse("a/../b")).isInstanceOf(EngineException.Invalid.class);
    }

    @Test
    void anyDamageIsReadOrRefusedAsInvalid() {
        long seed = Long.getLong("seed", 1L);
        var random = new Random(seed);
        for (int i = 0; i < 30_000; i++) {
            byte[] document = bytes(i % 2 == 0 ? MANIFEST : IMAGE);
            for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
                document[random.nextInt(document.length)] = (byte) (random.nextBoolean() ? random.nextInt(256)
                        : "{}[]\",:0-\\u".charAt(random.nextInt(11)));
            }
            try {
                if (i % 2 == 0) {
                    Manifest.parse(document).toJson().printBytes();
                } else {
                    Json.parse(ImageConfig.parse(document).toJson().printBytes());
                }
            } catch (EngineException.Invalid e) {
                assertThat(e.getMessage()).as("seed %d", seed).isNotBlank();
            }
        }
    }
}
