package carafe.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.cli.session.TestSession;
import carafe.http.Headers;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Words, exit codes and output of the commands. `help/` holds what `docker` 28.2 prints for `--help`, with our name and
/// without what is a swarm's, and what we print for the commands on volumes that are ours alone.
class CommandsTest extends CommandScene {

    private static final List<String> HELPS = List.of(
            "attach", "container-inspect", "container-ls", "container-rm", "create", "events", "exec", "history",
            "image-history", "image-inspect", "image-load", "image-ls", "image-rm", "image-tag", "images", "info", "kill",
            "load", "logs", "network-connect", "network-create", "network-disconnect", "network-inspect", "network-ls",
            "network-prune", "network-rm", "pause", "port", "ps", "rename", "restart", "rm", "rmi", "run", "start", "stop",
            "system-events",
            "system-info", "tag", "top", "unpause", "volume-clone", "volume-create", "volume-export", "volume-import",
            "volume-inspect", "volume-ls", "volume-prune", "volume-rename", "volume-rm", "wait");

    @TestFactory
    Stream<DynamicTest> helpIsDockersWithOurName() {
        return HELPS.stream().map(name -> DynamicTest.dynamicTest(name, () -> {
            var other = new TestSession();
            String words = name.replaceFirst("^(container|image|network|system|volume)-", "$1 ") + " --help";
            assertThat(Carafe.run(other.session(words.split(" ")), address -> false)).isZero();
            String shown = name.equals("run") ? withoutOurs(other.output()) : other.output();
            try (var wanted = CommandsTest.class.getResourceAsStream("help/" + name)) {
                assertThat(shown).isEqualTo(new String(wanted.readAllBytes(), StandardCharsets.UTF_8));
            }
        }));
    }

    /// Without the three lines each of `--dry-run` and `--explain`, which only we have.
    private static String withoutOurs(String help) {
        var lines = new ArrayList<>(help.lines().toList());
        for (var flag : new String[] {"      --dry-run ", "      --explain "}) {
            int at = 0;
            while (!lines.get(at).startsWith(flag)) {
                at++;
            }
            lines.subList(at, at + 3).clear();
        }
        return String.join("\n", lines) + "\n";
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '§', textBlock = """
            foo | 1 | carafe: unknown command: carafe foo\\n\\nRun 'carafe --help' for more information
            rum | 1 | carafe: unknown command: carafe rum\\n\\nDid you mean 'carafe run'?\\n\\nRun 'carafe \
            --help' for more information
            container foo | 1 | carafe: unknown command: carafe container foo\\n\\nUsage:  carafe \
            container\\n\\nRun 'carafe container --help' for more information
            run | 1 | carafe: 'carafe run' requires at least 1 argument\\n\\nUsage:  carafe run [OPTIONS] IMAGE \
            [COMMAND] [ARG...]\\n\\nSee 'carafe run --help' for more information
            ps foo | 1 | carafe: 'carafe ps' accepts no arguments\\n\\nUsage:  carafe ps [OPTIONS]\\n\\nRun \
            'carafe ps --help' for more information
            rename a | 1 | carafe: 'carafe rename' requires 2 arguments\\n\\nUsage:  carafe rename CONTAINER \
            NEW_NAME\\n\\nRun 'carafe rename --help' for more information
            ps --bar | 125 | unknown flag: --bar\\n\\nUsage:  carafe ps [OPTIONS]\\n\\nRun 'carafe ps --help' \
            for more information
            run -X b | 125 | unknown shorthand flag: 'X' in -X\\n\\nUsage:  carafe run [OPTIONS] IMAGE \
            [COMMAND] [ARG...]\\n\\nRun 'carafe run --help' for more information
            --foo ps | 125 | unknown flag: --foo\\n\\nUsage:  carafe [OPTIONS] COMMAND [ARG...]\\n\\nRun \
            'carafe --help' for more information
            ps --filter x | 125 | invalid argument "x" for "-f, --filter" flag: bad format of filter (expected \
            name=value)\\n\\nUsage:  carafe ps [OPTIONS]\\n\\nRun 'carafe ps --help' for more information
            run --pull foo b | 125 | carafe: invalid pull option: 'foo': must be one of "always", "missing" or \
            "never"\\n\\nRun 'carafe run --help' for more information
            run -p x b | 125 | carafe: invalid containerPort: x\\n\\nRun 'carafe run --help' for more information
            run UPPER | 125 | carafe: invalid reference format: repository name (library/UPPER) must be \
            lowercase\\n\\nRun 'carafe run --help' for more information
            run -it b | 1 | the input device is not a TTY
            run -d -a stdout b | 1 | conflicting options: cannot specify both --attach and --detach
            -l foo ps | 1 | Unable to parse logging level: foo
            help foo | 1 | unknown help topic: foo
            inspect --type foo x | 1 | unknown type: "foo": must be one of "container", "image", "network", "volume"
            start -a a b | 1 | you cannot start and attach multiple containers at once
            ps --format {{.Foo}} | 1 | failed to execute template: template: :1:2: executing "" at <.Foo>: \
            can't evaluate field Foo in type *formatter.ContainerContext
            """)
    void mistakesAreWordedAsDocker(String words, int code, String sentence) {
        assertThat(run(words.split(" "))).isEqualTo(code);
        assertThat(caller.errors()).isEqualTo(sentence.replace("\\n", "\n") + "\n");
        assertThat(caller.output()).isEmpty();
    }

