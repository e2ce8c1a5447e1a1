package carafe.engine;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.image.Images;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Reference;
import java.io.ByteArrayInputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Artifacts as lists show them.
class ArtifactViewsTest {

    @TempDir
    private Path directory;

    private static byte[] manifest(String note, Optional<Descriptor> subject) {
        var config = Descriptor.of(MediaTypes.OCI_EMPTY, new byte[] {'{', '}'});
        return new Manifest(MediaTypes.OCI_MANIFEST, config, List.of(), Map.of("note", note), subject,
                Optional.of("application/vnd.acme.rocket")).toJson().printBytes();
    }

    private static Digest add(Images images, byte[] manifest, List<Reference> names) throws Exception {
        try (var intake = images.artifacts().intake(manifest)) {
            for (var part : intake.parts()) {
                intake.blob(part, _ -> new ByteArrayInputStream(new byte[] {'{', '}'}));
            }
            intake.commit(names);
            return intake.id();
        }
    }

    @Test
    void annotationsOfReferrersAreShownWithinABudget() throws Exception {
        try (var images = Images.open(directory)) {
            byte[] root = manifest("", Optional.empty());
            add(images, root, List.of(Reference.parse("rocket:1")));
            for (String note : List.of("a", "b", "c")) {
                add(images, manifest(note.repeat(3 << 20), Optional.of(Descriptor.of(MediaTypes.OCI_MANIFEST, root))), List.of());
            }
            var list = ArtifactViews.referrers("rocket:1", images);
            assertThat(list.found()).extracting(each -> each.descriptor().annotations().size()).containsExactly(1, 1, 0);
            assertThat(list.left()).isEqualTo("the annotations of 1, for those of the others have 8 MiB;"
                    + " \"carafe image inspect\" shows them one by one");
        }
    }
}
