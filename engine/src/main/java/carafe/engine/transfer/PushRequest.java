package carafe.engine.transfer;

import carafe.spec.docker.AuthConfig;
import carafe.spec.oci.Reference;

/// What to push: a name with a tag, or without, which means every tag of it that is here; and who asks.
///
/// @param referrers whether what refers to the image and is here goes along (ADR 39)
public record PushRequest(Reference name, AuthConfig auth, boolean referrers) {

    /// An image alone.
    public PushRequest(Reference name, AuthConfig auth) {
        this(name, auth, false);
    }
}
