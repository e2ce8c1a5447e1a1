package carafe.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import carafe.spec.oci.IdMaps;
import carafe.spec.oci.RuntimeSpec;
import carafe.spec.oci.RuntimeSpec.Mount;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Layers mounted beside the root, whole or in part, in both ways that kernels have for it.
class ImageMountsTest {

    private static final IdMaps IDS = IdMaps.range(300_000, 400_000, 65_536);

    /// Those that this kernel takes.
    static List<Assembly> ways() {
        return Assembly.ofThisKernel() == Assembly.DETACHED ? List.of(Assembly.values()) : List.of(Assembly.ATTACHED);
    }

    /// A lower layer and one above it that changes one file and leads out of the image by a link.
    private static String layers(RuntimeStage stage) throws Exception {
        Path below = Files.createDirectories(stage.directory.resolve("below"));
        Files.createDirectories(below.resolve("conf/more"));
        Files.writeString(below.resolve("conf/kept"), "below\n");
        Files.writeString(below.resolve("conf/more/changed"), "below\n");
        Path above = Files.createDirectories(stage.directory.resolve("above"));
        Files.createDirectories(above.resolve("conf/more"));
        Files.writeString(above.resolve("conf/more/changed"), "above\n");
        Files.setAttribute(above.resolve("conf/more/changed"), "unix:uid", 7, LinkOption.NOFOLLOW_LINKS);
        Files.createSymbolicLink(above.resolve("out"), Path.of("../../../../../conf"));
        return "lowerdir=" + above + ":" + below;
    }

    private static Mount image(String destination, String layers, String inside) {
        return Mount.of(destination, "overlay", "overlay", inside.isEmpty()
                ? List.of("ro", layers)
                : List.of("ro", layers, "X-mount.subdir=" + inside));
    }

    private static final String LOOK = "cat /img/conf/more/changed /sub/kept /sub/more/changed /file /led/kept; "
            + "stat -c %u /img/conf/more/changed /sub/more/changed /file; ls /sub; touch /sub/x /img/x 2>&1 | wc -l";
    private static final List<String> SEEN = List.of("above", "below", "above", "above", "below", "7", "7", "7", "kept", "more",
            "2");

    private static RuntimeSpec looking(RuntimeStage stage, RuntimeSpec spec) throws Exception {
        String layers = layers(stage);
        return TestSpecs.withMounts(spec, image("/img", layers, ""), image("/sub", layers, "conf"),
                image("/file", layers, "conf/more/changed"), image("/led", layers, "out"));
    }

    @ParameterizedTest
    @MethodSource("ways")
    void partsOfAnImageAreMounted(Assembly assembly) throws Exception {
        var stage = new RuntimeStage(assembly);
        try {
            var output = stage.run(stage.bundle(looking(stage, TestSpecs.standard(stage.id(), "sh", "-c", LOOK))));
            assertThat(output.err()).isEmpty();
            assertThat(output.out().lines()).containsExactlyElementsOf(SEEN);
        } finally {
            stage.close();
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void theirOwnersAreThoseOfTheContainer(Assembly assembly) throws Exception {
        var stage = new RuntimeStage(assembly);
        try (var users = stage.runtime.users(IDS)) {
            var spec = TestSpecs.withUsers(TestSpecs.standard(stage.id(), "sh", "-c", LOOK), users.users(), IDS);
            var output = stage.run(stage.bundle(looking(stage, spec)));
            assertThat(output.err()).isEmpty();
            assertThat(output.out().lines()).containsExactlyElementsOf(SEEN);
        } finally {
            stage.close();
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void aPartThatIsNotThereIsASentenceAndLeavesNothing(Assembly assembly) throws Exception {
        var stage = new RuntimeStage(assembly);
        try {
            String layers = layers(stage);
            stage.run("true"); // what the first start opens is kept
            var before = RuntimeStage.descriptors();
            var bundle = stage.bundle(TestSpecs.withMounts(TestSpecs.standard(stage.id(), "true"),
                    image("/sub", layers, "conf/none")));
            assertThat(catchThrowableOfType(StartFailure.class, () -> stage.start(bundle)))
                    .hasMessageContaining("to \"/sub\"").hasMessageContaining("no such file or directory");
            stage.assertNothingIsLeft();
            RuntimeStage.awaitDescriptors("after a part that is not there", before);
            assertThat(Thread.getAllStackTraces().keySet()).noneMatch(thread -> thread.getName().equals("carafe-mounts"));
        } finally {
            stage.close();
        }
    }
}
