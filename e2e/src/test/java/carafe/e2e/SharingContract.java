package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// What containers share of each other: processes, ipc and shared memory.
abstract class SharingContract extends Contract {

    SharingContract(DockerCommandContract whole) {
        super(whole);
    }

    private String sleeping(String name, String... flags) throws Exception {
        return command("run", "-d", "--name", name).and(flags).and(IMAGE, "sleep", "600").run().good().text();
    }

    private String link(String container, String kind) throws Exception {
        return docker("exec", container, "readlink", "/proc/self/ns/" + kind).text();
    }

    @Test
    void processesOfAnotherAreSeenAndSignalled() throws Exception {
        String id = sleeping("owner");
        sleeping("guest", "--pid", "container:owner");
        assertThat(link("guest", "pid")).isEqualTo(link("owner", "pid"));
        assertThat(link("guest", "ipc")).isNotEqualTo(link("owner", "ipc"));
        assertThat(docker("exec", "guest", "sh", "-c", "tr '\\0' . < /proc/1/cmdline").text()).isEqualTo("sleep.600.");
        assertThat(docker("exec", "guest", "sh", "-c", "ps -o pid,args | grep -c 'sleep 60[0]'").text()).isEqualTo("2");
        assertThat(docker("inspect", "-f", "{{.HostConfig.PidMode}}", "guest").text()).isEqualTo("container:" + id);
        docker("stop", "-t", "0", "guest");
        assertThat(docker("inspect", "-f", "{{.State.Running}}", "owner").text()).isEqualTo("true");
        docker("start", "guest");
        docker("stop", "-t", "0", "owner"); // the first process of the namespace: all others die with it
        Deadline.await("the guest has ended too", () ->
                docker("inspect", "-f", "{{.State.Running}} {{.State.ExitCode}}", "guest").text().equals("false 137"));
    }

    @Test
    void whoseProcessesAreSharedHasToRun() throws Exception {
        String id = docker("create", "--name", "owner", IMAGE, "sleep", "600").text();
        docker("create", "--name", "guest", "--pid", "container:owner", IMAGE, "true");
        docker("create", "--name", "member", "--ipc", "container:owner", IMAGE, "true");
        assertThat(failing(1, "start", "guest").err())
                .contains("container " + id + " is not running");
        assertThat(failing(1, "start", "member").err())
                .contains("container " + id + " is not running");
        assertThat(command("run", "--name", "lonely", "--pid", "container:nobody", IMAGE, "true").run().err())
                .contains("No such container: nobody"); // at create or at start
        docker("start", "owner");
        docker("start", "-a", "guest");
    }

    @Test
    void ipcIsSharedWhereItIsOffered() throws Exception {
        String id = sleeping("owner", "--ipc", "shareable", "--shm-size", "3m");
        sleeping("guest", "--ipc", "container:owner");
        assertThat(link("guest", "ipc")).isEqualTo(link("owner", "ipc"));
        assertThat(link("guest", "pid")).isNotEqualTo(link("owner", "pid"));
        assertThat(docker("inspect", "-f", "{{.HostConfig.IpcMode}}", "guest").text()).isEqualTo("container:" + id);
        docker("exec", "owner", "sh", "-c", "echo told > /dev/shm/x");
        assertThat(docker("exec", "guest", "cat", "/dev/shm/x").text()).isEqualTo("told");
        docker("exec", "guest", "sh", "-c", "echo answered > /dev/shm/y");
        assertThat(docker("exec", "owner", "cat", "/dev/shm/y").text()).isEqualTo("answered");
        assertThat(docker("exec", "guest", "sh", "-c", "df -k /dev/shm | awk 'NR == 2 {print $2}'").text())
                .isEqualTo("3072");
        sleeping("third", "--ipc", "container:guest"); // of one that shares it itself
        assertThat(docker("exec", "third", "cat", "/dev/shm/x").text()).isEqualTo("told");
        docker("stop", "-t", "0", "owner");
        assertThat(docker("exec", "guest", "cat", "/dev/shm/x").text()).isEqualTo("told");
    }

    @Test
    void ipcIsPrivateUnlessItIsOffered() throws Exception {
        assertThat(docker("run", "--rm", IMAGE, "df", "/dev/shm").text()).contains("/dev/shm");
        for (String mode : new String[] {"private", "none"}) {
            String id = sleeping("owner-" + mode, "--ipc", mode);
            assertThat(docker("inspect", "-f", "{{.HostConfig.IpcMode}}", "owner-" + mode).text()).isEqualTo(mode);
            docker("create", "--name", "guest-" + mode, "--ipc", "container:owner-" + mode, IMAGE, "true");
            assertThat(failing(1, "start", "guest-" + mode).err()).contains("container " + id
                    + ": non-shareable IPC (hint: use IpcMode:shareable for the donor container)");
        }
        assertThat(docker("exec", "owner-none", "sh", "-c", "grep -c ' /dev/shm ' /proc/mounts || true").text())
                .isEqualTo("0");
        sleeping("hosts", "--ipc", "host");
        sleeping("guest", "--ipc", "container:hosts");
        assertThat(link("guest", "ipc")).isEqualTo(link("hosts", "ipc"));
    }

    @Test
    void allOfAnotherIsShared() throws Exception {
        sleeping("owner", "--ipc", "shareable");
        assertThat(docker("run", "--rm", "--pid", "container:owner", "--ipc", "container:owner", "--network",
                "container:owner", IMAGE, "sh", "-c", "for n in pid ipc net; do readlink /proc/self/ns/$n; done").lines())
                .containsExactly(link("owner", "pid"), link("owner", "ipc"), link("owner", "net"));
    }
}
