package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// `./carafe` of a source tree builds what is stale, once, and nothing else. The scripts are the real ones; in the place of
/// Maven stands a script that counts its calls and makes what packaging would.
final class SourceTreeTest {

    private static final Instant EARLIER = Instant.now().minus(Duration.ofHours(1));

    private Path home;
    private Path tree;
    private Path tools;
    private Path source;

    @BeforeEach
    void sources() throws Exception {
        home = Files.createTempDirectory("e2e-tree-");
        tree = Files.createDirectory(home.resolve("a tree"));
        tools = Files.createDirectory(home.resolve("tools"));
        for (String part : new String[] {"carafe", "carafed", "build", "pom.xml"}) {
            Command.of("cp", "-r", Tools.ROOT.resolve(part).toString(), tree.toString()).run().good();
        }
        source = tree.resolve("engine/src/main/java/Engine.java");
        Files.createDirectories(tree.resolve("engine/src/main/java"));
        Files.createDirectories(tree.resolve("packaging"));
        Files.writeString(source, "class Engine {}");
        try (var all = Files.walk(tree)) {
            for (Path each : all.toList()) {
                Files.setLastModifiedTime(each, FileTime.from(EARLIER));
            }
        }
        maven("""
                #!/bin/sh
                echo called >>target/calls
                sleep 0.3
                mkdir -p packaging/target/carafe/bin
                for program in carafe carafed; do
                  printf '#!/bin/sh\\necho "%s was given $*"\\n' $program >packaging/target/carafe/bin/$program
                  chmod +x packaging/target/carafe/bin/$program
                done
                touch packaging/target/carafe/stamp
                """);
    }

    @AfterEach
    void leaveNothing() throws Exception {
        Command.of("rm", "-rf", home.toString()).run().good();
    }

    private void maven(String script) throws IOException {
        Path mvn = tools.resolve("mvn");
        Files.writeString(mvn, script);
        Files.setPosixFilePermissions(mvn, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Command called(String program, String... words) {
        return Command.of(tree.resolve(program).toString()).and(words)
                .with("PATH", tools + ":" + System.getenv("PATH"));
    }

    private int builds() throws IOException {
        return Files.readAllLines(tree.resolve("target/calls")).size();
    }

    /// The build is done; the time of everything in the tree lies before it.
    private void built() throws Exception {
        called("carafe", "version").run().good();
        assertThat(builds()).isEqualTo(1);
    }

    @Test
    void theFirstCallBuildsAndTheSecondDoesNot() throws Exception {
        var first = called("carafe", "run", "hello world").run().good();
        assertThat(first.out()).isEqualTo("carafe was given run hello world\n");
        assertThat(first.err()).isEqualTo("carafe: building (once; about a minute) ...\n");
        var second = called("carafe", "ps").run().good();
        assertThat(second.all()).isEqualTo("carafe was given ps\n");
        assertThat(called("carafed", "-H", "unix:///x").run().good().all()).isEqualTo("carafed was given -H unix:///x\n");
        assertThat(builds()).isEqualTo(1);
    }

    @Test
    void itIsFoundThroughALinkAndFromAnywhere() throws Exception {
        built();
        Path link = Files.createSymbolicLink(tools.resolve("carafe"), tree.resolve("carafe"));
        assertThat(Command.of(link.toString(), "ps").run().good().all()).isEqualTo("carafe was given ps\n");
    }

    @Test
    void aNewerSourceIsBuilt() throws Exception {
        built();
        Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(5)));
        assertThat(called("carafe", "ps").run().good().out()).isEqualTo("carafe was given ps\n");
        assertThat(builds()).isEqualTo(2);
    }

    @Test
    void aDeletedSourceIsNoticed() throws Exception {
        built();
        Files.delete(source);
        Files.setLastModifiedTime(tree.resolve("engine/src/main/java"), FileTime.from(Instant.now().plusSeconds(5)));
        called("carafe", "ps").run().good();
        assertThat(builds()).isEqualTo(2);
    }

    @Test
    void whoComesDuringABuildWaitsForItAndBuildsNothing() throws Exception {
        try (var one = called("carafe", "ps").start(); var two = called("carafe", "ps").start()) {
            one.closeInput();
            two.closeInput();
            one.await(Deadline.USUAL).good();
            two.await(Deadline.USUAL).good();
        }
        assertThat(builds()).isEqualTo(1);
    }

    @Test
    void aBuildThatFailsSaysWhatMavenSaid() throws Exception {
        maven("#!/bin/sh\necho '[INFO] noise'\necho '[ERROR] no such symbol'\nexit 1\n");
        var failed = called("carafe", "ps").run().endedWith(125);
        assertThat(failed.err()).isEqualTo("""
                carafe: building (once; about a minute) ...
                [ERROR] no such symbol
                error: the build failed; all of its output is in target/build.log
                """);
        assertThat(failed.out()).isEmpty();
    }
}
