package carafe.engine;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.image.Images;
import carafe.image.LoadProgress;
import carafe.image.TestImage;
import carafe.image.TestTar;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Reference;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What becomes of a cache's image when it was sent.
class LiveBuildsTest {

    @TempDir
    Path directory;

    private Images images;
    private Digest id = Digest.sha256(new byte[0]);

    @BeforeEach
    void open() throws Exception {
        images = Images.open(directory);
        var image = TestImage.of("far.example/cache:a", new TestTar().add(TestTar.file("f", "f")).bytes());
        images.load(image.stream(), LoadProgress.SILENT);
        id = image.id();
    }

    @AfterEach
    void close() throws Exception {
        images.close();
    }

    private static Reference name(String tag) {
        return new Reference("far.example", "cache", Optional.of(tag), Optional.empty());
    }

    @Test
    void twoNamesOfOneCacheGoWithTheirImage() throws Exception {
        images.tag(id.toString(), name("b"));
        LiveBuilds.letGo(images, Set.of(name("a"), name("b")), Set.of());
        assertThat(images.byId(id)).isEmpty();
    }

    @Test
    void aNameThatAUserGaveStaysWithTheImage() throws Exception {
        images.tag(id.toString(), name("mine"));
        LiveBuilds.letGo(images, Set.of(name("a")), Set.of());
        assertThat(images.byId(id).orElseThrow().tags()).isEqualTo(List.of(name("mine")));
    }

    @Test
    void anImageThatTheClientFetchesTooStaysWithoutAName() throws Exception {
        LiveBuilds.letGo(images, Set.of(name("a")), Set.of(id.toString()));
        assertThat(images.byId(id).orElseThrow().tags()).isEmpty();
    }
}
