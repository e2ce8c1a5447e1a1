package carafe.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.cli.session.TestSession;
import carafe.http.Exchange;
import carafe.spec.Json;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What the flags of `build`, the environment and the configuration ask the engine for.
class BuildDocumentTest {

    @TempDir
    Path directory;

    private final TestSession caller = new TestSession();
    private final List<Json.Obj> documents = new ArrayList<>();
    private FakeEngine engine;

    @BeforeEach
    void start() throws Exception {
        engine = new FakeEngine(directory);
        caller.environment.put("CARAFE_HOST", engine.host());
        engine.on("GET /_ping", 200, "OK").on("POST /build", this::build);
        caller.file("ctx/Dockerfile", "FROM scratch");
    }

    @AfterEach
    void stop() {
        engine.close();
    }

    private void build(Exchange exchange) throws Exception {
        var body = exchange.body();
        documents.add(Json.parseObject(body.readNBytes(ByteBuffer.wrap(body.readNBytes(4)).getInt())));
        body.readAllBytes();
        FakeEngine.answer(exchange, 200, "{\"event\":\"outcome\",\"image\":\"c0ffee\"}");
    }

    private int run(String... words) {
        var all = new ArrayList<>(List.of("build", "-q"));
        all.addAll(List.of(words));
        all.add("ctx");
        return Carafe.run(caller.session(all.toArray(new String[0])), _ -> false);
    }

    private Json.Obj asked(String... words) {
        assertThat(run(words)).as(caller.errors()).isZero();
        return documents.getLast();
    }

    @Test
    void aSecretOfAMissingVariableIsEmptyAndTold() throws Exception {
        caller.environment.put("HERE", "");
        var secrets = asked("--secret", "id=x,env=MISSING", "--secret", "id=y,env=HERE").object("secrets");
        assertThat(secrets.text("x") + secrets.text("y")).isEmpty();
        assertThat(caller.errors()).isEqualTo("WARNING: the secret x is empty: the variable MISSING is not set\n");
    }

    @Test
    void whatStepsMayDoIsAllowedByName() throws Exception {
        assertThat(asked().truth("hostNetwork")).isFalse();
        assertThat(asked("--allow", "network.host").truth("hostNetwork")).isTrue();
        assertThat(asked("--allow", "security.insecure").truth("hostNetwork")).isFalse();
        assertThat(documents.getLast().truth("insecure")).isTrue();
    }
}
