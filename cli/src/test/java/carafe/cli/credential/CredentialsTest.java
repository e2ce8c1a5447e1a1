package carafe.cli.credential;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.cli.session.Programs;
import carafe.cli.session.TestSession;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import org.junit.jupiter.api.Test;

/// The caller's logins, in his file and with helpers.
class CredentialsTest {

    private static final Path FILE = Path.of("/home/user/.docker/config.json");

    private final TestSession caller = new TestSession();
    private final Credentials credentials = new Credentials(caller.session(), Path.of("/home/user/.docker"));

    private String file() {
        return new String(caller.files.getOrDefault(FILE, new byte[0]), StandardCharsets.UTF_8);
    }

    @Test
    void aLoginIsKeptBesideWhatElseIsInTheFile() throws Exception {
        caller.file(".docker/config.json", "{\"psFormat\":\"x\",\"auths\":{\"other:1\":{\"auth\":\"YTpi\"}}}");
        credentials.put("host:5000", new Credentials.Login("ann", "sec:ret", false));
        assertThat(file()).contains("\"psFormat\"", "\"other:1\"", "YW5uOnNlYzpyZXQ=");
        assertThat(credentials.get("host:5000")).isEqualTo(new Credentials.Login("ann", "sec:ret", false));
        assertThat(credentials.get("other:1")).isEqualTo(new Credentials.Login("a", "b", false));
        assertThat(credentials.get("third")).isEqualTo(Credentials.Login.NONE);
        assertThat(credentials.erase("host:5000")).isTrue();
        assertThat(credentials.erase("host:5000")).isFalse();
        assertThat(file()).contains("\"psFormat\"", "\"other:1\"").doesNotContain("host:5000");
    }

    @Test
    void oneRegistryHasManyNames() throws Exception {
        for (String hub : new String[] {"", "docker.io", "https://index.docker.io/v1/", "registry-1.docker.io"}) {
            assertThat(Credentials.key(hub)).isEqualTo(Credentials.HUB);
        }
        caller.file(".docker/config.json", "{\"auths\":{\"https://host:5000/v1/\":{\"auth\":\"YTpi\"}}}");
        assertThat(credentials.get(Credentials.key("host:5000")).username()).isEqualTo("a");
    }

    @Test
    void anIdentityTokenStandsInForThePassword() throws Exception {
        credentials.put("host", new Credentials.Login("ann", "token", true));
        assertThat(credentials.get("host")).isEqualTo(new Credentials.Login("ann", "token", true));
        String header = new String(Base64.getUrlDecoder().decode(credentials.header("host")));
        assertThat(header).isEqualTo("{\"username\":\"ann\",\"identitytoken\":\"token\",\"serveraddress\":\"host\"}");
        assertThat(new String(Base64.getUrlDecoder().decode(credentials.header("stranger")))).isEqualTo("{}");
    }

    @Test
    void aHelperIsSpokenToByItsProtocol() throws Exception {
        caller.file(".docker/config.json", "{\"credsStore\":\"all\",\"credHelpers\":{\"host\":\"one\"}}");
        caller.programs.add(new Programs.Outcome(0, "{\"ServerURL\":\"host\",\"Username\":\"ann\",\"Secret\":\"s\"}"));
        caller.programs.add(new Programs.Outcome(1, "credentials not found in native keychain\n"));
        caller.programs.add(new Programs.Outcome(0, "{\"Username\":\"<token>\",\"Secret\":\"t\"}"));
        caller.programs.add(new Programs.Outcome(0, ""));
        caller.programs.add(new Programs.Outcome(0, ""));
        assertThat(credentials.get("host")).isEqualTo(new Credentials.Login("ann", "s", false));
        assertThat(credentials.get("other")).isEqualTo(Credentials.Login.NONE);
        assertThat(credentials.get("other")).isEqualTo(new Credentials.Login("", "t", true));
        credentials.put("host", new Credentials.Login("ann", "s", false));
        assertThat(credentials.erase("host")).isTrue();
        assertThat(caller.ran).containsExactly("docker-credential-one get < host", "docker-credential-all get < other",
                "docker-credential-all get < other",
                "docker-credential-one store < {\"ServerURL\":\"host\",\"Username\":\"ann\",\"Secret\":\"s\"}",
                "docker-credential-one erase < host");
        assertThat(file()).doesNotContain("\"s\"", "ann");
    }

    @Test
    void aHelperThatFailsOrIsAPathIsNamed() {
        caller.file(".docker/config.json", "{\"credsStore\":\"x\"}");
        caller.programs.add(new Programs.Outcome(2, "keychain is locked"));
        assertThatThrownBy(() -> credentials.get("host"))
                .hasMessage("error getting credentials: docker-credential-x ended with 2: keychain is locked");
        caller.file(".docker/config.json", "{\"credsStore\":\"../../evil\"}");
        assertThatThrownBy(() -> credentials.get("host")).hasMessageContaining("is no name of a credential helper");
        assertThat(caller.ran).hasSize(1);
    }

    @Test
    void aBrokenFileIsNamedAndASecretNeverPrinted() {
        caller.file(".docker/config.json", "{\"auths\":");
        assertThatThrownBy(() -> credentials.get("host")).hasMessageStartingWith("error parsing " + FILE);
        assertThat(new Credentials.Login("ann", "secret", false).toString()).doesNotContain("secret");
    }
}
