package carafe.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.http.Headers;
import java.io.ByteArrayInputStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/// The commands on volumes: what they ask the engine, and what they print.
class VolumeCommandsTest extends CommandScene {

    private final List<String> sent = new CopyOnWriteArrayList<>();

    private String lastAsked() {
        return URLDecoder.decode(engine.asked.getLast(), StandardCharsets.UTF_8);
    }

    private void typed(String text) {
        caller.in = new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
    }

    /// The engine has a volume `data` whose archive is this.
    private void offers(String archive) {
        engine.on("GET /carafe/v1/volumes/data/archive", exchange -> exchange.respond(
                200, Headers.of("Content-Type", "application/x-tar"), archive.getBytes(StandardCharsets.UTF_8)));
    }

    private void takesArchives() {
        engine.on("POST /carafe/v1/volumes/data/archive", exchange -> {
            sent.add(exchange.headers().first("Content-Type").orElse("") + ": "
                    + new String(exchange.readBody(1 << 20), StandardCharsets.UTF_8));
            FakeEngine.answer(exchange, 201, "{\"Name\":\"data\"}");
        });
    }

    @Test
    void creatingTellsAllThatWasAskedFor() throws Exception {
        engine.on("POST /volumes/create", 201, "{\"Name\":\"data\"}");
        assertThat(run("volume", "create", "-o", "type=tmpfs", "--opt", "o=size=1m,mode=700", "--label", "a=b", "--label", "c",
                "data")).isZero();
        assertThat(caller.output()).isEqualTo("data\n");
        assertThat(engine.body(0).print()).isEqualTo("{\"Name\":\"data\",\"Driver\":\"local\",\"DriverOpts\":{\"type\":"
                + "\"tmpfs\",\"o\":\"size=1m,mode=700\"},\"Labels\":{\"a\":\"b\",\"c\":\"\"}}");
        assertThat(run("volume", "create", "--name", "x", "y")).isEqualTo(1);
        assertThat(caller.errors()).isEqualTo(
                "conflicting options: cannot specify a volume name through both --name and as a positional arg\n");
        assertThat(engine.asked).hasSize(1);
    }

    @Test
    void theListIsSortedByName() {
        engine.on("GET /volumes", 200, """
                {"Volumes":[{"Name":"web","Driver":"local","Scope":"local","Mountpoint":"/w","Labels":{"b":"2","a":"1"}},
                 {"Name":"app","Driver":"local","Scope":"local","Mountpoint":"/a","Labels":null}],"Warnings":null}""");
        assertThat(run("volume", "ls", "--filter", "dangling=true")).isZero();
        assertThat(caller.output()).isEqualTo("""
                DRIVER    VOLUME NAME
                local     app
                local     web
                """);
        assertThat(lastAsked()).isEqualTo("GET /volumes?filters={\"dangling\":{\"true\":true}}");
        assertThat(run("volume", "ls", "-q")).isZero();
        assertThat(run("volume", "ls", "--format", "{{.Mountpoint}} {{.Labels}} {{.Size}}")).isZero();
        assertThat(caller.output()).endsWith("app\nweb\n/a  N/A\n/w a=1,b=2 N/A\n");
        assertThat(run("volume", "ls", "--format", "{{.Nonsense}}")).isEqualTo(1);
        assertThat(caller.errors()).contains("Nonsense");
    }

    @Test
    void removingGoesOnAfterAMistake() {
        engine.on("DELETE /volumes/app", 204, "");
        engine.on("DELETE /volumes/gone", 404, "{\"message\":\"get gone: no such volume\"}");
        assertThat(run("volume", "rm", "gone", "app")).isEqualTo(1);
        assertThat(caller.output()).isEqualTo("app\n");
        assertThat(caller.errors()).isEqualTo("Error response from daemon: get gone: no such volume\n");
        assertThat(run("volume", "rm", "-f", "app")).isZero();
        assertThat(lastAsked()).startsWith("DELETE /volumes/app?force=");
    }

    @Test
    void pruningAsksUnlessForced() {
        engine.on("POST /volumes/prune", 200, "{\"VolumesDeleted\":[\"app\",\"web\"],\"SpaceReclaimed\":5000}");
        for (String answer : List.of("", "n\n", "yes\n")) {
            typed(answer);
            assertThat(run("volume", "prune")).as(answer).isEqualTo(1);
        }
        assertThat(caller.output()).startsWith("WARNING! This will remove anonymous local volumes not used by at least one"
                + " container.\nAre you sure you want to continue? [y/N] ");
        assertThat(caller.errors()).startsWith("volume prune has been cancelled\n");
        assertThat(engine.asked).isEmpty();
        typed("y\n");
        assertThat(run("volume", "prune", "--all")).isZero();
        assertThat(caller.output()).contains("WARNING! This will remove all volumes not used").endsWith(
                "Deleted Volumes:\napp\nweb\n\nTotal reclaimed space: 5kB\n");
        assertThat(lastAsked()).isEqualTo("POST /volumes/prune?filters={\"all\":{\"true\":true}}");
        assertThat(run("volume", "prune", "-f", "--filter", "label!=keep", "--filter", "label=a=b")).isZero();
        assertThat(lastAsked()).isEqualTo(
                "POST /volumes/prune?filters={\"label!\":{\"keep\":true},\"label\":{\"a=b\":true}}");
    }

