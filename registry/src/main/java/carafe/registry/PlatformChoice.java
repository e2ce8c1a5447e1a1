package carafe.registry;

import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Index;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Platform;
import java.util.Comparator;

/// Finds the manifest of an index that suits a machine best: the processor variant asked for, else the nearest below
/// it; where no variant is asked for, the plainest. An entry that does not say what it is for is the last resort.
/// Source: OCI image-spec image-index.md.
public final class PlatformChoice {

    private PlatformChoice() {}

    /// The entry of `index` for `platform`.
    /// @throws EngineException.NotFound in Docker's words, when there is none
    public static Descriptor choose(Index index, Platform platform) throws EngineException.NotFound {
        var manifests = index.manifests().stream()
                .filter(entry -> MediaTypes.isManifest(entry.mediaType()))
                .toList();
        Comparator<String> order = platform.variant().isEmpty() ? Comparator.naturalOrder() : Comparator.reverseOrder();
        var fitting = manifests.stream()
                .filter(entry -> entry.platform().map(made -> made.runsOn(platform)).orElse(false))
                .min(Comparator.comparing(entry -> entry.platform().orElseThrow().variant(), order));
        if (fitting.isPresent()) {
            return fitting.get();
        }
        var silent = manifests.stream().filter(entry -> entry.platform().isEmpty()).toList();
        if (silent.size() == 1 && manifests.size() == 1) {
            return silent.getFirst();
        }
        throw new EngineException.NotFound("no matching manifest for " + platform + " in the manifest list entries");
    }
}
