package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// Which commands the engine's JVM runs, and that they do what a JVM of their own does. The daemon is started by somebody
/// without a locale.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CarafeWarmTest {

    /// Another user, who can reach what is root's all the same.
    private static final String OTHER = "set -- setpriv --reuid 65534 --regid 65534 --clear-groups"
            + " --inh-caps=+dac_override,+dac_read_search --ambient-caps=+dac_override,+dac_read_search \"$@\"";

    private WarmEngine engine;

    @BeforeAll
    void start() throws Exception {
        engine = new WarmEngine(List.of("env", "LANG=C", "LC_ALL=C"));
    }

    @AfterEach
    void removeContainers() throws Exception {
        engine.removeContainers();
    }

    @AfterAll
    void stop() {
        engine.close();
    }

    private boolean isWarm(Command command) throws Exception {
        try (var session = command.start()) {
            boolean warm = WarmEngine.isWarm(session);
            session.signal("KILL");
            return warm;
        }
    }

    private boolean isWarmBehind(String script) throws Exception {
        return isWarm(engine.behind(script, "wait", "web"));
    }

    @Test
    void aCommandOfTheEnginesUserIsWarm() throws Exception {
        engine.startWeb();
        try (var session = engine.carafe("wait", "web").start()) {
            assertThat(WarmEngine.isWarm(session)).isTrue();
            engine.warm("kill", "web").run().good();
            assertThat(session.await().good().out()).isEqualTo("137\n");
        }
        engine.warm("start", "web").run().good();
        assertThat(isWarmBehind(":")).isTrue();
        assertThat(isWarmBehind("ln -sf \"$1\" \"$HOME/link\"; shift; set -- \"$HOME/link\" \"$@\"")).isTrue();
        assertThat(isWarmBehind("cd /; export LANG=de_DE.UTF-8 TZ=; exec </dev/null")).isTrue();
    }

    @Test
    void whoOpensHisFilesHimselfIsWarmWhereverHeIs() throws Exception {
        engine.startWeb();
        for (String script : List.of("umask 077", "set -- unshare --mount \"$@\"", "export CARAFE_WARM=1", OTHER,
                "set -- setpriv --regid 65534 --clear-groups \"$@\"")) {
            assertThat(isWarmBehind(script)).as(script).isTrue();
        }
        Path made = engine.directory().resolve("cid");
        assertThat(engine.behind(OTHER + "; umask 027; ulimit -v 65536", "run", "--rm", "--cidfile", made.toString(), "busybox",
                "echo", "served").run().good().text()).isEqualTo("served");
        assertThat(Files.readAttributes(made, "unix:uid,gid,mode"))
                .containsEntry("uid", 65534).containsEntry("gid", 65534).containsEntry("mode", 0100640);
    }

    @Test
    void whatAJvmElsewhereWouldDoOtherwiseIsCold() throws Exception {
        engine.startWeb();
        assertThat(isWarmBehind("export TZ=Asia/Tokyo")).isFalse();
        assertThat(isWarmBehind("export CARAFE_WARM=0")).isFalse();
        assertThat(isWarm(engine.carafe("container", "logs", "-f", "web"))).isFalse();
    }

    @Test
    void aBuildIsWarmWhereItsContextIsSeenFromTheEngineAsFromTheCaller() throws Exception {
        Path context = Files.createDirectories(engine.directory().resolve("lasting"));
        Files.writeString(context.resolve("Dockerfile"), "FROM busybox\nRUN sleep 1000\n");
        assertThat(isWarm(engine.carafe("build", context.toString()))).isTrue();
        for (String script : List.of("umask 077", "set -- unshare --mount \"$@\"", OTHER)) {
            assertThat(isWarm(engine.behind(script, "build", context.toString()))).as(script).isFalse();
        }
    }

    @Test
    void aCopyOfTheInstallationIsCold() throws Exception {
        engine.startWeb();
        Path copy = engine.directory().resolve("copy");
        Command.of("cp", "-a", "--reflink=auto", Tools.ROOT.resolve("packaging/target/carafe").toString(), copy.toString())
                .run().good();
        var words = new ArrayList<>(List.of(copy.resolve("bin/carafe").toString(), "wait", "web"));
        var command = new Command(words, engine.carafe().environment(), new byte[0], Deadline.USUAL);
        assertThat(isWarm(command)).isFalse();
        Command.of("rm", "-rf", copy.toString()).run().good();
    }

    @Test
    void whoLetsAProgramKeepHisLoginsHasItAsked() throws Exception {
        Path place = Files.createDirectories(engine.directory().resolve("helper"));
        Path program = Files.writeString(place.resolve("docker-credential-e2e"),
                "#!/bin/sh\necho \"$1 $(cat)\" >> " + place
                        + "/asked\necho 'credentials not found in native keychain'\nexit 1\n");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
        Path directory = Files.createDirectories(engine.directory().resolve("settings"));
        Path settings = directory.resolve("config.json");
        Files.writeString(settings, "{\"credHelpers\":{\"127.0.0.1:9\":\"e2e\"}}");
        var run = engine.carafe("run", "--rm", "127.0.0.1:9/app")
                .with("DOCKER_CONFIG", directory.toString()).with("PATH", place + ":" + System.getenv("PATH"));
        assertThat(run.run().endedWith(125).err()).contains("127.0.0.1:9");
        assertThat(Files.readString(place.resolve("asked"))).isEqualTo("get 127.0.0.1:9\n");
        var attached = engine.carafe("run", "--rm", "-i", "busybox", "cat")
                .with("DOCKER_CONFIG", directory.toString());
        assertThat(answersAsJvm(attached)).isTrue();
        Files.writeString(settings, "{\"credsStore\":\"e2e\"}");
        assertThat(answersAsJvm(attached)).isTrue();
        Files.writeString(settings, "{\"auths\":{}}");
        assertThat(answersAsJvm(attached)).isFalse();
        engine.startWeb();
        Files.writeString(settings, "{\"credsStore\":\"e2e\"}");
        assertThat(isWarm(engine.carafe("wait", "web").with("DOCKER_CONFIG", directory.toString()))).isTrue();
    }

    private static boolean answersAsJvm(Command cat) throws Exception {
        try (var session = cat.start()) {
            session.write("hello\n").expect("hello");
            boolean jvm = WarmEngine.isJvm(session);
            session.closeInput();
            session.await().good();
            return jvm;
        }
    }

    /// Without the digits of a time that passes, those that nobody can know, and the columns' widths that follow from them.
    private static String still(String text) {
        return text.replaceAll("(\\d+|About a|Less than a) (second|minute)s?", "N seconds")
                .replaceAll("\\b[0-9a-f]{12,64}\\b", "ID").replaceAll(" +", " ");
    }

    @Test
    void warmAndColdSayAndDoTheSame() throws Exception {
        engine.startWeb();
        engine.carafe("volume", "create", "kept").run().good();
        Path settings = Files.writeString(engine.directory().resolve("list.env"), "A=1\nB=zwei\n");
        Path context = Files.createDirectories(engine.directory().resolve("small"));
        Files.writeString(context.resolve("Dockerfile"), "FROM busybox\nLABEL a=b\n");
        for (String line : List.of(
                "ps", "ps -a --no-trunc --size", "ps -q", "images", "images --digests", "image ls -q", "inspect web",
                "inspect nothing", "image inspect busybox", "history busybox", "network ls", "volume ls",
                "volume inspect kept", "network inspect nothing", "version", "version --format {{.Client.Version}}",
                "info --format {{.ServerVersion}}/{{.Driver}}", "info --format {{.Nonsense}}", "ps --nonsense",
                "run --memory x busybox", "run", "run --help", "ps --help", "port web", "top web -o pid,args", "rm nothing",
                "rm -f nothing", "exec nothing true", "exec web sh -c exit\\ 4", "exec web /nonexistent", "kill -s NOSUCH web",
                "run --rm --network none busybox sh -c echo\\ out;echo\\ err>&2;exit\\ 3",
                "run --rm --network none busybox /nonexistent", "run --rm --network none busybox /etc/plain",
                "run --rm --network none --env-file " + settings + " busybox sh -c echo\\ $A$B", "run --env-file /nonexistent x",
                "build /nonexistent", "build", "tag nothing else", "wait nothing", "container nonsense", "system df",
                "run --env-file / busybox", "run --cidfile " + settings + " busybox", "create --label-file /nonexistent busybox",
                "run --cidfile /nonexistent/cid busybox", "build -f /nonexistent " + context, "build -f / " + context,
                "build --iidfile /nonexistent/id -q " + context, "build -q " + context, "build -f " + settings + " " + context,
                "volume create --driver nothing x", "network create bridge", "rename web", "start -a nothing")) {
            String[] words = line.split("(?<!\\\\) ");
            for (int i = 0; i < words.length; i++) {
                words[i] = words[i].replace("\\ ", " ");
            }
            boolean own = line.endsWith("container nonsense");
            var warm = own ? engine.carafe(words).run() : engine.warm(words).run();
            var cold = engine.cold(words).run();
            assertThat(warm.code()).as("%s\n%s\n%s", line, warm, cold).isEqualTo(cold.code());
            assertThat(still(warm.out())).as(line).isEqualTo(still(cold.out()));
            assertThat(still(warm.err())).as(line).isEqualTo(still(cold.err()));
        }
        assertThat(engine.warm("run", "--rm", "busybox", "sh", "-c", "exit 3").run().code()).isEqualTo(3);
        assertThat(engine.warm("run", "--rm", "busybox", "/nonexistent").run().code()).isEqualTo(127);
        engine.warm("volume", "rm", "kept").run().good();
    }

    @Test
    void anyNameIsAName() throws Exception {
        engine.script("""
                set -e
                u=$(printf '\\303\\274 \\342\\202\\254')
                mkdir "dir $u" && cd "dir $u"
                printf 'FROM busybox\\nCOPY . /in\\n' > "file $u"
                echo content > "content $u"
                echo "NAME=$u" > "env $u"
                "$carafe" build -q -f "file $u" --iidfile "id $u" -t umlaut . > built
                [ "$(cat built)" = "$(cat "id $u")" ]
                [ "$("$carafe" run --rm umlaut cat "/in/content $u")" = content ]
                [ "$("$carafe" run --rm --env-file "env $u" busybox sh -c 'echo "$NAME"')" = "$u" ]
                [ "$("$carafe" run --rm -v "$PWD:/there" busybox cat "/there/content $u")" = content ]
                [ "$("$carafe" run --rm --cidfile "$u.cid" busybox echo "$u")" = "$u" ] && [ -s "$u.cid" ]
                "$carafe" run --rm busybox echo "$u" 2>&1 | grep -qxF "$u"
                "$carafe" rmi umlaut > /dev/null
                rm "id $u" "$u.cid"
                """).run().good();
    }

    @Test
    void emptyWordsAndMuchEnvironmentArrive() throws Exception {
        assertThat(engine.warm("run", "--rm", "busybox", "sh", "-c", "echo $#", "x", "", "a b", "").run().good().text())
                .isEqualTo("3");
        String big = "x".repeat(100_000);
        assertThat(engine.warm("run", "--rm", "-e", "BIG", "busybox", "sh", "-c", "echo ${#BIG}").with("BIG", big).run().good()
                .text()).isEqualTo("100000");
        assertThat(engine.warm("run", "--rm", "-e", "EMPTY", "busybox", "env").with("EMPTY", "").run().good().lines())
                .contains("EMPTY=");
    }

    @Test
    void aFileOfItsOwnIsReadByTheProcessThatHasIt() throws Exception {
        assertThat(engine.warm("run", "--rm", "--env-file", "/dev/stdin", "busybox", "env").stdin("GIVEN=yes\n").run()
                .good().lines()).contains("GIVEN=yes");
        assertThat(engine.behind("exec 9< <(echo GIVEN=yes); ulimit -v 65536", "run", "--rm", "--env-file", "/dev/fd/9",
                "busybox", "env").run().good().lines()).contains("GIVEN=yes");
    }

    @Test
    void aDirectoryThatIsGoneIsLeftToAJvmOfItsOwn() throws Exception {
        String gone = "mkdir \"$HOME/gone\"; cd \"$HOME/gone\"; rmdir \"$HOME/gone\"";
        var usual = engine.behind(gone + "; export CARAFE_WARM=0", "ps").run();
        var outcome = engine.behind(gone, "ps").run();
        assertThat(outcome.code()).as(outcome::toString).isEqualTo(usual.code()).isNotZero();
        assertThat(outcome.all()).isEqualTo(usual.all()).contains("directory");
        assertThat(engine.behind(gone + "; ulimit -v 65536", "ps").run().all()).isNotEqualTo(usual.all());
    }

    @Test
    void theThirtyThirdAtATimeHasAJvmOfItsOwn() throws Exception {
        engine.startWeb();
        var sessions = new ArrayList<Session>();
        try {
            for (int i = 0; i < 32; i++) {
                sessions.add(engine.carafe("wait", "web").start());
            }
            for (var session : sessions) {
                assertThat(WarmEngine.isWarm(session)).isTrue();
            }
            assertThat(isWarm(engine.carafe("wait", "web"))).isFalse();
            sessions.getFirst().signal("KILL");
            Deadline.await("there is room again", () -> isWarm(engine.carafe("wait", "web")));
        } finally {
            sessions.forEach(Session::close);
        }
    }

    /// Whoever listens there and is no engine, be it the end of a tunnel, is told neither words nor variables.
    @Test
    void onlyTheEngineOfThisHostIsToldVariables() throws Exception {
        var listener = Command.of("perl", "-MSocket", "-e", """
                $| = 1;
                socket(S, AF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un($ARGV[0])) or die; listen(S, 5); print "ready\\n";
                while (accept(C, S)) { print "connected\\n"; sysread(C, $b, 1000000); print $b; close(C); print "closed\\n" }
                """, engine.directory().resolve("other.sock").toString());
        try (var other = listener.start()) {
            other.expect("ready");
            engine.carafe("ps").with("DOCKER_HOST", "unix://" + engine.directory().resolve("other.sock"))
                    .with("SECRET", "told-to-nobody").run().endedWith(1);
            other.expect("connected").expect("closed").expect("GET ").expect("closed");
            assertThat(other.out()).doesNotContain("told-to-nobody", "carafe/v1/command");
        }
    }
}