    @Test
    void renamingAndCloningNameBoth() {
        engine.on("POST /carafe/v1/volumes/data/rename", 204, "");
        engine.on("POST /carafe/v1/volumes/data/clone", 201, "{\"Name\":\"twin\"}");
        assertThat(run("volume", "rename", "data", "next")).isZero();
        assertThat(lastAsked()).isEqualTo("POST /carafe/v1/volumes/data/rename?name=next");
        assertThat(caller.output()).isEmpty();
        assertThat(run("volume", "clone", "data", "twin")).isZero();
        assertThat(lastAsked()).isEqualTo("POST /carafe/v1/volumes/data/clone?name=twin");
        assertThat(caller.output()).isEqualTo("twin\n");
        engine.on("POST /carafe/v1/volumes/data/clone", 409, "{\"message\":\"a volume named twin exists already\"}");
        assertThat(run("volume", "clone", "data", "twin")).isEqualTo(1);
        assertThat(caller.output()).isEqualTo("twin\n");
        assertThat(caller.errors()).contains("a volume named twin exists already");
    }

    @Test
    void anExportGoesToStdoutOrToAFile() {
        offers("the tar");
        assertThat(run("volume", "export", "data")).isZero();
        assertThat(caller.output()).isEqualTo("the tar");
        assertThat(run("volume", "export", "-o", "out.tar", "data")).isZero();
        assertThat(caller.output()).isEqualTo("the tar");
        assertThat(caller.files.get(Path.of("/home/user/out.tar"))).asString(StandardCharsets.UTF_8).isEqualTo("the tar");
    }

    @Test
    void anExportIsNotWrittenToATerminal() {
        offers("the tar");
        caller.terminal = true;
        assertThat(run("volume", "export", "data")).isEqualTo(1);
        assertThat(caller.errors()).isEqualTo("cowardly refusing to save to a terminal. Use the -o flag or redirect\n");
        assertThat(engine.asked).isEmpty();
        assertThat(run("volume", "export", "-o", "out.tar", "data")).isZero();
        assertThat(caller.files).containsKey(Path.of("/home/user/out.tar"));
    }

    @Test
    void anExportOfNothingLeavesTheFileAsItWas() {
        engine.on("GET /carafe/v1/volumes/data/archive", 404, "{\"message\":\"get data: no such volume\"}");
        caller.file("out.tar", "from before");
        assertThat(run("volume", "export", "-o", "out.tar", "data")).isEqualTo(1);
        assertThat(caller.errors()).isEqualTo("Error response from daemon: get data: no such volume\n");
        assertThat(caller.files.get(Path.of("/home/user/out.tar"))).asString(StandardCharsets.UTF_8).isEqualTo("from before");
    }

    @Test
    void anImportComesFromStdinOrFromAFile() {
        takesArchives();
        typed("by stdin");
        assertThat(run("volume", "import", "data")).isZero();
        typed("by a dash");
        assertThat(run("volume", "import", "data", "-")).isZero();
        caller.file("in.tar", "by a file");
        assertThat(run("volume", "import", "-o", "size=100m", "data", "in.tar")).isZero();
        assertThat(lastAsked()).isEqualTo("POST /carafe/v1/volumes/data/archive?options={\"size\":\"100m\"}");
        assertThat(sent).containsExactly(
                "application/x-tar: by stdin", "application/x-tar: by a dash", "application/x-tar: by a file");
        assertThat(caller.output()).isEqualTo("data\ndata\ndata\n");
        assertThat(run("volume", "import", "data", "gone.tar")).isEqualTo(1);
        assertThat(caller.errors()).contains("gone.tar: no such file or directory");
        assertThat(sent).hasSize(3);
    }

    @Test
    void anImportIsNotReadFromATerminal() {
        takesArchives();
        caller.terminal = true;
        for (String[] words : new String[][] {{"volume", "import", "data"}, {"volume", "import", "data", "-"}}) {
            assertThat(run(words)).isEqualTo(1);
        }
        assertThat(caller.errors()).startsWith("requested import from stdin, but stdin is empty\n");
        assertThat(engine.asked).isEmpty();
        caller.file("in.tar", "by a file");
        assertThat(run("volume", "import", "data", "in.tar")).isZero();
        assertThat(sent).containsExactly("application/x-tar: by a file");
    }
}
