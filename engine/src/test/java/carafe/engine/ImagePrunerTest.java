package carafe.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.image.TestImage;
import carafe.image.TestPlatform;
import carafe.image.TestTar;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.build.BuildContexts;
import carafe.spec.build.BuildOutcome;
import carafe.spec.build.BuildRequest;
import carafe.spec.docker.ContainerConfig;
import carafe.spec.docker.Filters;
import carafe.spec.docker.HostConfig;
import carafe.spec.docker.NetworkingConfig;
import carafe.spec.oci.Platform;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What `image prune` takes with each of its filters, what counts as a use, and what `system df` says of layers. There is an image
/// `app` from the beginning, without a time of making.
class ImagePrunerTest {

    @TempDir
    private Path root;

    private EngineHarness harness;
    private ImageCatalog images;

    @BeforeEach
    void open() throws Exception {
        harness = new EngineHarness(root);
        images = harness.engine.images();
    }

    @AfterEach
    void close() throws Exception {
        harness.close();
    }

    /// An image of one file, made now; without a name if `name` is empty.
    private String made(String name, String... changes) throws Exception {
        var tar = new TestTar().add(TestTar.file("f", name + List.of(changes))).bytes();
        return images.importRoot(new ByteArrayInputStream(tar),
                new ImportRequest("-", name, "", "", "", List.of(changes)));
    }

    private List<String> pruned(String filters) throws Exception {
        var before = left();
        images.prune(Filters.parse(filters));
        var after = left();
        return before.stream().filter(id -> !after.contains(id)).toList();
    }

    private List<String> left() throws EngineException {
        return images.list(Filters.NONE).stream().map(image -> image.id().toString()).toList();
    }

    @Test
    void onlyImagesWithoutANameGoUnlessAllAreMeant() throws Exception {
        String nameless = made("");
        String named = made("named");
        var result = images.prune(Filters.parse(""));
        assertThat(result.removals()).contains(new ImageRemoval.Deleted(nameless));
        assertThat(result.reclaimedBytes()).isPositive();
        assertThat(left()).hasSize(2).contains(named);
        assertThat(pruned("{\"dangling\":[\"true\"]}")).isEmpty();
        assertThat(pruned("{\"dangling\":[\"false\"]}")).hasSize(2).contains(named);
        assertThat(left()).isEmpty();
    }

    @Test
    void whatAContainerUsesStays() throws Exception {
        String used = made("used", "CMD [\"true\"]");
        harness.containers().create(new CreateRequest("one", "",
                ContainerConfig.parse(Json.object().put("Image", "used").build()),
                HostConfig.parse(Json.object().build()),
                NetworkingConfig.NONE));
        assertThat(pruned("{\"dangling\":[\"false\"]}")).hasSize(1).doesNotContain(used);
        assertThat(left()).containsExactly(used);
    }

    @Test
    void youngerOnesThanUntilStay() throws Exception {
        String old = made("");
        harness.clock.putForward(Duration.ofHours(5));
        String young = made("", "LABEL younger=yes");
        assertThat(pruned("{\"until\":[\"6h\"]}")).isEmpty();
        assertThat(pruned("{\"until\":[\"4h\"]}")).containsExactly(old);
        harness.clock.putForward(Duration.ofHours(5));
        assertThat(pruned("{\"until\":[\"4h\"]}")).containsExactly(young);
    }

    private void load(byte[] archive) throws Exception {
        images.load(new ByteArrayInputStream(archive), Optional.empty(), new LoadListener() {
            @Override
            public void layer(String id, long doneBytes, long totalBytes) {
                // the test looks at the end only
            }

            @Override
            public void message(String text) {
                // nor does anybody read along
            }
        });
    }

