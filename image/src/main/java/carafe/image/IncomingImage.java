package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.Reference;
import java.util.List;
import java.util.Optional;

/// An image from outside, all its parts there and in agreement: its documents byte for byte, the names it shall have, of
/// which there may be none, and the index through which it was found; `built`: its annotations count, where it is here
/// with others.
record IncomingImage(byte[] configBytes, ImageConfig config, byte[] manifestBytes, Manifest manifest,
        List<Reference> names, Optional<byte[]> index, boolean built) {

    IncomingImage {
        names = List.copyOf(names);
    }

    /// Reads the documents of an image and refuses those that do not belong together.
    static IncomingImage of(byte[] configBytes, byte[] manifestBytes, List<Reference> names, Optional<byte[]> index)
            throws EngineException.Invalid {
        var manifest = Manifest.parse(manifestBytes);
        if (!manifest.config().digest().matches(configBytes)) {
            throw new EngineException.Invalid("image config verification failed for digest "
                    + manifest.config().digest());
        }
        var config = ImageConfig.parse(configBytes);
        if (config.diffIds().size() != manifest.layers().size()) {
            throw new EngineException.Invalid("invalid manifest, layers length mismatch: expected "
                    + config.diffIds().size() + ", got " + manifest.layers().size());
        }
        return new IncomingImage(configBytes, config, manifestBytes, manifest, names, index, false);
    }

    /// The same as the result of a build.
    IncomingImage ofBuild() {
        return new IncomingImage(configBytes, config, manifestBytes, manifest, names, index, true);
    }

    /// The same with other names.
    IncomingImage named(List<Reference> others) {
        return new IncomingImage(configBytes, config, manifestBytes, manifest, others, index, built);
    }

    /// The same with other names, found through `index`.
    IncomingImage of(List<Reference> others, byte[] index) {
        return new IncomingImage(configBytes, config, manifestBytes, manifest, others, Optional.of(index), built);
    }

    /// The image's id.
    Digest id() {
        return manifest.config().digest();
    }

    /// What an index of images says of this one.
    Descriptor descriptor() {
        var bare = Descriptor.of(manifest.mediaType(), manifestBytes);
        return new Descriptor(bare.mediaType(), bare.digest(), bare.size(), Optional.of(config.platform()),
                bare.annotations(), Optional.empty());
    }

    /// Refuses a layer that is not the one the configuration says. `position` counts from the lowest, 0.
    static void checkLayer(int position, Digest expected, Digest found) throws EngineException.Invalid {
        if (!expected.equals(found)) {
            throw new EngineException.Invalid("invalid diffID for layer " + position + ": expected \"" + expected
                    + "\", got \"" + found + "\"");
        }
    }
}
