package carafe.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.cli.session.TestSession;
import carafe.spec.Json;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What `build` sends, and what it has the engine fetch.
class BuildFilesTest {

    @TempDir
    private Path directory;

    private final TestSession caller = new TestSession();

    /// The context that the engine is told to fetch; `""` where it is sent.
    private String remote(String word) throws Exception {
        var told = new ArrayList<String>();
        try (var engine = new FakeEngine(directory)) {
            caller.environment.put("CARAFE_HOST", engine.host());
            engine.on("GET /_ping", 200, "OK").on("POST /build", exchange -> {
                var body = exchange.body();
                int length = ByteBuffer.wrap(body.readNBytes(4)).getInt();
                told.add(Json.parseObject(body.readNBytes(length)).text("remote"));
                body.transferTo(OutputStream.nullOutputStream());
                FakeEngine.answer(exchange, 400, "{\"message\":\"seen\"}");
            });
            assertThat(Carafe.run(caller.session("build", word), _ -> false)).isEqualTo(1);
        }
        assertThat(told).as(caller.errors()).hasSize(1);
        return told.getFirst();
    }

    @ParameterizedTest
    @ValueSource(strings = {"github.com/foo", "git@h:r.git", "me@h:r.git"})
    void aDirectoryIsOneWhateverItIsCalled(String word) throws Exception {
        assertThat(remote(word)).isEqualTo(word);
        caller.file(word + "/Dockerfile", "FROM scratch\n");
        assertThat(remote(word)).isEmpty();
    }

    @Test
    void aDockerfileIsAFileWhateverItIsCalled() throws Exception {
        caller.file("ctx/.dockerignore", "FROM scratch\n");
        caller.file("ctx/Dockerfile", "FROM scratch\n");
        assertThat(Carafe.run(caller.session("build", "-f", "ctx", "ctx"), _ -> false)).isEqualTo(1);
        assertThat(caller.errors()).isEqualTo("the Dockerfile ctx is a directory\n");
        try (var engine = new FakeEngine(directory)) {
            caller.environment.put("CARAFE_HOST", engine.host());
            engine.on("GET /_ping", 200, "OK").on("POST /build", exchange -> {
                exchange.readBody(1 << 20);
                FakeEngine.answer(exchange, 200, "{\"event\":\"outcome\",\"image\":\"c0ffee\"}");
            });
            assertThat(Carafe.run(caller.session("build", "-q", "-f", "ctx/.dockerignore", "ctx"), _ -> false))
                    .as(caller.errors()).isZero();
        }
    }

    @Test
    void whatIsNoDirectoryAndNoAddressIsNotSent() {
        assertThat(Carafe.run(caller.session("build", "none"), _ -> false)).isEqualTo(1);
        assertThat(caller.errors()).contains("unable to prepare context: path \"none\" not found");
        assertThat(List.copyOf(caller.files.keySet())).isEmpty();
    }
}