    /// The images of a name go together, so all of them must be meant.
    @Test
    void whatAFilterSparesKeepsThoseThatShareItsName() throws Exception {
        var now = Optional.of(harness.clock.instant());
        var own = TestPlatform.of(Platform.host(), Optional.empty(), "own");
        var foreign = TestPlatform.of(Platform.of("linux", "s390x"), now, "foreign");
        load(TestPlatform.archive("docker.io/library/many:1", List.of(List.of(own, foreign))));
        assertThat(pruned("{\"dangling\":[\"false\"],\"until\":[\"4h\"]}")).hasSize(1); // app
        assertThat(left()).containsExactly(own.id().toString()); // which shows the name
        assertThat(images.inspect(foreign.id().toString(), Optional.empty()).id()).isEqualTo(foreign.id());
        harness.clock.putForward(Duration.ofHours(5));
        assertThat(pruned("{\"dangling\":[\"false\"],\"until\":[\"4h\"]}")).containsExactly(own.id().toString());
        assertThatThrownBy(() -> images.inspect(foreign.id().toString(), Optional.empty()))
                .isInstanceOf(EngineException.NotFound.class);
    }

    @Test
    void labelsChooseAndSpare() throws Exception {
        String web = made("", "LABEL tier=web");
        String data = made("", "LABEL tier=data");
        assertThat(pruned("{\"label\":[\"tier=mail\"]}")).isEmpty();
        assertThat(pruned("{\"label!\":[\"tier\"]}")).isEmpty();
        assertThat(pruned("{\"label!\":[\"tier=data\"]}")).containsExactly(web);
        assertThat(pruned("{\"label\":[\"tier=data\"]}")).containsExactly(data);
    }

    @Test
    void whatWasUsedLatelyStays() throws Exception {
        String idle = made("", "LABEL kind=idle");
        String other = made("used", "CMD [\"true\"]");
        assertThat(pruned("{\"dangling\":[\"false\"],\"unused-for\":[\"1h\"]}")).isEmpty();
        harness.clock.putForward(Duration.ofHours(2));
        assertThat(pruned("{\"dangling\":[\"false\"],\"unused-for\":[\"30d\"]}")).isEmpty();
        assertThat(pruned("{\"unused-for\":[\"90m\"]}")).containsExactly(idle);
        assertThat(pruned("{\"dangling\":[\"false\"],\"unused-for\":[\"1h\"]}")).contains(other);
        assertThatThrownBy(() -> pruned("{\"unused-for\":[\"soon\"]}")).isInstanceOf(EngineException.Invalid.class)
                .hasMessage("invalid duration \"soon\": write 30d, 12h or 90m");
        assertThatThrownBy(() -> pruned("{\"colour\":[\"red\"]}")).isInstanceOf(EngineException.Invalid.class);
    }

    /// The file whose time is the image's last use.
    private Path blob(String id) {
        return root.resolve("data/content/blobs/sha256").resolve(id.substring("sha256:".length()));
    }

    /// Whether the image, last used two months ago, counts as used after `action`.
    private boolean isUsedBy(String id, Callable<?> action) throws Exception {
        Files.setLastModifiedTime(blob(id), FileTime.from(harness.clock.instant().minus(Duration.ofDays(60))));
        action.call();
        return Files.getLastModifiedTime(blob(id)).toInstant().isAfter(harness.clock.instant().minus(Duration.ofDays(1)));
    }

    private Callable<?> doing(Action action) {
        return () -> {
            action.run();
            return action;
        };
    }

    @FunctionalInterface
    private interface Action {
        void run() throws Exception;
    }

    @Test
    void aContainerUsesItsImageWhenItIsMadeStartedAndRemoved() throws Exception {
        String app = images.inspect("app", Optional.empty()).id().toString();
        assertThat(isUsedBy(app, doing(() -> images.inspect("app", Optional.empty())))).as("looking is no use").isFalse();
        assertThat(isUsedBy(app, () -> harness.create("one", "sleep"))).as("created").isTrue();
        assertThat(isUsedBy(app, doing(() -> harness.containers().start("one")))).as("started").isTrue();
        assertThat(isUsedBy(app, doing(() -> harness.containers().stop("one", StopRequest.DEFAULT)))).as("stopped")
                .isFalse();
        assertThat(isUsedBy(app, doing(() -> harness.containers().start("one")))).as("started again").isTrue();
        assertThat(isUsedBy(app, doing(() -> harness.containers().remove("one", new RemoveRequest(true, false)))))
                .as("removed after a long run").isTrue();
        assertThat(pruned("{\"dangling\":[\"false\"],\"unused-for\":[\"30d\"]}")).isEmpty();
    }

