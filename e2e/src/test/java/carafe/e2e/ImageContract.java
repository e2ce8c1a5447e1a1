package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import org.junit.jupiter.api.Test;

/// Images: loading them, and asking for one that is not there.
abstract class ImageContract extends Contract {

    ImageContract(DockerCommandContract whole) {
        super(whole);
    }

    @Test
    void loadNamesTheImage() throws Exception {
        var archive = engine().directory().resolve("busybox-docker.tar");
        assertThat(docker("load", "-i", archive.toString()).text()).isEqualTo("Loaded image: busybox:latest");
    }

    @Test
    void loadReadsStandardInput() throws Exception {
        var archive = engine().directory().resolve("busybox-docker.tar");
        var loaded = command("load").stdin(Files.readAllBytes(archive)).run().good();
        assertThat(loaded.text()).isEqualTo("Loaded image: busybox:latest");
    }

    @Test
    void loadRefusesWhatIsNoImage() throws Exception {
        var archive = Files.writeString(engine().directory().resolve("garbage.tar"), "garbage ".repeat(200));
        var refused = failing(1, "load", "-i", archive.toString());
        assertThat(refused.err()).isNotBlank();
        assertThat(refused.out()).doesNotContain("Loaded image");
    }

    @Test
    void loadRefusesATruncatedArchive() throws Exception {
        byte[] whole = Files.readAllBytes(engine().directory().resolve("busybox-docker.tar"));
        byte[] half = java.util.Arrays.copyOf(whole, whole.length / 2);
        var refused = command("load").stdin(half).run().endedWith(1);
        assertThat(refused.out()).doesNotContain("Loaded image");
        docker("run", "--rm", IMAGE, "true");
    }

    @Test
    void anUnknownImageIsNamed() throws Exception {
        var refused = failing(1, "create", "--pull", "never", "nosuchimage:1");
        assertThat(refused.err()).contains("No such image: nosuchimage:1");
    }

    @Test
    void runOfAnUnknownImageIsOurFailure() throws Exception {
        var refused = failing(125, "run", "--rm", "--pull", "never", "nosuchimage");
        assertThat(refused.err()).contains("No such image: nosuchimage:latest");
    }

    @Test
    void theTagMayBeLeftOutOrWritten() throws Exception {
        assertThat(docker("run", "--rm", "busybox:latest", "echo", "a").text()).isEqualTo("a");
        assertThat(docker("run", "--rm", "docker.io/library/busybox", "echo", "b").text()).isEqualTo("b");
    }

    @Test
    void anImageIsFoundByItsId() throws Exception {
        String id = background("named", "true").strip();
        String image = inspect(id, "{{.Image}}");
        assertThat(image).matches("sha256:[0-9a-f]{64}");
        assertThat(docker("run", "--rm", image, "echo", "c").text()).isEqualTo("c");
        assertThat(docker("run", "--rm", image.substring(7, 19), "echo", "d").text()).isEqualTo("d");
    }
}
