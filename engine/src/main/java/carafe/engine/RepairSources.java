package carafe.engine;

import carafe.image.ImageCheck;
import carafe.registry.Registries;
import carafe.registry.Repository;
import carafe.spec.EngineException;
import carafe.spec.docker.AuthConfig;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Reference;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Where a check of all that is stored finds sound bytes: in an archive, if one is given, then in the registries that
/// layers and images are known to come from. `auth` is shown to the registry that it is for.
record RepairSources(Registries registries, Optional<InputStream> archive, AuthConfig auth) implements ImageCheck.Sources {

    private static final Logger LOG = LoggerFactory.getLogger(RepairSources.class);

    @Override
    public boolean blob(Descriptor blob, String repository, ImageCheck.Taker taker) throws EngineException {
        if (repository.isEmpty()) {
            return false;
        }
        try {
            var from = registries.repository(Reference.parse(repository), auth);
            if (MediaTypes.isManifest(blob.mediaType()) || MediaTypes.isIndex(blob.mediaType())) {
                taker.from(new ByteArrayInputStream(from.fetch(blob.digest().toString()).bytes()));
            } else {
                from.take(blob, source -> give(source, taker));
            }
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EngineException.Unavailable("the check was cancelled", e);
        } catch (IOException | EngineException e) {
            LOG.warn("cannot repair {} from {}: {}", blob.digest(), repository, e.getMessage());
            return false;
        }
    }

    private static void give(Repository.BlobSource source, ImageCheck.Taker taker) throws EngineException {
        try (var in = source.verified()) {
            taker.from(in);
        } catch (IOException e) {
            throw new EngineException.Unavailable(String.valueOf(e.getMessage()), e);
        }
    }
}