    private BuildOutcome build(String dockerfile) throws Exception {
        var request = new BuildRequest("Dockerfile", List.of(), Map.of(), Map.of(), Optional.empty(), List.of(),
                BuildRequest.Cache.USE, BuildRequest.Running.PLAIN, BuildRequest.Result.IMAGE, BuildContexts.NONE);
        var context = new TestTar().add(TestTar.file("f", "f".repeat(3000))).add(TestTar.file("Dockerfile", dockerfile));
        return harness.engine.builds().build(request, List.of(), new ByteArrayInputStream(context.bytes()), _ -> { });
    }

    @Test
    void aBuildUsesTheImagesThatItBeginsWithAndCopiesFrom() throws Exception {
        String app = images.inspect("app", Optional.empty()).id().toString();
        String other = made("other");
        assertThat(isUsedBy(app, () -> build("FROM app\nLABEL a=b\n"))).isTrue();
        assertThat(isUsedBy(app, () -> build("FROM app\nLABEL a=b\n"))).as("with all from the cache").isTrue();
        assertThat(isUsedBy(other, () -> build("FROM scratch\nCOPY --from=other /f /g\n"))).isTrue();
        assertThat(isUsedBy(other, () -> build("FROM app\nLABEL a=b\n"))).as("without it").isFalse();
    }

    @Test
    void aLayerThatOnlyBuildsKeepIsTheirs() throws Exception {
        long before = images.usage(List.of()).layersBytes();
        String built = build("FROM scratch\nCOPY f /f\n").imageId().orElseThrow();
        assertThat(images.usage(List.of()).layersBytes() - before).isEqualTo(3000);
        assertThat(harness.engine.builds().cache()).singleElement().satisfies(use -> {
            assertThat(use.bytes()).isEqualTo(3000);
            assertThat(use.shared()).isTrue();
        });
        images.remove(built, false);
        assertThat(images.usage(List.of()).layersBytes()).isEqualTo(before);
        assertThat(harness.engine.builds().cache()).singleElement().satisfies(use -> assertThat(use.shared()).isFalse());
    }

    @Test
    void aLayerThatAContainerKeepsCountsAmongLayersWithoutItsImage() throws Exception {
        long before = images.usage(List.of()).layersBytes();
        String built = build("FROM scratch\nCOPY f /f\nCMD [\"true\"]\n").imageId().orElseThrow();
        harness.containers().create(new CreateRequest("one", "",
                ContainerConfig.parse(Json.object().put("Image", built).build()),
                HostConfig.parse(Json.object().build()), NetworkingConfig.NONE));
        images.remove(built, true);
        assertThat(images.usage(List.of()).layersBytes() - before).isEqualTo(3000);
        assertThat(harness.engine.builds().cache()).singleElement().satisfies(use -> assertThat(use.shared()).isTrue());
    }

    @Test
    void sharedLayersAreCountedOnceAndSaidOfEachImage() throws Exception {
        byte[] base = new TestTar().add(TestTar.file("base", "b".repeat(3000))).bytes();
        var one = TestImage.of("one:latest", base, new TestTar().add(TestTar.file("one", "1".repeat(100))).bytes());
        var two = TestImage.of("two:latest", base, new TestTar().add(TestTar.file("two", "2".repeat(10))).bytes());
        long before = images.usage(List.of()).layersBytes();
        for (var image : List.of(one, two)) {
            load(image.dockerArchive());
        }
        var usage = images.usage(List.of());
        assertThat(usage.layersBytes() - before).isEqualTo(3000 + 100 + 10);
        assertThat(usage.sharedBytes()).containsEntry(one.id(), 3000L).containsEntry(two.id(), 3000L).hasSize(2);
        assertThat(usage.images()).extracting(ImageSummary::sizeBytes).contains(3100L, 3010L);
        assertThat(images.prune(Filters.parse("{\"dangling\":[\"false\"]}")).reclaimedBytes())
                .isGreaterThanOrEqualTo(3110);
    }
}
