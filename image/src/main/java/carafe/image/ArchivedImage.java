package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.Reference;
import java.util.List;

/// An image found in an archive, all its parts there and in agreement: its documents byte for byte and the names it
/// shall have, of which there may be none.
record ArchivedImage(byte[] configBytes, ImageConfig config, byte[] manifestBytes, Manifest manifest,
        List<Reference> names) {

    ArchivedImage {
        names = List.copyOf(names);
    }

    /// The image's id.
    Digest id() {
        return manifest.config().digest();
    }

    /// Refuses a layer that is not the one the configuration says. `position` counts from the lowest, 0.
    static void checkLayer(int position, Digest expected, Digest found) throws EngineException.Invalid {
        if (!expected.equals(found)) {
            throw new EngineException.Invalid("invalid diffID for layer " + position + ": expected \"" + expected
                    + "\", got \"" + found + "\"");
        }
    }
}
