package carafe.spec.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReferenceTest {

    private static final String HEX = "0123456789abcdef".repeat(4);

    @ParameterizedTest
    @CsvSource({
        "busybox, docker.io/library/busybox, busybox",
        "busybox:1.36, docker.io/library/busybox:1.36, busybox:1.36",
        "user/app, docker.io/user/app, user/app",
        "docker.io/busybox, docker.io/library/busybox, busybox",
        "index.docker.io/library/busybox, docker.io/library/busybox, busybox",
        "docker.io/library/user/app, docker.io/library/user/app, library/user/app",
        "localhost/app, localhost/app, localhost/app",
        "localhost:5000/app:x, localhost:5000/app:x, localhost:5000/app:x",
        "Host/app, Host/app, Host/app",
        "reg.example.com/a/b/c:v1, reg.example.com/a/b/c:v1, reg.example.com/a/b/c:v1",
        "[::1]:5000/app, [::1]:5000/app, [::1]:5000/app",
        "a__b/c-d.e_f, docker.io/a__b/c-d.e_f, a__b/c-d.e_f",
        "a--b, docker.io/library/a--b, a--b",
    })
    void fillsInWhatPeopleLeaveOutAndLeavesItOutAgain(String text, String full, String familiar) throws Exception {
        var reference = Reference.parse(text);
        assertThat(reference).hasToString(full);
        assertThat(reference.familiar()).isEqualTo(familiar);
        assertThat(Reference.parse(familiar)).isEqualTo(reference);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ":tag", "a b", "-a", "a-", "a..b", "a___b", "a/", "/a", "a//b", "a:", "a:-x", "a@",
        "a@x", "a@sha256:12", "a:b:c", "a:" + "x", "http://a", "a:x y", "é"})
    void refusesWhatIsNoReference(String text) throws Exception {
        if (text.equals("a:x")) { // the one good one shows that the others fail for their own reasons
            assertThat(Reference.parse(text).tag()).contains("x");
            return;
        }
        assertThatThrownBy(() -> Reference.parse(text)).isInstanceOf(EngineException.Invalid.class)
                .hasMessage("invalid reference format");
    }

    @Test
    void saysWhatDockerSays() {
        assertThatThrownBy(() -> Reference.parse(HEX))
                .hasMessage("invalid repository name (" + HEX + "), cannot specify 64-byte hexadecimal strings");
        assertThatThrownBy(() -> Reference.parse("Busybox")).hasMessage(
                "invalid reference format: repository name (library/Busybox) must be lowercase");
        assertThatThrownBy(() -> Reference.parse("docker.io/User/app:x")).hasMessage(
                "invalid reference format: repository name (User/app) must be lowercase");
        assertThatThrownBy(() -> Reference.parse("x/" + "a".repeat(256))).hasMessage(
                "repository name must not be more than 255 characters");
        assertThatThrownBy(() -> Reference.parse("a@md5:" + "a".repeat(32))).hasMessage("unsupported digest algorithm");
        assertThatThrownBy(() -> Reference.parse("a@sha256:" + "a".repeat(63)))
                .hasMessage("invalid checksum digest length");
        assertThatThrownBy(() -> Reference.parse("a").withTag("x y")).hasMessage("invalid tag format");
    }

    @Test
    void tagsAreAtMost128Characters() throws Exception {
        assertThat(Reference.parse("a:" + "x".repeat(128)).tag().orElseThrow()).hasSize(128);
        assertThatThrownBy(() -> Reference.parse("a:" + "x".repeat(129))).hasMessage("invalid reference format");
    }

    @Test
    void digestsAndTagsMayComeTogether() throws Exception {
        var both = Reference.parse("app:1@sha256:" + HEX);
        assertThat(both.tag()).contains("1");
        assertThat(both.digest().orElseThrow().hex()).isEqualTo(HEX);
        assertThat(both.withDefaultTag()).isEqualTo(both);
        assertThat(Reference.parse("app").withDefaultTag().familiar()).isEqualTo("app:latest");
        assertThat(both.withDigest(both.digest().orElseThrow()).familiar()).isEqualTo("app@sha256:" + HEX);
    }

    @Test
    void hostileLengthsCostNothing() {
        for (String evil : new String[] {"a".repeat(1_000_000), "a-".repeat(500) + "!", "a/".repeat(500) + "!",
            "a.".repeat(510) + "/!", "[" + ":".repeat(1000)}) {
            assertThatThrownBy(() -> Reference.parse(evil)).isInstanceOf(EngineException.Invalid.class);
        }
    }

    @Test
    void anyTextIsParsedToItselfOrRefused() {
        long seed = Long.getLong("seed", 1L);
        var random = new Random(seed);
        String alphabet = "abz09AZ._-:/@[]sha256 é\0";
        for (int i = 0; i < 100_000; i++) {
            var text = new StringBuilder();
            for (int length = random.nextInt(24); length > 0; length--) {
                text.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            try {
                var reference = Reference.parse(text.toString());
                assertThat(Reference.parse(reference.toString())).as("seed %d: %s", seed, text).isEqualTo(reference);
                assertThat(Reference.parse(reference.familiar())).as("seed %d: %s", seed, text).isEqualTo(reference);
            } catch (EngineException.Invalid e) {
                assertThat(e.getMessage()).isNotBlank();
            }
        }
    }
}
