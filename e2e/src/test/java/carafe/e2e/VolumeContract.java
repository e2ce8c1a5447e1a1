package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// `volume`, and what containers do with volumes.
abstract class VolumeContract extends Contract {

    VolumeContract(DockerCommandContract whole) {
        super(whole);
    }

    @BeforeEach
    void startWithoutVolumes() throws Exception {
        var left = docker("volume", "ls", "-q").lines();
        if (!left.isEmpty()) {
            command("volume", "rm").and(left.toArray(String[]::new)).run().good();
        }
    }

    private String volume(String name, String template) throws Exception {
        return docker("volume", "inspect", "--format", template, name).text();
    }

    @Test
    void aVolumeIsMadeListedShownAndRemoved() throws Exception {
        assertThat(docker("volume", "create", "--label", "a=b", "data").text()).isEqualTo("data");
        assertThat(docker("volume", "create", "data").text()).isEqualTo("data");
        assertThat(docker("volume", "ls").lines()).hasSize(2).first().asString().matches("DRIVER +VOLUME NAME");
        assertThat(docker("volume", "ls").lines().getLast()).matches("local +data");
        assertThat(docker("volume", "ls", "-q", "--filter", "label=a=b").text()).isEqualTo("data");
        assertThat(docker("volume", "ls", "-q", "--filter", "label=a=c").text()).isEmpty();
        assertThat(docker("volume", "ls", "-q", "--filter", "name=at").text()).isEqualTo("data");
        assertThat(docker("volume", "ls", "-q", "--filter", "dangling=true").text()).isEqualTo("data");
        assertThat(docker("volume", "ls", "-q", "--filter", "dangling=false").text()).isEmpty();
        assertThat(volume("data", "{{.Driver}} {{.Scope}} {{.Name}} {{.Labels}} {{.Mountpoint}}"))
                .isEqualTo("local local data map[a:b] " + engine().dataRoot() + "/volumes/data/_data");
        assertThat(docker("volume", "rm", "data").text()).isEqualTo("data");
        assertThat(docker("volume", "ls", "-q").text()).isEmpty();
    }

    @Test
    void aVolumeWithoutANameGetsOne() throws Exception {
        assertThat(docker("volume", "create").text()).matches("[0-9a-f]{64}");
    }

    @Test
    void mistakesAreSaidAsDockerSaysThem() throws Exception {
        assertThat(failing(1, "volume", "inspect", "nope").err()).containsIgnoringCase("no such volume");
        assertThat(failing(1, "volume", "rm", "nope").err()).containsIgnoringCase("no such volume");
        docker("volume", "rm", "-f", "nope");
        assertThat(failing(1, "volume", "create", "a/b").err()).contains("includes invalid characters for a local volume"
                + " name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed");
        assertThat(failing(1, "volume", "create", "--opt", "color=red", "x1").err()).contains("invalid option");
        assertThat(failing(1, "volume", "create", "--opt", "type=nfs", "x1").err())
                .contains("missing required option: \"device\"");
        assertThat(failing(1, "volume", "ls", "--filter", "color=red").err()).containsIgnoringCase("invalid filter 'color");
        assertThat(docker("volume", "ls", "-q").text()).isEmpty();
    }

    @Test
    void noVolumeIsASwarms() throws Exception {
        docker("volume", "create", "plain");
        var listed = command("volume", "ls", "--cluster").run();
        if (!listed.err().contains("unknown flag") && !isDockers()) { // neither docker 20.10 nor its engine knows of any
            assertThat(listed.good().text()).startsWith("VOLUME NAME").doesNotContain("plain");
            assertThat(docker("volume", "ls", "-q", "--cluster").text()).isEmpty();
            assertThat(failing(1, "volume", "update", "--availability", "drain", "plain").err())
                    .contains("can only update cluster volumes");
            assertThat(failing(1, "volume", "create", "--scope", "multi", "x1").err())
                    .contains("This node is not a swarm manager.");
        }
        docker("volume", "rm", "plain");
    }

    /// Clients pull the image when they hear that something was not found.
    @Test
    void anUnknownDriverPullsNoImage() throws Exception {
        String refused = failing(125, "run", "--rm", "--volume-driver", "nope", "-v", "v9:/d", IMAGE, "true").err();
        if (!isDockers()) { // whose clients do pull it
            assertThat(refused).doesNotContain("Unable to find image")
                    .contains("error looking up volume plugin nope: plugin \"nope\" not found");
        }
        assertThat(failing(1, "volume", "inspect", "v9").err()).containsIgnoringCase("no such volume");
    }