    @Test
    void aPushOverSshNamesWhatDoesIt() {
        assertThat(run("push", "ssh://me@host/team/app:1")).isEqualTo(1);
        assertThat(run("image", "push", "ssh://host:2222")).isEqualTo(1);
        assertThat(caller.errors()).isEqualTo("""
                push goes to registries, not to hosts over ssh
                  try:  carafe save team/app:1 | ssh me@host carafe load
                push goes to registries, not to hosts over ssh
                  try:  carafe save NAME | ssh -p 2222 host carafe load
                """);
    }

    @Test
    void eachContainerGetsItsTurnWhateverHappensToTheOthers() {
        engine.on("DELETE /containers/a", 204, "").on("DELETE /containers/b", 404, "{\"message\":\"No such container: b\"}")
                .on("DELETE /containers/c", 204, "");
        assertThat(run("rm", "a", "b", "c")).isEqualTo(1);
        assertThat(caller.output()).isEqualTo("a\nc\n");
        assertThat(caller.errors()).isEqualTo("Error response from daemon: No such container: b\n");
        assertThat(run("rm", "-f", "b")).isZero();
    }

    @Test
    void psSendsItsFilters() {
        engine.on("GET /containers/json", 200, "[]");
        assertThat(run("ps", "-a", "-n", "3", "--filter", "label=a=b", "--filter", "label=c", "-f", "status=exited")).isZero();
        assertThat(caller.output()).isEqualTo("CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES\n");
        assertThat(engine.asked.getFirst()).isEqualTo("GET /containers/json?all=1&limit=3&filters="
                + "%7B%22label%22%3A%7B%22a%3Db%22%3Atrue%2C%22c%22%3Atrue%7D%2C%22status%22%3A%7B%22exited%22%3Atrue%7D%7D");
    }

    @Test
    void psTakesItsFormatFromTheSettings() {
        caller.file(".docker/config.json", "{\"psFormat\":\"{{.Names}}\"}");
        engine.on("GET /containers/json", 200, "[{\"Names\":[\"/x\"]}]");
        assertThat(run("ps")).isZero();
        assertThat(caller.output()).isEqualTo("x\n");
    }

    @Test
    void inspectLooksForAnyKindOfObject() {
        engine.on("GET /images/b/json", 200, "{\"Id\":\"sha256:1\",\"Config\":{\"Env\":[]}}");
        assertThat(run("inspect", "b")).isZero();
        assertThat(caller.output()).isEqualTo("""
                [
                    {
                        "Id": "sha256:1",
                        "Config": {
                            "Env": []
                        }
                    }
                ]
                """);
        assertThat(engine.asked).containsExactly("GET /containers/b/json", "GET /images/b/json");
    }

    @Test
    void inspectNamesWhatIsNotThere() {
        assertThat(run("inspect", "nope")).isEqualTo(1);
        assertThat(caller.output()).isEqualTo("[]\n");
        assertThat(caller.errors()).isEqualTo("Error: No such object: nope\n");
    }

    @Test
    void inspectTemplatesThatCannotBeReadEndWithSixtyFour() {
        engine.on("GET /containers/a/json", 200, "{\"Id\":\"1\"}");
        assertThat(run("inspect", "-f", "{{", "a")).isEqualTo(64);
        assertThat(caller.errors()).isEqualTo("template parsing error: template: :1: unclosed action\n");
    }

    @Test
    void logsGoToTheirStreams() throws Exception {
        var framed = new ByteArrayOutputStream();
        for (int stream = 1; stream <= 2; stream++) {
            framed.write(ByteBuffer.allocate(10).put((byte) stream).put(new byte[3]).putInt(2).put((byte) ('0' + stream))
                    .put((byte) '\n').array());
        }
        engine.on("GET /containers/a/json", 200, "{\"Id\":\"aid\",\"Config\":{\"Tty\":false}}")
                .on("GET /containers/aid/logs", exchange -> exchange.respond(200, Headers.NONE, framed.toByteArray()));
        assertThat(run("logs", "-t", "-n", "5", "--since", "10m", "a")).isZero();
        assertThat(caller.output()).isEqualTo("1\n");
        assertThat(caller.errors()).isEqualTo("2\n");
        assertThat(engine.asked.getLast()).isEqualTo(
                "GET /containers/aid/logs?stderr=1&stdout=1&tail=5&timestamps=1&since=1764935400.000000000");
    }

