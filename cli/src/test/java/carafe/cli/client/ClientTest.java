package carafe.cli.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.cli.session.TestSession;
import carafe.http.Address;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ClientTest {

    private static final Endpoints.Tls NO_TLS = new Endpoints.Tls(false, false, "", "", "");
    private final TestSession caller = new TestSession();

    private Endpoint chosen(String context, String... hosts) throws EndpointException {
        return Endpoints.choose(new Endpoints.Wanted(List.of(hosts), context, "", NO_TLS), caller.session());
    }

    @Test
    void nothingSaidMeansTheEngineOfThisHostWhichMayBeStarted() throws Exception {
        assertThat(chosen("").shown()).isEqualTo("unix:///run/carafe/carafe.sock");
        assertThat(chosen("").isOwn()).isTrue();
    }

    @Test
    void carafesVariableBeatsDockersAndTheFlagBeatsBoth() throws Exception {
        caller.environment.put("DOCKER_HOST", "tcp://docker:1");
        assertThat(chosen("").shown()).isEqualTo("tcp://docker:1");
        caller.environment.put("CARAFE_HOST", "tcp://carafe:2");
        assertThat(chosen("").shown()).isEqualTo("tcp://carafe:2");
        assertThat(chosen("", "unix:///x").shown()).isEqualTo("unix:///x");
        assertThat(chosen("default").isOwn()).isTrue();
        assertThat(chosen("", "unix:///x").isOwn()).isFalse();
    }

    @Test
    void aStoredContextNamesItsHost() throws Exception {
        caller.file(".docker/contexts/meta/fe9a2d4e0c0c4dd0b6a5ae7b8b6e1a5b/meta.json", "{}");
        caller.file(".docker/contexts/meta/fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9/meta.json",
                "{\"Endpoints\":{\"docker\":{\"Host\":\"tcp://there:5\"}}}");
        caller.environment.put("DOCKER_CONTEXT", "bar");
        assertThat(chosen("").shown()).isEqualTo("tcp://there:5");
        assertThatThrownBy(() -> chosen("foo")).hasMessageContaining("context \"foo\": context not found");
    }

    @Test
    void tlsIsTakenFromTheCertificatePath() throws Exception {
        caller.environment.put("DOCKER_TLS_VERIFY", "1");
        caller.environment.put("DOCKER_CERT_PATH", "/certs");
        caller.files.put(Path.of("/certs/ca.pem"), new byte[0]);
        var address = (Address.Tcp) chosen("", "tcp://h").address();
        assertThat(address.port()).isEqualTo(2376);
        assertThat(address.tls().orElseThrow().verify()).isTrue();
        assertThat(address.tls().orElseThrow().ca()).contains(Path.of("/certs/ca.pem"));
        assertThat(address.tls().orElseThrow().cert()).isEmpty();
    }

    @Test
    void contradictionsAreRefused() {
        assertThatThrownBy(() -> chosen("a", "tcp://h")).hasMessageContaining("cannot specify both --host and --context");
        assertThatThrownBy(() -> chosen("", "tcp://a", "tcp://b")).hasMessage("Specify only one -H");
        assertThatThrownBy(() -> chosen("", "ssh://a")).hasMessageContaining("ssh:// is not supported");
    }

    @Test
    void targetsAreEscapedPieceByPiece() {
        assertThat(Target.of("images", "a/b:1", "json").with("x", "a b&c=ü😀")
                .when(false, "no").when(true, "yes").given("e", ""))
                .hasToString("/images/a/b:1/json?x=a%20b%26c%3D%C3%BC%F0%9F%98%80&yes=1");
    }

    private static byte[] frame(int stream, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(8 + bytes.length).put((byte) stream).put(new byte[3]).putInt(bytes.length).put(bytes).array();
    }

    @Test
    void framesGoWhereTheyBelongHoweverTheyAreCut() throws Exception {
        var random = new Random(42);
        var bytes = new ByteArrayOutputStream();
        var out = new StringBuilder();
        var err = new StringBuilder();
        for (int i = 0; i < 500; i++) {
            String text = "x".repeat(random.nextInt(i % 50 == 0 ? 200_000 : 50)) + i;
            boolean error = random.nextBoolean();
            bytes.write(frame(error ? 2 : 1, text));
            (error ? err : out).append(text);
        }
        var toOut = new ByteArrayOutputStream();
        var toErr = new ByteArrayOutputStream();
        Frames.copyFramed(dribbling(bytes.toByteArray(), random), toOut, toErr);
        assertThat(toOut).hasToString(out.toString());
        assertThat(toErr).hasToString(err.toString());
    }

    private static InputStream dribbling(byte[] bytes, Random random) {
        return new ByteArrayInputStream(bytes) {
            @Override
            public synchronized int read(byte[] into, int from, int length) {
                return super.read(into, from, Math.min(length, 1 + random.nextInt(random.nextInt(5) == 0 ? 70_000 : 12)));
            }
        };
    }

    @Test
    void tornFramesAndComplaintsAreErrors() {
        assertThatThrownBy(() -> copy(new byte[] {1, 0, 0, 0, 0, 0, 0, 5, 'a'})).hasMessage("unexpected EOF");
        assertThatThrownBy(() -> copy(new byte[] {1, 0, 0})).hasMessage("unexpected EOF");
        assertThatThrownBy(() -> copy(new byte[] {9, 0, 0, 0, 0, 0, 0, 0})).hasMessage("Unrecognized input header: 9");
        assertThatThrownBy(() -> copy(frame(3, "no space"))).hasMessage("error from daemon in stream: no space");
    }

    private static void copy(byte[] bytes) throws IOException {
        Frames.copyFramed(new ByteArrayInputStream(bytes), new ByteArrayOutputStream(), new ByteArrayOutputStream());
    }
}
