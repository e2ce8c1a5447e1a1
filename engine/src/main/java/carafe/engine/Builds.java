package carafe.engine;

import carafe.spec.EngineException;
import carafe.spec.build.BuildListener;
import carafe.spec.build.BuildOutcome;
import carafe.spec.build.BuildRequest;
import carafe.spec.build.CachePrune;
import carafe.spec.build.CachePruned;
import carafe.spec.build.CacheUse;
import carafe.spec.docker.AuthConfig;
import java.io.InputStream;
import java.util.List;

/// Builds of images, and what they keep for later ones.
public interface Builds {

    /// Builds from `context`, a tar that is read to its end; each of `credentials` is for the one registry it names. An
    /// interrupt ends the build and all that it runs.
    /// @throws EngineException.Invalid the Dockerfile or the context is at fault, or a step's program failed
    BuildOutcome build(BuildRequest request, List<AuthConfig> credentials, InputStream context,
            BuildListener listener) throws EngineException, InterruptedException;

    /// What is kept, unused longest first.
    List<CacheUse> cache() throws EngineException;

    /// Takes away what `prune` says.
    CachePruned prune(CachePrune prune) throws EngineException;

    /// Writes the cache mounts of these ids, all when there are none, as an image without a name.
    /// @return the image's id
    /// @throws EngineException.NotFound there is no mount of such an id
    String exportMounts(List<String> ids) throws EngineException, InterruptedException;

    /// Fills the cache mounts that an image here holds and that are not here yet.
    /// @return their ids
    List<String> importMounts(String image) throws EngineException, InterruptedException;
}
