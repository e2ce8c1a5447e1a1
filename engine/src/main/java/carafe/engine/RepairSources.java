package carafe.engine;

import carafe.image.ImageCheck;
import carafe.registry.Registries;
import carafe.spec.EngineException;
import carafe.spec.docker.AuthConfig;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Reference;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Where a check of all that is stored finds sound bytes: in an archive, if one is given, then in the registries that
/// layers and images are known to come from. `auth` is shown to the registry that it is for.
record RepairSources(Registries registries, Optional<InputStream> archive, AuthConfig auth) implements ImageCheck.Sources {

    private static final Logger LOG = LoggerFactory.getLogger(RepairSources.class);

    @Override
    public Optional<InputStream> blob(Descriptor blob, String repository) throws EngineException {
        if (repository.isEmpty()) {
            return Optional.empty();
        }
        try {
            var from = registries.repository(Reference.parse(repository), auth);
            return Optional.of(MediaTypes.isManifest(blob.mediaType())
                    ? new ByteArrayInputStream(from.fetch(blob.digest().toString()).bytes())
                    : from.open(blob));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EngineException.Unavailable("the check was cancelled", e);
        } catch (EngineException e) {
            LOG.warn("cannot repair {} from {}: {}", blob.digest(), repository, e.getMessage());
            return Optional.empty();
        }
    }
}
