package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// `cp` in both directions.
abstract class CopyContract extends Contract {

    private Path here = Path.of("/");

    CopyContract(DockerCommandContract whole) {
        super(whole);
    }

    @BeforeEach
    void makeFiles() throws Exception {
        here = Files.createTempDirectory(engine().directory(), "copy-");
        Files.writeString(here.resolve("file"), "local\n");
        Files.createDirectories(here.resolve("tree/sub"));
        Files.writeString(here.resolve("tree/sub/leaf"), "leaf\n");
        Files.createSymbolicLink(here.resolve("tree/link"), Path.of("sub/leaf"));
    }

    private String in(String script) throws Exception {
        return docker("exec", "live", "sh", "-c", script).text();
    }

    @Test
    void filesGoIntoRunningAndStoppedContainers() throws Exception {
        background("live", "sleep 1000");
        docker("create", "--name", "idle", IMAGE, "cat", "/tmp/file");
        for (var name : new String[] {"live", "idle"}) {
            docker("cp", here + "/file", name + ":/tmp/");
            docker("cp", here + "/file", name + ":/tmp/renamed");
            docker("cp", here + "/tree", name + ":/tmp");
            docker("cp", here + "/tree", name + ":/tmp/other");
            docker("cp", here + "/tree/.", name + ":/root");
        }
        assertThat(in("cd /tmp && find . | sort; cat renamed; readlink tree/link; ls /root")).isEqualTo("""
                .
                ./file
                ./other
                ./other/link
                ./other/sub
                ./other/sub/leaf
                ./renamed
                ./tree
                ./tree/link
                ./tree/sub
                ./tree/sub/leaf
                local
                sub/leaf
                link
                sub""");
        assertThat(docker("start", "-a", "idle").text()).isEqualTo("local");
    }

    @Test
    void filesComeOut() throws Exception {
        docker("run", "--name", "done", IMAGE, "sh", "-c",
                "mkdir -p /d/sub; echo x > /d/f; echo y > /d/sub/g; chmod 600 /d/f; ln -s f /d/l");
        docker("cp", "done:/d", here + "/out");
        docker("cp", "done:/d", here + "/tree");
        docker("cp", "done:/d/f", here + "/renamed");
        docker("cp", "done:/d/.", here + "/tree/sub");
        docker("cp", "done:/d/l", here + "/aslink");
        docker("cp", "-L", "done:/d/l", here + "/followed");
        assertThat(here.resolve("out/sub/g")).hasContent("y");
        assertThat(here.resolve("tree/d/f")).hasContent("x");
        assertThat(here.resolve("renamed")).hasContent("x");
        assertThat(Files.getPosixFilePermissions(here.resolve("renamed"))).hasSize(2);
        assertThat(here.resolve("tree/sub/sub/g")).hasContent("y");
        assertThat(Files.isSymbolicLink(here.resolve("aslink"))).isTrue();
        assertThat(here.resolve("followed")).hasContent("x");
        assertThat(Files.isSymbolicLink(here.resolve("followed"))).isFalse();
    }

    @Test
    void archivesGoThroughPipes() throws Exception {
        background("live", "mkdir /a; echo x > /a/f; sleep 1000");
        Deadline.await("the file is there", () -> command("exec", "live", "test", "-e", "/a/f").run().code() == 0);
        assertThat(docker("cp", "live:/a", "-").out()).contains("a/f").contains("ustar");
        docker("cp", "live:/a/f", here + "/f");
        assertThat(here.resolve("f")).hasContent("x");
    }

    @Test
    void volumesAreReached() throws Exception {
        docker("create", "--name", "idle", "-v", "data:/data", IMAGE);
        docker("cp", here + "/file", "idle:/data/");
        assertThat(docker("run", "--rm", "-v", "data:/d", IMAGE, "cat", "/d/file").text()).isEqualTo("local");
        docker("cp", "idle:/data/file", here + "/back");
        assertThat(here.resolve("back")).hasContent("local");
        docker("rm", "idle");
        docker("volume", "rm", "data");
    }

    @Test
    void mistakesAreSaidAsDockerSaysThem() throws Exception {
        docker("create", "--name", "idle", IMAGE);
        assertThat(failing(1, "cp", "idle:/nope", here.toString()).err())
                .containsAnyOf("Could not find the file /nope in container", "No such container:path: idle:/nope"); // 20.10
        assertThat(failing(1, "cp", "nobody:/etc", here.toString()).err())
                .containsAnyOf("No such container: nobody", "No such container:path: nobody:/etc"); // 20.10
        assertThat(failing(1, "cp", here + "/nope", "idle:/").err()).contains("no such file or directory");
        assertThat(failing(1, "cp", here + "/file", "idle:/nope/").err()).containsIgnoringCase("no such directory");
        assertThat(failing(1, "cp", here + "/tree", "idle:/etc/passwd").err()).contains("cannot copy directory");
        assertThat(failing(1, "cp", "idle:/etc", "idle:/tmp").err()).contains("copying between containers is not supported");
        assertThat(failing(1, "cp", here + "/file", here + "/other").err()).contains("must specify at least one container source");
        assertThat(failing(1, "cp", here + "/file", "idle:/root/sub/x").err())
                .containsAnyOf("Could not find the file", "No such container:path: idle:/root/sub"); // 20.10
    }

    @Test
    void readOnlyPlacesAreKept() throws Exception {
        docker("create", "--name", "sealed", "--read-only", "-v", here + ":/in:ro", IMAGE);
        assertThat(failing(1, "cp", here + "/file", "sealed:/tmp/").err()).contains("container rootfs is marked read-only");
        assertThat(failing(1, "cp", here + "/file", "sealed:/in/x").err()).contains("marked read-only");
    }

    @Test
    void ownersStayUnlessTheContainersUserIsAskedFor() throws Exception {
        Files.setAttribute(here.resolve("file"), "unix:uid", 1234);
        for (var flag : new String[] {"-a", "-L"}) {
            String name = "user" + flag;
            docker("create", "--name", name, "-u", "root", IMAGE, "stat", "-c", "%u", "/tmp/file");
            docker("cp", flag, here + "/file", name + ":/tmp/");
            assertThat(docker("start", "-a", name).text()).isEqualTo(flag.equals("-a") ? "0" : "1234");
        }
    }
}
