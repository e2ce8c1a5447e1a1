package carafe.build.cache;

import carafe.image.Intake;
import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.Manifest;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/// An image that somebody named as a cache: its name, its documents, and where its layers come from.
public record CacheImage(String reference, byte[] configBytes, ImageConfig config, Manifest manifest, Layers layers) {

    /// Fetches layers one by one, so that what no step wants does not come.
    @FunctionalInterface
    public interface Layers {
        /// Sees to it that the layer is here, verified by digest, and that `intake` keeps it. Blocks.
        /// @return false when it is not to be had any more
        boolean fetch(Digest diffId, Intake intake) throws EngineException, InterruptedException;
    }

    public CacheImage {
        configBytes = configBytes.clone();
        if (config.diffIds().size() != manifest.layers().size()) {
            throw new IllegalArgumentException("an image whose documents do not agree");
        }
    }

    /// The same for a build that can do without: a layer that cannot be fetched is told to `trouble`, once, and from then on
    /// no layer is to be had. Whoever is interrupted meanwhile gets the exception.
    public CacheImage sparing(Consumer<EngineException> trouble) {
        var broken = new AtomicBoolean();
        return new CacheImage(reference, configBytes, config, manifest, (diffId, intake) -> {
            if (broken.get()) {
                return false;
            }
            try {
                return layers.fetch(diffId, intake);
            } catch (EngineException e) {
                if (Thread.currentThread().isInterrupted()) {
                    throw e;
                }
                if (!broken.getAndSet(true)) {
                    trouble.accept(e);
                }
                return false;
            }
        });
    }
}
