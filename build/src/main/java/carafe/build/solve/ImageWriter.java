package carafe.build.solve;

import carafe.image.Intake;
import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import carafe.spec.oci.RunConfig;
import java.util.List;
import java.util.Optional;

/// Makes an image of a stage's result: its documents, always the same bytes for the same result.
public final class ImageWriter {

    private final Intake intake;
    private final Platform platform;

    /// Writes through `intake` an image for `platform`.
    public ImageWriter(Intake intake, Platform platform) {
        this.intake = intake;
        this.platform = platform;
    }

    /// What the image says of itself, and its names.
    public record About(RunConfig config, String author, List<Reference> names) {
        public About {
            names = List.copyOf(names);
        }
    }

    /// Makes the image visible.
    /// @return its id
    public Digest write(StageResult result, About about) throws EngineException {
        var config = new ImageConfig(platform, result.created(), about.author, "", "", about.config, result.diffIds(),
                result.history());
        byte[] configBytes = config.toJson().printBytes();
        var layers = result.layers().stream().map(Layer::blob).toList();
        var manifest = Manifest.of(Descriptor.of(MediaTypes.OCI_CONFIG, configBytes), layers);
        intake.commit(configBytes, manifest.toJson().printBytes(), about.names, Optional.empty());
        return Digest.sha256(configBytes);
    }
}
