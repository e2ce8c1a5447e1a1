package carafe.build.plan;

import carafe.build.cache.CacheImage;
import carafe.spec.EngineException;
import carafe.spec.build.CacheImport;
import carafe.spec.oci.Digest;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.Platform;
import java.util.List;

/// Finds the images that stages begin with or copy from.
@FunctionalInterface
public interface BaseImages {

    /// An image that is here now: its id and configuration.
    record BaseImage(Digest id, ImageConfig config) {}

    /// The image that `reference` means, for `platform`; fetches it where that is wanted and possible.
    /// @throws EngineException.NotFound there is none
    BaseImage find(String reference, Platform platform) throws EngineException;

    /// The same, asked for anew where it comes from, even if one is here.
    default BaseImage refresh(String reference, Platform platform) throws EngineException {
        return find(reference, platform);
    }

    /// The images that somebody named as a cache, one or one for each of `platforms`; empty when there is none.
    default List<CacheImage> cache(CacheImport asked, List<Platform> platforms)
            throws EngineException, InterruptedException {
        return List.of();
    }
}
