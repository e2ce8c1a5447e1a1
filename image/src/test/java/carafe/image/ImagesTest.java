package carafe.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Reference;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImagesTest {

    @TempDir
    private Path root;
    private Images images;

    private static final byte[] BASE = new TestTar()
            .add(TestTar.directory("etc")).add(TestTar.file("etc/os", "base")).bytes();
    private static final byte[] TOP = new TestTar()
            .add(TestTar.directory("etc")).add(TestTar.file("etc/top", "twelve bytes")).bytes();

    @BeforeEach
    void open() throws Exception {
        images = Images.open(root);
    }

    @AfterEach
    void close() throws Exception {
        images.awaitDeletion();
        images.close();
    }

    private List<Loaded> load(byte[] archive) throws EngineException {
        return images.load(new ByteArrayInputStream(archive), LoadProgress.SILENT);
    }

    @Test
    void whatARemovalForgotToForgetIsForgottenAtTheNextStart() throws Exception {
        load(TestImage.of("app:1", BASE, TOP).ociArchive());
        Path records = root.resolve("content/layers");
        Path lost = Files.writeString(records.resolve(Digest.sha256(new byte[1]).hex()), "x");
        Path half = Files.writeString(records.resolve("half.tmp"), "x");
        close();
        open();
        images.awaitDeletion();
        assertThat(lost).doesNotExist();
        assertThat(half).doesNotExist();
        assertThat(records.resolve(Digest.sha256(BASE).hex())).exists();
    }

    @Test
    void dockerArchiveGivesNamesAndUnpackedLayers() throws Exception {
        var image = TestImage.of("app:1", BASE, TOP);
        assertThat(load(image.dockerArchive()))
                .containsExactly(new Loaded(Optional.of(Reference.parse("app:1")), image.id()));
        var found = images.find("app:1");
        assertThat(found.id()).isEqualTo(image.id());
        assertThat(found.size()).isEqualTo(4 + 12);
        assertThat(images.lower(Digest.sha256(TOP)).resolve("etc/top")).hasContent("twelve bytes");
    }

    @Test
    void ociArchiveGivesTheSameImageIdAndKeepsItsManifest() throws Exception {
        var image = TestImage.of("docker.io/library/app:1", BASE, TOP);
        assertThat(load(image.ociArchive())).extracting(Loaded::id).containsExactly(image.id());
        assertThat(images.find("app:1").manifest().layers()).hasSize(2);
        assertThat(images.find("app:1").manifest().layers().getFirst().mediaType()).endsWith("gzip");
    }

    @Test
    void sharedLayersAreStoredOnce() throws Exception {
        load(TestImage.dockerArchive(List.of(TestImage.of("a:1", BASE, TOP), TestImage.of("b:1", BASE))));
        assertThat(images.list()).hasSize(2);
        assertThat(root.resolve("layers").toFile().list((_, name) -> name.length() == 64)).hasSize(2);
    }

    @Test
    void imagesAreThereAfterReopening() throws Exception {
        load(TestImage.of("app:1", BASE).dockerArchive());
        images.close();
        images = Images.open(root);
        assertThat(images.find("app:1").tags()).containsExactly(Reference.parse("app:1"));
    }

    @Test
    void unknownNamesAreSaidAsDockerSaysThem() {
        assertThatThrownBy(() -> images.find("nothing"))
                .isInstanceOf(EngineException.NotFound.class).hasMessage("No such image: nothing:latest");
        assertThatThrownBy(() -> images.find("x/y:3")).hasMessage("No such image: x/y:3");
        assertThatThrownBy(() -> images.find("Foo")).isInstanceOf(EngineException.Invalid.class)
                .hasMessage("invalid reference format: repository name (library/Foo) must be lowercase");
    }

    @Test
    void helloWorldIsMadeOnceAndRuns() throws Exception {
        Path program = Path.of(System.getProperty("carafe.native"), "hello");
        var id = HelloWorld.ensure(images, program);
        assertThat(HelloWorld.ensure(images, program)).isEqualTo(id);
        var image = images.find("hello-world");
        assertThat(image.config().run().cmd()).containsExactly("/hello");
        Path hello = images.lower(image.config().diffIds().getFirst()).resolve("hello");
        assertThat(hello).isExecutable().hasSameBinaryContentAs(program);
        assertThat(Files.size(hello)).isLessThan(30_000);
    }
}
