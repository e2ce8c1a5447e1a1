package carafe.engine.transfer;

import carafe.spec.docker.AuthConfig;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import java.util.Optional;

/// What to push: a name with a tag, or without, which means every tag of it that is here; and who asks.
///
/// @param referrers whether what refers to the image and is here goes along (ADR 39)
/// @param platform  of a name with images for several platforms the one that goes, alone; all with their index if absent
public record PushRequest(Reference name, AuthConfig auth, boolean referrers, Optional<Platform> platform) {

    /// An image alone.
    public PushRequest(Reference name, AuthConfig auth) {
        this(name, auth, false, Optional.empty());
    }
}
