package carafe.engine.transfer;

import carafe.spec.docker.AuthConfig;
import carafe.spec.oci.Reference;

/// What to push: a name with a tag, or without, which means every tag of it that is here; and who asks.
public record PushRequest(Reference name, AuthConfig auth) {}