    @Test
    void whatIsInUseCannotBeRemoved() throws Exception {
        String id = docker("create", "-v", "data:/d", IMAGE).text();
        assertThat(failing(1, "volume", "rm", "data").err())
                .contains("remove data: volume is in use - [" + id + "]");
        assertThat(failing(1, "volume", "rm", "-f", "data").err()).contains("volume is in use");
        docker("rm", id);
        docker("volume", "rm", "data");
    }

    @Test
    void dataOutlivesContainers() throws Exception {
        docker("run", "--rm", "-v", "data:/d", IMAGE, "sh", "-c", "echo kept > /d/f");
        assertThat(docker("run", "--rm", "-v", "data:/d:ro", IMAGE, "cat", "/d/f").text()).isEqualTo("kept");
        assertThat(failing(1, "run", "--rm", "-v", "data:/d:ro", IMAGE, "touch", "/d/f").err())
                .contains("Read-only file system");
        assertThat(docker("volume", "ls", "-q").text()).isEqualTo("data");
    }

    @Test
    void anEmptyVolumeGetsTheImagesContentWithItsAttributes() throws Exception {
        var owner = docker("run", "--rm", "-v", "data:/tmp", "-v", "home:/home", IMAGE,
                "sh", "-c", "stat -c %a /tmp; cat /home/welcome; echo changed > /home/welcome");
        assertThat(owner.text()).isEqualTo("1777\nfrom the image");
        assertThat(docker("run", "--rm", "-v", "home:/home", IMAGE, "cat", "/home/welcome").text())
                .isEqualTo("changed");
        assertThat(docker("run", "--rm", "-v", "bare:/home:nocopy", IMAGE, "ls", "/home").text()).isEmpty();
        docker("create", "--name", "idle", "-v", "early:/home", IMAGE);
        assertThat(docker("run", "--rm", "-v", "early:/seen", IMAGE, "ls", "/seen").text()).isEqualTo("welcome");
    }

    @Test
    void anonymousVolumesGoWhereDockerLetsThemGo() throws Exception {
        docker("run", "--rm", "-v", "/anon", IMAGE, "touch", "/anon/x");
        assertThat(docker("volume", "ls", "-q").text()).isEmpty();
        docker("run", "--name", "one", "-v", "/anon", "-v", "named:/n", IMAGE, "true");
        assertThat(docker("volume", "ls", "-q").lines()).hasSize(2);
        docker("rm", "-v", "one");
        assertThat(docker("volume", "ls", "-q").text()).isEqualTo("named");
        docker("run", "--name", "two", "-v", "/anon", IMAGE, "true");
        docker("rm", "two");
        assertThat(docker("volume", "ls", "-q").lines()).hasSize(2);
        var pruned = docker("volume", "prune", "-f");
        assertThat(pruned.out()).contains("Deleted Volumes:", "Total reclaimed space: 0B");
        boolean old = isDockers() || client().equals(Client.docker20()); // by version 1.41 named ones go too
        assertThat(pruned.lines().contains("named")).isEqualTo(old);
        assertThat(docker("volume", "ls", "-q").text()).isEqualTo(old ? "" : "named");
    }

    @Test
    void theImagesVolumesAreMade() throws Exception {
        docker("load", "--input", TestImages.withVolume(engine().directory()).toString());
        docker("run", "--name", "kept", "busybox:volume", "sh", "-c", "echo mine > /home/mine");
        assertThat(inspect("kept", "{{range .Mounts}}{{.Type}} {{.Destination}} {{.Driver}} {{.RW}} [{{.Mode}}]{{end}}"))
                .isEqualTo("volume /home local true []");
        assertThat(docker("run", "--rm", "--volumes-from", "kept", IMAGE, "ls", "/home").text())
                .isEqualTo("mine\nwelcome");
        docker("rm", "-v", "kept");
        assertThat(docker("volume", "ls", "-q").text()).isEmpty();
        docker("run", "--rm", "-v", "named:/home", "busybox:volume", "true");
        assertThat(docker("volume", "ls", "-q").text()).isEqualTo("named");
        docker("rmi", "busybox:volume");
    }

