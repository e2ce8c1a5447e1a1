package carafe.build.solve;

import carafe.build.cache.CacheDocument;
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
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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

    /// What the image says of itself, its names, and its manifest's annotations.
    public record About(RunConfig config, String author, List<Reference> names, Map<String, String> annotations) {
        public About {
            names = List.copyOf(names);
            annotations = Collections.unmodifiableMap(new LinkedHashMap<>(annotations));
        }

        /// Without annotations.
        public About(RunConfig config, String author, List<Reference> names) {
            this(config, author, names, Map.of());
        }
    }

    /// Makes the image visible.
    /// @return its id
    public Digest write(StageResult result, About about) throws EngineException {
        var made = documents(result, about, Optional.empty());
        intake.commit(made.config(), made.manifest(), about.names, Optional.empty());
        return Digest.sha256(made.config());
    }

    /// The image's documents, with what its steps were for other engines' builds if that is given.
    public Intake.Made documents(StageResult result, About about, Optional<CacheDocument> cache) {
        var config = new ImageConfig(platform, result.created(), about.author, "", "", about.config, result.diffIds(),
                result.history());
        var document = config.toJson();
        if (cache.isPresent()) {
            document = document.with(CacheDocument.FIELD, cache.get().toJson());
        }
        byte[] configBytes = document.printBytes();
        var layers = result.layers().stream().map(Layer::blob).toList();
        var manifest = new Manifest(MediaTypes.OCI_MANIFEST, Descriptor.of(MediaTypes.OCI_CONFIG, configBytes), layers,
                about.annotations, Optional.empty(), Optional.empty());
        return new Intake.Made(configBytes, manifest.toJson().printBytes());
    }
}
