package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Layers as the host sees them: each is mounted once however many containers stand on it, and lets go of the disk when
/// its image is removed.
final class CarafeLayersTest {

    private final Client client = Client.docker28();

    private Outcome docker(EngineUnderTest engine, String... words) throws Exception {
        return client.to(engine).and(words).run().good();
    }

    /// An image `two:1` of two layers, and nothing else that is in use.
    private void makeTwoLayers(EngineUnderTest engine) throws Exception {
        docker(engine, "load", "-i", TestImages.dockerArchive(engine.directory()).toString());
        String id = docker(engine, "create", "--network", "none", "busybox", "sh", "-c", "echo top > /top").text();
        engine.remember(List.of(id));
        docker(engine, "start", "-a", id);
        docker(engine, "commit", id, "two:1");
        docker(engine, "rm", id);
    }

    /// The EROFS file systems that the daemon holds, `DEVICE` each, as often as it holds them. They are mounted nowhere,
    /// so only its descriptors show them.
    private static List<String> mountsOf(EngineUnderTest engine) throws Exception {
        String script = "for fd in /proc/" + engine.pid() + "/fd/*; do [ \"$(stat -Lfc %t $fd 2>/dev/null)\" = e0f5e1e2 ]"
                + " && stat -Lc %d $fd; done; true";
        return Command.of("sh", "-c", script).run().good().lines();
    }

    private String sleeping(EngineUnderTest engine, String name) throws Exception {
        String id = docker(engine, "run", "-d", "--name", name, "--network", "none", "two:1", "sleep", "1000").text();
        engine.remember(List.of(id));
        return id;
    }

    @Test
    void containersOfAnImageShareOneMountPerLayer() throws Exception {
        try (var engine = new CarafeDaemon()) {
            engine.start();
            makeTwoLayers(engine);
            sleeping(engine, "first");
            var mounts = mountsOf(engine);
            assertThat(mounts).as("one for each layer").hasSize(2).doesNotHaveDuplicates();
            for (String next : List.of("second", "third")) {
                sleeping(engine, next);
                assertThat(mountsOf(engine)).as("after the %s container", next).containsExactlyInAnyOrderElementsOf(mounts);
            }
            for (String name : List.of("first", "second", "third")) {
                assertThat(docker(engine, "exec", name, "cat", "/top", "/etc/plain").lines())
                        .containsExactly("top", "not a program");
            }
            docker(engine, "rm", "-f", "first", "second", "third");
            docker(engine, "rmi", "two:1");
            assertThat(mountsOf(engine)).as("the base alone").hasSize(1).isSubsetOf(mounts);
            docker(engine, "rmi", "busybox");
            Deadline.await("no layer is mounted", () -> mountsOf(engine).isEmpty());
        }
    }

    /// Makes the image's last use one of two months ago.
    private void age(EngineUnderTest engine, String image) throws Exception {
        String id = docker(engine, "images", "-q", "--no-trunc", image).text();
        Files.setLastModifiedTime(engine.dataRoot().resolve("content/blobs/sha256").resolve(id.substring("sha256:".length())),
                FileTime.from(Instant.now().minus(Duration.ofDays(60))));
    }

    /// What is there after a clean-up of all that was not used for a month.
    private List<String> leftByPrune(EngineUnderTest engine, Client by) throws Exception {
        by.to(engine).and("image", "prune", "-af", "--filter", "unused-for=720h").run().good();
        return docker(engine, "images", "--format", "{{.Repository}}").lines();
    }

    static List<Client> clients() {
        return List.of(Client.carafe(), Client.docker28());
    }

    @ParameterizedTest
    @MethodSource("clients")
    void aCleanUpByLastUseSparesWhatWasUsed(Client by) throws Exception {
        try (var engine = new CarafeDaemon()) {
            engine.start();
            makeTwoLayers(engine);
            docker(engine, "tag", "two:1", "kept:1");
            Path context = Files.createDirectory(engine.directory().resolve("context"));
            Files.writeString(context.resolve("Dockerfile"), "FROM two:1\nLABEL built=yes\n");
            docker(engine, "build", "-q", "-t", "built:1", context.toString());
            for (String image : List.of("busybox", "two:1", "built:1")) {
                age(engine, image);
            }
            docker(engine, "build", "-q", "-t", "built:1", context.toString()); // finds all it needs, and uses it
            assertThat(leftByPrune(engine, by)).contains("two", "kept", "built").doesNotContain("busybox");
            age(engine, "two:1");
            age(engine, "built:1");
            String id = docker(engine, "run", "-d", "--network", "none", "two:1", "sleep", "1000").text();
            engine.remember(List.of(id));
            age(engine, "two:1");
            docker(engine, "rm", "-f", id); // that ran for two months
            assertThat(leftByPrune(engine, by)).contains("two", "kept").doesNotContain("built");
            age(engine, "two:1");
            assertThat(leftByPrune(engine, by)).doesNotContain("two", "kept");
        }
    }

    /// The disk gets back what a layer took although containers had it mounted.
    @Test
    void aRemovedImageGivesItsSpaceBack() throws Exception {
        byte[] noise = new byte[24 << 20];
        new Random(7).nextBytes(noise);
        try (var engine = new CarafeDaemon()) {
            Files.createDirectory(engine.dataRoot());
            Command.of("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", engine.dataRoot().toString()).run().good();
            try {
                engine.start();
                makeTwoLayers(engine);
                Path tar = Files.write(engine.directory().resolve("noise.tar"),
                        new Tar().file("noise", 0644, noise).finish());
                engine.awaitOwnLibrary();
                long before = engine.dataRoot().toFile().getUsableSpace();
                docker(engine, "import", tar.toString(), "noise:1");
                assertThat(engine.dataRoot().toFile().getUsableSpace()).isLessThan(before - noise.length);
                String id = docker(engine, "create", "--network", "none", "noise:1", "nothing").text();
                engine.remember(List.of(id));
                docker(engine, "cp", id + ":/noise", engine.directory().resolve("copy").toString());
                assertThat(engine.directory().resolve("copy")).hasBinaryContent(noise);
                docker(engine, "rm", id);
                assertThat(docker(engine, "rmi", "noise:1").out()).contains("Untagged: noise:1", "Deleted: sha256:");
                assertThat(docker(engine, "images", "-q", "noise").text()).isEmpty();
                Deadline.await("the space is free",
                        () -> engine.dataRoot().toFile().getUsableSpace() > before - (4 << 20));
                engine.stop();
            } finally {
                Command.of("umount", "--lazy", engine.dataRoot().toString()).run();
            }
        }
    }
}
