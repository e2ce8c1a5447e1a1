package carafe.spec.build;

import carafe.spec.EngineException.Invalid;
import carafe.spec.oci.MediaTypes;
import java.util.Arrays;
import java.util.OptionalInt;

/// How an archive has the layers of images: what they are compressed with, how hard where that is said, and whether their
/// documents have Docker's media types instead of OCI's.
public record BlobForm(Compression compression, OptionalInt level, boolean docker) {

    /// Tars as they are.
    public static final BlobForm PLAIN = new BlobForm(Compression.UNCOMPRESSED, OptionalInt.empty(), false);

    /// What layers are compressed with, in BuildKit's words.
    public enum Compression {
        UNCOMPRESSED("uncompressed", -1), GZIP("gzip", 9), ZSTD("zstd", 22);

        private final String word;
        private final int mostLevel;

        Compression(String word, int mostLevel) {
            this.word = word;
            this.mostLevel = mostLevel;
        }
    }

    public BlobForm {
        if (level.isPresent() && (level.getAsInt() < 0 || level.getAsInt() > compression.mostLevel)) {
            throw new IllegalArgumentException(compression + " has no level " + level.getAsInt());
        }
    }

    /// Reads BuildKit's words, `compression` and `compression-level`, either of which may be empty: then it is `usual`, and
    /// the compression's own.
    public static BlobForm of(String compression, Compression usual, String level, boolean docker) throws Invalid {
        var meant = compression.isEmpty() ? usual : Arrays.stream(Compression.values())
                .filter(each -> each.word.equals(compression)).findFirst().orElseThrow(() -> new Invalid("compression="
                        + compression + " is not known to this engine; uncompressed, gzip and zstd are"));
        if (docker && meant == Compression.ZSTD) {
            throw new Invalid("Docker's media types have none for zstd: leave out oci-mediatypes=false, or compression=zstd");
        }
        if (level.isEmpty()) {
            return new BlobForm(meant, OptionalInt.empty(), docker);
        }
        if (meant == Compression.UNCOMPRESSED) {
            throw new Invalid("compression-level=" + level + " says nothing of layers that are not compressed; leave it out, or"
                    + " say compression=gzip or zstd");
        }
        if (!level.matches("[0-9]{1,2}") || Integer.parseInt(level) > meant.mostLevel) {
            throw new Invalid("invalid compression-level \"" + level + "\": " + meant.word + " has those from 0 to "
                    + meant.mostLevel);
        }
        return new BlobForm(meant, OptionalInt.of(Integer.parseInt(level)), docker);
    }

    /// BuildKit's word for the compression.
    public String word() {
        return compression.word;
    }

    /// The media type of a layer.
    public String layerType() {
        return switch (compression) {
            case UNCOMPRESSED -> docker ? MediaTypes.DOCKER_LAYER : MediaTypes.OCI_LAYER;
            case GZIP -> docker ? MediaTypes.DOCKER_LAYER_GZIP : MediaTypes.OCI_LAYER_GZIP;
            case ZSTD -> MediaTypes.OCI_LAYER_ZSTD;
        };
    }

    /// The media type of a configuration.
    public String configType() {
        return docker ? MediaTypes.DOCKER_CONFIG : MediaTypes.OCI_CONFIG;
    }

    /// The media type of a manifest.
    public String manifestType() {
        return docker ? MediaTypes.DOCKER_MANIFEST : MediaTypes.OCI_MANIFEST;
    }

    /// The media type of an index.
    public String indexType() {
        return docker ? MediaTypes.DOCKER_INDEX : MediaTypes.OCI_INDEX;
    }
}
