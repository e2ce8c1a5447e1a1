package carafe.engine.transfer;

import carafe.spec.docker.AuthConfig;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import java.util.Optional;

/// What to pull: a name with a tag or digest, or without both, which means every tag; for which platform, the host's
/// unless one is said; and who asks.
///
/// @param referrers whether what refers to the image (signatures, lists of its parts) comes along (ADR 39)
public record PullRequest(Reference name, Optional<Platform> platform, AuthConfig auth, boolean referrers) {

    /// An image alone.
    public PullRequest(Reference name, Optional<Platform> platform, AuthConfig auth) {
        this(name, platform, auth, false);
    }
}
