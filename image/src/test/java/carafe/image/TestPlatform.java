package carafe.image;

import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.History;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.Index;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Platform;
import carafe.spec.oci.RunConfig;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// An image of one layer for a platform, which an index holds together with others. Shared with other rooms' tests.
///
/// @param diffId what its configuration says that the layer is
public record TestPlatform(Platform platform, Optional<Instant> created, byte[] layer, Digest diffId) {

    /// An image of the file `f`.
    public static TestPlatform of(Platform platform, Optional<Instant> created, String text) throws Exception {
        byte[] layer = new TestTar().add(TestTar.file("f", text)).bytes();
        return new TestPlatform(platform, created, layer, Digest.sha256(layer));
    }

    /// Its configuration.
    public byte[] config() {
        return new ImageConfig(platform, created, "", "", "", RunConfig.EMPTY, List.of(diffId),
                List.of(new History(Optional.empty(), "COPY", "", "", false))).toJson().printBytes();
    }

    /// Its id.
    public Digest id() {
        return Digest.sha256(config());
    }

    /// Its manifest.
    public byte[] manifest() {
        return Manifest.of(Descriptor.of(MediaTypes.OCI_CONFIG, config()), List.of(Descriptor.of(MediaTypes.OCI_LAYER, layer)))
                .toJson().printBytes();
    }

    private static byte[] index(List<TestPlatform> images) {
        return Index.of(images.stream().map(image -> {
            var bare = Descriptor.of(MediaTypes.OCI_MANIFEST, image.manifest());
            return new Descriptor(bare.mediaType(), bare.digest(), bare.size(), Optional.of(image.platform), Map.of(),
                    Optional.empty());
        }).toList()).toJson().printBytes();
    }

    /// An OCI layout whose table has an index of each list, all under `name`.
    public static byte[] archive(String name, List<List<TestPlatform>> all) throws Exception {
        var table = all.stream().map(images -> Descriptor.of(MediaTypes.OCI_INDEX, index(images))
                .withAnnotations(Map.of("io.containerd.image.name", name))).toList();
        var tar = new TestTar().add(TestTar.file("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}"))
                .add(TestTar.file("index.json", Index.of(table).toJson().printBytes()));
        for (var images : all) {
            tar.add(TestImage.blob(index(images)));
            for (var image : images) {
                tar.add(TestImage.blob(image.layer)).add(TestImage.blob(image.config())).add(TestImage.blob(image.manifest()));
            }
        }
        return tar.bytes();
    }
}
