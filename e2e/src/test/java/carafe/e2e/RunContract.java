package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// `run`: output, exit codes and the flags that shape the process.
abstract class RunContract extends Contract {

    RunContract(DockerCommandContract whole) {
        super(whole);
    }

    @Test
    void bothStreamsArriveWhereTheyBelong() throws Exception {
        var both = docker("run", "--rm", IMAGE, "sh", "-c", "echo one; echo two >&2");
        assertThat(both.out()).isEqualTo("one\n");
        assertThat(both.err()).isEqualTo("two\n");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 42, 125, 126, 127, 255})
    void theExitCodeIsTheContainers(int code) throws Exception {
        failing(code, "run", "--rm", IMAGE, "sh", "-c", "exit " + code);
    }

    @Test
    void deathBySignalIsOneTwentyEightAndTheSignal() throws Exception {
        background("victim", "exec sleep 1000");
        docker("kill", "victim");
        assertThat(docker("wait", "victim").text()).isEqualTo("137");
    }

    @Test
    void anUnknownFlagIsOneTwentyFive() throws Exception {
        assertThat(failing(125, "run", "--nosuchflag", IMAGE).err()).contains("nosuchflag");
    }

    @Test
    void aFileThatCannotBeExecutedIsOneTwentySix() throws Exception {
        assertThat(failing(126, "run", "--rm", IMAGE, "/etc/plain").err()).contains("permission denied");
    }

    @Test
    void aDirectoryAsProgramIsOneTwentySix() throws Exception {
        assertThat(failing(126, "run", "--rm", IMAGE, "/etc").err())
                .containsAnyOf("permission denied", "is a directory");
    }

    @ParameterizedTest
    @ValueSource(strings = {"nosuchprogram", "/no/such/program", "./relative"})
    void aMissingProgramIsOneTwentySeven(String program) throws Exception {
        assertThat(failing(127, "run", "--rm", IMAGE, program).err())
                .contains(program)
                .containsAnyOf("executable file not found", "no such file or directory");
    }

    @Test
    void aFailedStartIsKeptWithItsCodeUnlessRmIsGiven() throws Exception {
        failing(127, "run", "--name", "broken", IMAGE, "nosuchprogram");
        assertThat(inspect("broken", "{{.State.Status}} {{.State.ExitCode}}")).isEqualTo("created 127");
        failing(127, "run", "--rm", "--name", "gone", IMAGE, "nosuchprogram");
        assertThat(docker("ps", "-a", "--format", "{{.Names}}").lines()).containsExactly("broken");
    }

    @Test
    void detachedPrintsTheIdAndReturns() throws Exception {
        String id = docker("run", "-d", IMAGE, "sleep", "1000").text();
        assertThat(id).matches("[0-9a-f]{64}");
        assertThat(inspect(id, "{{.State.Running}}")).isEqualTo("true");
    }

    @Test
    void removedAfterwardsMeansGone() throws Exception {
        docker("run", "--rm", "--name", "short", IMAGE, "true");
        assertThat(docker("ps", "-a", "--format", "{{.Names}}").text()).isEmpty();
        docker("run", "-d", "--rm", "--name", "short", IMAGE, "true");
        Deadline.await("short is removed", () -> docker("ps", "-aq").text().isEmpty());
    }

    @Test
    void withoutRmTheContainerStays() throws Exception {
        failing(3, "run", "--name", "kept", IMAGE, "sh", "-c", "exit 3");
        assertThat(inspect("kept", "{{.State.Status}} {{.State.ExitCode}}")).isEqualTo("exited 3");
    }

    @Test
    void aTakenNameIsAConflict() throws Exception {
        String id = background("taken", "sleep 1000");
        assertThat(failing(125, "run", "--name", "taken", IMAGE, "true").err())
                .contains("Conflict. The container name \"/taken\" is already in use by container \"" + id + "\"");
        docker("rm", "-f", "taken");
        docker("run", "--rm", "--name", "taken", IMAGE, "true");
    }

    @Test
    void anInvalidNameIsRefused() throws Exception {
        assertThat(failing(125, "run", "--name", "not/allowed", IMAGE, "true").err())
                .contains("Invalid container name (not/allowed)");
    }

    @Test
    void aContainerWithoutANameGetsOne() throws Exception {
        String id = docker("run", "-d", IMAGE, "true").text();
        assertThat(inspect(id, "{{.Name}}")).matches("/[a-z]+_[a-z]+[0-9]*");
    }

    @Test
    void theEnvironmentIsTheImagesAndOurs() throws Exception {
        var lines = command("run", "--rm", "-e", "A=1 2", "-e", "FROM_TEST", "-e", "FROM_IMAGE=no", IMAGE, "env")
                .with("FROM_TEST", "yes")
                .run()
                .good()
                .lines();
        assertThat(lines)
                .contains("A=1 2", "FROM_TEST=yes", "FROM_IMAGE=no", "HOME=/root")
                .contains("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
                .anyMatch(line -> line.matches("HOSTNAME=[0-9a-f]{12}"));
    }

    @Test
    void anEnvironmentFileIsRead() throws Exception {
        var file = Files.writeString(engine().directory().resolve("variables"), "# comment\nB=two\nC=a=b\n");
        var lines = docker("run", "--rm", "--env-file", file.toString(), IMAGE, "env").lines();
        assertThat(lines).contains("B=two", "C=a=b");
    }

    @Test
    void theWorkingDirectoryIsMadeIfMissing() throws Exception {
        assertThat(docker("run", "--rm", IMAGE, "pwd").text()).isEqualTo("/");
        assertThat(docker("run", "--rm", "-w", "/etc", IMAGE, "pwd").text()).isEqualTo("/etc");
        assertThat(docker("run", "--rm", "-w", "/made/here", IMAGE, "pwd").text()).isEqualTo("/made/here");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "guest      | uid=405(guest) gid=100(users) groups=77(extra),100(users)",
        "405        | uid=405(guest) gid=100(users) groups=77(extra),100(users)",
        "guest:77   | uid=405(guest) gid=77(extra) groups=77(extra)",
        "1234:5678  | uid=1234 gid=5678 groups=5678",
        "root       | uid=0(root) gid=0(root) groups=0(root)",
    })
    void theUserIsResolvedInTheImage(String user, String identity) throws Exception {
        String said = docker("run", "--rm", "-u", user, IMAGE, "id").text();
        // The order of supplementary groups means nothing.
        assertThat(said.replace("groups=100(users),77(extra)", "groups=77(extra),100(users)")).isEqualTo(identity);
    }

    @Test
    void aUserThatTheImageLacksIsNamed() throws Exception {
        assertThat(command("run", "--rm", "-u", "nosuchuser", IMAGE, "id").run().endedWith(125).err())
                .contains("unable to find user nosuchuser");
    }

    @Test
    void homeIsTheUsers() throws Exception {
        assertThat(docker("run", "--rm", "-u", "guest", IMAGE, "sh", "-c", "echo $HOME").text()).isEqualTo("/home");
    }

    @Test
    void entrypointComesBeforeTheCommand() throws Exception {
        assertThat(docker("run", "--rm", "--entrypoint", "echo", IMAGE, "a", "b").text()).isEqualTo("a b");
        assertThat(docker("run", "--rm", "--entrypoint", "pwd", IMAGE).text()).isEqualTo("/");
    }

    @Test
    void theImagesCommandRunsIfNoneIsGiven() throws Exception {
        var session = command("run", "--rm", "-i", IMAGE).stdin("echo from $0\n").run().good();
        assertThat(session.text()).isEqualTo("from sh");
    }

    @Test
    void aReadOnlyRootCannotBeWritten() throws Exception {
        var refused = failing(1, "run", "--rm", "--read-only", IMAGE, "touch", "/file");
        assertThat(refused.err()).contains("Read-only file system");
        docker("run", "--rm", "--read-only", IMAGE, "sh", "-c", "echo x > /dev/shm/file && echo x > /dev/null");
    }

    @Test
    void aTmpfsIsWritableInAReadOnlyRoot() throws Exception {
        docker("run", "--rm", "--read-only", "--tmpfs", "/tmp", IMAGE, "sh", "-c", "echo x > /tmp/file");
    }

    @Test
    void changesStayWithTheContainer() throws Exception {
        docker("run", "--name", "writer", IMAGE, "sh", "-c", "echo mine > /file");
        failing(1, "run", "--rm", IMAGE, "test", "-e", "/file");
        docker("start", "-a", "writer");
    }

    @Test
    void labelsAreKept() throws Exception {
        docker("run", "--name", "labelled", "--label", "a=b", "-l", "bare", IMAGE, "true");
        assertThat(inspect("labelled", "{{.Config.Labels}}")).isEqualTo("map[a:b bare: maker:e2e]");
    }

    @Test
    void theIdIsWrittenToAFile() throws Exception {
        var file = engine().directory().resolve("cid");
        Files.deleteIfExists(file);
        docker("run", "--name", "written", "--cidfile", file.toString(), IMAGE, "true");
        assertThat(Files.readString(file)).isEqualTo(inspect("written", "{{.Id}}"));
        failing(125, "run", "--cidfile", file.toString(), IMAGE, "true");
    }

    @Test
    void tenAtOnceAllSucceed() throws Exception {
        var sessions = new java.util.ArrayList<Session>();
        for (int i = 0; i < 10; i++) {
            sessions.add(command("run", "--rm", IMAGE, "echo", "number " + i).start());
        }
        for (int i = 0; i < 10; i++) {
            assertThat(sessions.get(i).await().good().text()).isEqualTo("number " + i);
        }
    }
}
