package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// `ps` and `inspect`.
abstract class ListingContract extends Contract {

    ListingContract(DockerCommandContract whole) {
        super(whole);
    }

    private void three() throws Exception {
        docker("create", "--name", "unborn", "--label", "kind=a", IMAGE, "true");
        background("alive", "sleep 1000");
        docker("run", "--name", "dead", "--label", "kind=b", IMAGE, "true");
    }

    private String[] names(String... flags) throws Exception {
        return command("ps", "--format", "{{.Names}}").and(flags).run().good().lines().toArray(String[]::new);
    }

    @Test
    void psShowsTheRunningAndWithAllTheRest() throws Exception {
        three();
        assertThat(names()).containsExactly("alive");
        assertThat(names("-a")).containsExactly("dead", "alive", "unborn");
        assertThat(names("-n", "2")).containsExactly("dead", "alive");
        assertThat(names("-l")).containsExactly("dead");
    }

    @Test
    void theTableHasDockersColumns() throws Exception {
        String id = background("alive", "sleep 1000");
        var lines = docker("ps").lines();
        assertThat(lines.getFirst().strip().split(" {2,}"))
                .containsExactly("CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES");
        assertThat(lines.get(1))
                .matches(id.substring(0, 12) + " +busybox +\"sh -c 'sleep 1000'\" +.*ago +Up .* +alive *");
        assertThat(docker("ps", "--no-trunc", "-q").text()).isEqualTo(id);
        assertThat(docker("ps", "-q").text()).isEqualTo(id.substring(0, 12));
    }

    @Test
    void longCommandsAreCut() throws Exception {
        background("long", "sleep 1000; echo a very long command line");
        assertThat(docker("ps", "--format", "{{.Command}}").text()).isEqualTo("\"sh -c 'sleep 1000; …\"");
        assertThat(docker("ps", "--no-trunc", "--format", "{{.Command}}").text())
                .isEqualTo("\"sh -c 'sleep 1000; echo a very long command line'\"");
    }

    @Test
    void anEmptyListIsAHeading() throws Exception {
        assertThat(docker("ps", "-a").lines()).hasSize(1);
        assertThat(docker("ps", "-aq").text()).isEmpty();
    }

    @Test
    void filtersNarrow() throws Exception {
        three();
        assertThat(names("-a", "-f", "status=exited")).containsExactly("dead");
        assertThat(names("-f", "status=created")).containsExactly("unborn");
        assertThat(names("-a", "-f", "name=live")).containsExactly("alive");
        assertThat(names("-a", "-f", "name=^/dead$")).containsExactly("dead");
        assertThat(names("-a", "-f", "label=kind")).containsExactly("dead", "unborn");
        assertThat(names("-a", "-f", "label=kind=a")).containsExactly("unborn");
        assertThat(names("-a", "-f", "exited=0")).containsExactly("dead");
        assertThat(names("-a", "-f", "ancestor=busybox")).hasSize(3);
        assertThat(names("-a", "-f", "id=" + inspect("alive", "{{.Id}}"))).containsExactly("alive");
        assertThat(failing(1, "ps", "-f", "nosuch=x").err()).containsIgnoringCase("invalid filter 'nosuch");
    }

    @Test
    void statusIsProse() throws Exception {
        docker("create", "--name", "unborn", IMAGE, "true");
        failing(3, "run", "--name", "dead", IMAGE, "sh", "-c", "exit 3");
        background("alive", "sleep 1000");
        assertThat(docker("ps", "-a", "--format", "{{.Status}}").lines()).satisfiesExactly(
                alive -> assertThat(alive).startsWith("Up "),
                dead -> assertThat(dead).matches("Exited \\(3\\) .* ago"),
                unborn -> assertThat(unborn).isEqualTo("Created"));
    }

    @Test
    void jsonLinesAreObjects() throws Exception {
        background("alive", "sleep 1000");
        assertThat(docker("ps", "--format", "{{json .}}").text())
                .startsWith("{")
                .contains("\"Names\":\"alive\"", "\"State\":\"running\"", "\"Image\":\"busybox\"");
    }

    @Test
    void inspectTellsWhatWasAskedFor() throws Exception {
        docker("create", "--name", "asked", "-e", "A=b", "-w", "/tmp", "-u", "guest",
                "--memory", "64m", "--cpus", "1.5",
                "--pids-limit", "33", "--hostname", "named", "--entrypoint", "sh", "--read-only", IMAGE, "-c", "true");
        assertThat(inspect("asked", "{{.Name}} {{.Path}} {{.Args}}")).isEqualTo("/asked sh [-c true]");
        assertThat(inspect("asked", "{{.Config.WorkingDir}} {{.Config.User}} {{.Config.Hostname}} {{.Config.Image}}"))
                .isEqualTo("/tmp guest named busybox");
        assertThat(inspect("asked", "{{.Config.Cmd}} {{.Config.Entrypoint}} {{.Config.Tty}} {{.Config.OpenStdin}}"))
                .isEqualTo("[-c true] [sh] false false");
        assertThat(inspect("asked", "{{.Config.Env}}"))
                .contains("A=b", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        assertThat(inspect("asked", "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}}"))
                .isEqualTo("67108864 1500000000 33");
        assertThat(inspect("asked", "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.AutoRemove}} {{.RestartCount}}"))
                .isEqualTo("true false 0");
        assertThat(inspect("asked", "{{.HostConfig.LogConfig.Type}}")).isEqualTo("json-file");
    }

    @Test
    void inspectOfARunningContainerHasItsProcess() throws Exception {
        background("alive", "sleep 1000");
        long pid = Long.parseLong(inspect("alive", "{{.State.Pid}}"));
        assertThat(ProcessHandle.of(pid)).isPresent();
        assertThat(inspect("alive", "{{.State.Running}} {{.State.Paused}} {{.State.Restarting}} {{.State.Dead}}"))
                .isEqualTo("true false false false");
    }

    @Test
    void inspectIsAList() throws Exception {
        docker("create", "--name", "aa", IMAGE);
        docker("create", "--name", "bb", IMAGE);
        assertThat(docker("inspect", "aa", "bb").text()).startsWith("[").endsWith("]").contains("\"/aa\"", "\"/bb\"");
        var partly = failing(1, "inspect", "aa", "nosuch");
        assertThat(partly.out()).contains("\"/aa\"");
    }
}