    @Test
    void volumesComeFromOtherContainers() throws Exception {
        docker("create", "--name", "one", "-v", "first:/first", IMAGE);
        docker("create", "--name", "two", "-v", "second:/second", IMAGE);
        assertThat(docker("run", "--rm", "--volumes-from", "one", "--volumes-from", "two:ro", IMAGE, "sh", "-c",
                "touch /first/x && ! touch /second/x 2>/dev/null && ls / | grep -E 'first|second'").text())
                .isEqualTo("first\nsecond");
        assertThat(failing(125, "run", "--rm", "--volumes-from", "nobody", IMAGE, "true").err())
                .containsIgnoringCase("No such container: nobody");
    }

    @Test
    void driverOptionsMountAFilesystemWhileItIsUsed() throws Exception {
        docker("volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=1m,uid=1000", "mem");
        assertThat(volume("mem", "{{.Options}}")).isEqualTo("map[device:tmpfs o:size=1m,uid=1000 type:tmpfs]");
        assertThat(docker("run", "--rm", "-v", "mem:/m", IMAGE, "sh", "-c",
                "stat -c %u /m; mount | grep ' /m ' | cut -d' ' -f1,5; echo x > /m/x").text()).isEqualTo("1000\ntmpfs tmpfs");
        assertThat(docker("run", "--rm", "-v", "mem:/m", IMAGE, "ls", "/m").text()).isEmpty();
        docker("volume", "create", "-o", "type=none", "-o", "device=/nowhere", "-o", "o=bind", "bad");
        assertThat(command("run", "--rm", "-v", "bad:/m", IMAGE, "true").run().err())
                .contains("failed to mount local volume: mount /nowhere:" + engine().dataRoot()
                        + "/volumes/bad/_data, flags: 0x1000: no such file or directory");
    }

    @Test
    void dfCountsUsersAndBytes() throws Exception {
        docker("run", "--name", "user", "-v", "data:/d", IMAGE, "sh", "-c", "head -c 4096 /dev/zero > /d/f");
        assertThat(RawHttp.get(engine().socket(), "/system/df"))
                .contains("\"Name\":\"data\"", "\"RefCount\":1", "\"Size\":4096");
    }

    @Test
    void psFindsContainersByVolume() throws Exception {
        docker("create", "--name", "user", "-v", "data:/d", IMAGE);
        docker("create", "--name", "other", IMAGE);
        assertThat(docker("ps", "-a", "--filter", "volume=data", "--format", "{{.Names}}").text()).isEqualTo("user");
        assertThat(docker("ps", "-a", "--filter", "volume=/d", "--format", "{{.Names}}").text()).isEqualTo("user");
    }

    private Command runWith(String name, String server, String script) {
        return command("run", "--name", name, "--mount", "type=volume,source=" + name + ",target=/d,volume-opt=type=nfs,"
                + "volume-opt=device=:/srv/nfs,\"volume-opt=o=nfsvers=4.2,rw,addr=" + server + "\"", IMAGE, "sh", "-c", script);
    }

    /// VmTest's machine has a server, and ways to 192.0.2.1 and .2, where nobody is. One test, as the machine is slow.
    @Tag("nfs")
    @Test
    void aVolumeOfAnotherMachineIsMountedWhileItIsUsedAndOneThatIsAwayKeepsNobodyWaiting() throws Exception {
        Path mounts = Path.of("/proc/self/mounts");
        Files.writeString(Path.of("/srv/nfs/given"), "outside\n");
        assertThat(runWith("data", "127.0.0.1", "grep -q ' /d nfs4 ' /proc/mounts && cat /d/given && echo inside > /d/made")
                .run().good().text()).isEqualTo("outside");
        assertThat(Files.readString(Path.of("/srv/nfs/made"))).isEqualTo("inside\n");
        Deadline.await("it is unmounted", () -> !Files.readString(mounts).contains("data/_data nfs4 "));

        for (int number = 1; number <= 2; number++) { // as many as the machine has processors
            String asked = "0" + number + "0200C0:0801 02"; // 192.0.2.N, port 2049, SYN_SENT
            try (var waiting = runWith("away" + number, "192.0.2." + number, "true").start()) {
                Deadline.await("it waits", () -> Files.readString(Path.of("/proc/net/tcp")).contains(asked));
                if (number == 1) {
                    waiting.signal("INT");
                } else {
                    docker("rm", "-f", "away2");
                }
                assertThat(waiting.await().err()).contains("given up before the server answered");
            }
        }
    }
}