    @Test
    void execEndsWithTheCodeOfItsCommand() {
        engine.on("POST /containers/a/exec", 201, "{\"Id\":\"e1\"}")
                .on("POST /exec/e1/start", exchange -> {
                    try (var stream = exchange.upgrade(Headers.NONE)) {
                        stream.output().write(new byte[] {1, 0, 0, 0, 0, 0, 0, 2, 'h', 'i'});
                    }
                })
                .on("GET /exec/e1/json", 200, "{\"ExitCode\":3}");
        assertThat(run("exec", "-e", "A=B", "-w", "/w", "a", "sh", "-c", "exit 3")).isEqualTo(3);
        assertThat(caller.output()).isEqualTo("hi");
        assertThat(engine.bodies.getFirst()).contains("\"Cmd\":[\"sh\",\"-c\",\"exit 3\"]").contains("\"Env\":[\"A=B\"]")
                .contains("\"WorkingDir\":\"/w\"").contains("\"AttachStdin\":false");
    }

    @Test
    void eventsAreOneLineEach() {
        engine.on("GET /events", 200, """
                {"Type":"container","Action":"start","Actor":{"ID":"abc","Attributes":{"name":"t1","image":"x"}},
                 "time":1764936000,"timeNano":1764936000123456789}
                """);
        assertThat(run("events", "--until", "0s")).isZero();
        assertThat(caller.output()).matches(
                "2025-12-0\\dT\\d\\d:\\d\\d:00\\.123456789\\S+ container start abc \\(image=x, name=t1\\)\n");
    }

    @Test
    void loadSendsTheArchiveAndShowsWhatIsSaid() {
        caller.file("i.tar", "tar");
        engine.on("GET /_ping", 200, "OK")
                .on("POST /images/load", exchange -> {
                    assertThat(new String(exchange.readBody(10), StandardCharsets.UTF_8)).isEqualTo("tar");
                    FakeEngine.answer(exchange, 200, "{\"stream\":\"Loaded image: x:1\\n\"}\r\n");
                });
        assertThat(run("load", "-i", "i.tar")).isZero();
        assertThat(caller.output()).isEqualTo("Loaded image: x:1\n");
        assertThat(run("load", "-i", "none.tar")).isEqualTo(1);
        assertThat(caller.errors()).isEqualTo("open /home/user/none.tar: no such file or directory\n");
    }

    @Test
    void anEngineThatIsNotThereIsNamedWithTheNextStep() {
        caller.environment.put("CARAFE_HOST", "unix:///nowhere/x.sock");
        assertThat(run("ps")).isEqualTo(1);
        assertThat(caller.errors()).isEqualTo("cannot reach the engine at unix:///nowhere/x.sock (no such file): is it running?\n"
                + "  try:  start it with: carafed -H unix:///nowhere/x.sock\n");
    }

    @Test
    void onlyTheDefaultEngineIsStarted() {
        var asked = new ArrayList<String>();
        caller.environment.put("CARAFE_HOST", "unix:///nowhere/x.sock");
        Carafe.run(caller.session("ps"), address -> !asked.add(address.toString()));
        assertThat(asked).isEmpty();
    }

    @Test
    void tagAndRmiSpeakOfNames() {
        engine.on("POST /images/a/tag", 201, "").on("DELETE /images/r:5000/b:c", 200,
                "[{\"Untagged\":\"r:5000/b:c\"},{\"Deleted\":\"sha256:1\"}]");
        assertThat(run("tag", "a", "r:5000/b:c")).isZero();
        assertThat(engine.asked.getFirst()).isEqualTo("POST /images/a/tag?repo=r%3A5000%2Fb&tag=c");
        assertThat(run("rmi", "r:5000/b:c")).isZero();
        assertThat(caller.output()).isEqualTo("Untagged: r:5000/b:c\nDeleted: sha256:1\n");
    }

    @Test
    void detachKeysAreFoundInTheStream() throws Exception {
        var keys = EscapeKeys.read("");
        var out = new byte[16];
        assertThat(keys.pass(new byte[] {'a', 16, 'b'}, 3, out)).isEqualTo(3);
        assertThat(out).startsWith('a', 16, 'b');
        assertThat(keys.pass(new byte[] {16}, 1, out)).isZero();
        assertThat(keys.pass(new byte[] {16, 17, 'z'}, 3, out)).isEqualTo(-2);
        assertThat(EscapeKeys.read("ctrl-a").pass(new byte[] {'x', 1}, 2, out)).isEqualTo(-2);
    }
}
