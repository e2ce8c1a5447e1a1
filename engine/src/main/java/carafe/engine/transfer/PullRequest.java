package carafe.engine.transfer;

import carafe.spec.docker.AuthConfig;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import java.util.Optional;

/// What to pull: a name with a tag or digest, or without both, which means every tag; for which platform, the host's
/// unless one is said; and who asks.
public record PullRequest(Reference name, Optional<Platform> platform, AuthConfig auth) {}
