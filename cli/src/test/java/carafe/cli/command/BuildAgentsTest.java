package carafe.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.cli.session.Programs.Outcome;
import carafe.cli.session.TestSession;
import carafe.http.Exchange;
import carafe.spec.Json;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Which agents `build --ssh` starts and names; the programs are played.
class BuildAgentsTest {

    private static final Outcome GOOD = new Outcome(0, "");

    @TempDir
    Path directory;

    private final TestSession caller = new TestSession();
    private final List<Json.Obj> documents = new ArrayList<>();
    private FakeEngine engine;
    private Path runtime;
    private Path key;
    private Path other;

    @BeforeEach
    void start() throws Exception {
        engine = new FakeEngine(directory);
        caller.environment.put("CARAFE_HOST", engine.host());
        engine.on("GET /_ping", 200, "OK").on("POST /build", this::build);
        caller.file("ctx/Dockerfile", "FROM scratch");
        runtime = Files.createDirectory(directory.resolve("runtime"));
        caller.environment.put("XDG_RUNTIME_DIR", runtime.toString());
        key = Files.writeString(directory.resolve("key"), "PRIVATE");
        other = Files.writeString(directory.resolve("other"), "PRIVATE");
    }

    @AfterEach
    void stop() {
        engine.close();
    }

    private void build(Exchange exchange) throws Exception {
        var body = exchange.body();
        documents.add(Json.parseObject(body.readNBytes(ByteBuffer.wrap(body.readNBytes(4)).getInt())));
        body.readAllBytes();
        caller.ran.add("build");
        FakeEngine.answer(exchange, 200, "{\"event\":\"outcome\",\"image\":\"c0ffee\"}");
    }

    private int run(String... values) {
        var all = new ArrayList<>(List.of("build", "-q"));
        for (String value : values) {
            all.addAll(List.of("--ssh", value));
        }
        all.add("ctx");
        return Carafe.run(caller.session(all.toArray(new String[0])), _ -> false);
    }

    private String refused(String... values) {
        assertThat(run(values)).isEqualTo(1);
        assertThat(documents).isEmpty();
        return caller.errors();
    }

    @Test
    void keysGoToAnAgentThatLastsAsLongAsTheBuild() throws Exception {
        caller.programs.addAll(List.of(GOOD, GOOD, GOOD));
        assertThat(run("default=" + key + "," + other)).as(caller.errors()).isZero();
        String socket = documents.getLast().object("agents").text("default");
        assertThat(socket).startsWith(runtime + "/carafe-ssh-").endsWith("/agent");
        assertThat(caller.ran).hasSize(5);
        assertThat(caller.ran.getFirst()).startsWith("ssh-agent -a " + socket + " sh -c ")
                .endsWith(" sh " + Path.of(socket).getParent() + " < ");
        assertThat(caller.ran.subList(1, 5)).containsExactly(
                "ssh-add -q -- " + key + " < {SSH_AUTH_SOCK=" + socket + "}",
                "ssh-add -q -- " + other + " < {SSH_AUTH_SOCK=" + socket + "}", "build", "end of ssh-agent");
        assertThat(Files.getPosixFilePermissions(Path.of(socket).getParent())).hasSize(3); // its owner's alone
    }

    @Test
    void socketsAreNamedAsTheyAre() throws Exception {
        caller.environment.put("SSH_AUTH_SOCK", "/run/agent");
        Path socket = directory.resolve("socket");
        try (var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(socket));
            assertThat(run("default", "own=" + socket, "there=/nowhere/here")).as(caller.errors()).isZero();
            assertThat(documents.getLast().textMap("agents")).containsEntry("default", "/run/agent")
                    .containsEntry("own", socket.toString()).containsEntry("there", "/nowhere/here").hasSize(3);
            documents.clear();
            assertThat(refused("default=" + key + "," + socket)).contains("--ssh default=" + socket + " is no key; one id has one"
                    + " agent's socket, or several keys in files");
        }
        assertThat(caller.ran).containsExactly("build");
    }

    @Test
    void whatIsNeitherIsRefused() {
        assertThat(refused("default")).contains("invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set");
        assertThat(refused("default=")).contains("invalid --ssh \"default=\": it names no socket and no key");
        assertThat(refused("default=" + directory)).contains("is no key in a file and no socket of an ssh agent");
        assertThat(refused("default=" + key + ",/nowhere")).contains("--ssh default=/nowhere: no such file");
    }

    @Test
    void anIdIsGivenOnce() {
        caller.environment.put("SSH_AUTH_SOCK", "/run/agent");
        assertThat(refused("default", "default")).contains("invalid duplicate ID default of --ssh");
    }

    @Test
    void whereOpensshIsMissingItIsNamedAndNothingIsLeft() {
        assertThat(refused("default=" + key)).contains("ssh-agent cannot be started, which keys in files need; install OpenSSH's"
                + " client (openssh-client): ");
        assertThat(runtime).isEmptyDirectory();
    }

    @Test
    void aKeyThatCannotBeAddedEndsTheAgent() {
        caller.programs.addAll(List.of(GOOD, new Outcome(1, "Enter passphrase for key: ")));
        assertThat(refused("default=" + key)).contains("--ssh default=" + key + " has a passphrase, and there is no terminal"
                + " to ask for it: add the key to an agent (ssh-add " + key + ") and give --ssh default");
        assertThat(caller.ran).last().isEqualTo("end of ssh-agent");
        caller.terminal = true;
        caller.programs.addAll(List.of(GOOD, new Outcome(1, "Error loading key: invalid format\n")));
        assertThat(refused("default=" + key))
                .contains("--ssh default=" + key + " cannot be used: Error loading key: invalid format");
        assertThat(caller.ran).anyMatch(line -> line.endsWith(" at the terminal")).last().isEqualTo("end of ssh-agent");
    }

    @Test
    void keysAreForAnEngineOfThisMachine() {
        caller.environment.put("CARAFE_HOST", "tcp://127.0.0.1:1");
        assertThat(refused("default=" + key)).contains("is a key on this machine, and the engine is on another one");
        assertThat(caller.ran).isEmpty();
    }
}
