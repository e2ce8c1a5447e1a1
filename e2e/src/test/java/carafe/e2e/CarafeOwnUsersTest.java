package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// Users of containers where kernels differ: layers with mapped owners, which some only take when they are attached, and
/// files on a tmpfs as /run is, which some cannot map. VmTest runs it on Debian 12's kernel as well.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CarafeOwnUsersTest {

    private static final long FIRST = 0x7000_0000L;

    private final CarafeDaemon engine;

    CarafeOwnUsersTest() throws Exception {
        engine = new CarafeDaemon().with("--userns-remap", "default");
    }

    @BeforeAll
    void start() throws Exception {
        Files.createDirectory(engine.execRoot());
        Command.of("mount", "-t", "tmpfs", "-o", "mode=0755", "run", engine.execRoot().toString()).run().good();
        engine.start();
        docker("load", "-i", TestImages.dockerArchive(engine.directory()).toString());
    }

    @AfterEach
    void removeAll() throws Exception {
        List<String> known = docker("ps", "-aq", "--no-trunc").lines();
        engine.remember(known);
        if (!known.isEmpty()) {
            Client.docker28().to(engine).and("rm", "-fv").and(known.toArray(String[]::new)).run().good();
        }
        docker("volume", "prune", "-af");
        assertNothingApart();
    }

    @AfterAll
    void stop() throws Exception {
        engine.stop();
        Command.of("umount", engine.execRoot().toString()).run().good();
        engine.close();
    }

    private Outcome docker(String... words) throws Exception {
        return Client.docker28().to(engine).and(words).run().good();
    }

    private void run(String name, String... more) throws Exception {
        Client.carafe().to(engine).and("run", "-d", "--name", name, "--userns=auto", "--network=none").and(more)
                .and("busybox", "sleep", "1000").run().good();
    }

    /// The container's first id on the host, as it is seen inside, as the host sees it, and as the host sees its process.
    private long firstId(String name) throws Exception {
        String inside = docker("exec", name, "cat", "/proc/self/uid_map").text().replaceAll(" +", " ").strip();
        String pid = docker("inspect", "--format", "{{.State.Pid}}", name).text();
        long first = Long.parseLong(inside.split(" ")[1]);
        assertThat(inside).isEqualTo("0 " + first + " 65536");
        assertThat(Files.readString(Path.of("/proc", pid, "gid_map")).replaceAll(" +", " ").strip()).isEqualTo(inside);
        assertThat(Files.readAllLines(Path.of("/proc", pid, "status")))
                .contains("Uid:\t" + first + "\t" + first + "\t" + first + "\t" + first);
        return first;
    }

    private static Object owner(Path file) throws IOException {
        return Files.getAttribute(file, "unix:uid");
    }

    /// The mount namespaces that the daemon's threads are in: one.
    private void assertNothingApart() throws Exception {
        Deadline.await("the daemon is in one mount namespace", () -> namespaces().size() == 1);
        assertThat(Files.readAllLines(Path.of("/proc", String.valueOf(engine.pid()), "mountinfo")))
                .noneMatch(line -> line.contains(" overlay ") && line.contains(engine.directory().toString()));
    }

    private Set<String> namespaces() throws IOException {
        var found = new HashSet<String>();
        try (var tasks = Files.newDirectoryStream(Path.of("/proc", String.valueOf(engine.pid()), "task"))) {
            for (var task : tasks) {
                try {
                    found.add(Files.readSymbolicLink(task.resolve("ns/mnt")).toString());
                } catch (IOException ended) {
                    // it ended while we looked
                }
            }
        }
        return found;
    }

    @Test
    void twoContainersHaveIdsOfTheirOwnAndShareAVolume() throws Exception {
        run("one", "-v", "data:/data");
        run("two", "-v", "data:/data");
        assertThat(Set.of(firstId("one"), firstId("two"))).containsExactlyInAnyOrder(FIRST + 65_536, FIRST + 2 * 65_536);
        docker("exec", "one", "sh", "-ec", "touch /data/f /made; chown 1000 /data/f; chown 7 /made; echo x >> /etc/hosts");
        assertThat(docker("exec", "two", "stat", "-c", "%u", "/data/f", "/data", "/etc/hosts", "/bin/busybox").lines())
                .containsExactly("1000", "0", "0", "0");
        assertThat(owner(Path.of(docker("volume", "inspect", "--format", "{{.Mountpoint}}", "data").text()).resolve("f")))
                .isEqualTo(1000);
        assertThat(owner(Path.of(docker("inspect", "--format", "{{.GraphDriver.Data.UpperDir}}", "one").text())
                .resolve("made"))).isEqualTo(7);
        docker("restart", "-t", "0", "one");
        assertThat(docker("exec", "one", "stat", "-c", "%u", "/made", "/etc/hosts").lines()).containsExactly("7", "0");
    }

    @Test
    void partsOfImagesAreMounted() throws Exception {
        String mount = "type=image,source=busybox,target=/img,image-subpath=bin";
        for (String users : List.of("host", "auto")) {
            assertThat(Client.carafe().to(engine).and("run", "--rm", "--network=none", "--userns=" + users, "--mount", mount,
                    "busybox", "sh", "-c", "stat -c %u /img/busybox; touch /img/x 2>&1 | grep -c Read-only").run().good()
                    .lines()).containsExactly("0", "1");
        }
    }

    /// Script and secret lie on the tmpfs, the latter with an owner.
    @Test
    void stepsOfBuildsHaveTheirScriptsAndSecrets() throws Exception {
        Path context = Files.createDirectory(engine.directory().resolve("context"));
        Files.writeString(engine.directory().resolve("key"), "s3cr3t");
        Files.writeString(context.resolve("Dockerfile"), """
                FROM busybox
                RUN --network=none --mount=type=secret,id=key,uid=7,mode=0444 <<EOF
                stat -c %u /run/secrets/key /bin/busybox > /seen
                cat /run/secrets/key >> /seen
                chown 8 /seen
                EOF
                """);
        Client.carafe().to(engine).and("build", "--secret", "id=key,src=" + engine.directory().resolve("key"), "-t", "built",
                context.toString()).run().good();
        assertThat(docker("run", "--rm", "--network=none", "built", "sh", "-c", "cat /seen; echo; stat -c %u /seen").lines())
                .containsExactly("7", "0", "s3cr3t", "8");
        docker("rmi", "built");
    }

    @Test
    void theyOutliveTheDaemon() throws Exception {
        run("one");
        long first = firstId("one");
        engine.kill();
        engine.start();
        assertThat(firstId("one")).isEqualTo(first);
        docker("restart", "-t", "0", "one");
        assertThat(docker("exec", "one", "id", "-u").text()).isEqualTo("0");
    }
}
