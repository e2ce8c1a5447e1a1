package carafe.engine;

import carafe.engine.transfer.Referrer;
import carafe.engine.transfer.ReferrerList;
import carafe.image.Artifact;
import carafe.image.Artifacts;
import carafe.image.Images;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.Reference;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Artifacts as lists and inspections of images show them, so that clients that know images only can bear them.
final class ArtifactViews {

    private static final long MOST_NOTED = 8 << 20;

    private ArtifactViews() {}

    static ImageSummary summary(Artifact artifact) {
        return new ImageSummary(artifact.id(), artifact.tags(), artifact.digests(), artifact.created(), artifact.size(),
                Map.of(), 0, Optional.of(artifact.descriptor()));
    }

    static ImageDetails details(Artifact artifact, Artifacts artifacts) throws EngineException {
        var config = Json.object().put("rootfs", Json.object().put("type", "layers").build());
        artifact.created().ifPresent(created -> config.put("created", created.toString()));
        var document = config.build();
        try (var outgoing = artifacts.outgoing(artifact)) {
            return new ImageDetails(artifact.id(), ImageConfig.parse(document.printBytes()), document, artifact.id(),
                    artifact.tags(), artifact.digests(), artifact.size(), 0,
                    Optional.of(new ImageDetails.Artifact(artifact.descriptor(), Json.parseObject(outgoing.manifest()))));
        }
    }

    /// What refers to the image or artifact called `name`, and what refers to that. What their makers noted is shown as
    /// long as the manifests it stands in are no more than [#MOST_NOTED] bytes together.
    static ReferrerList referrers(String name, Images images) throws EngineException {
        var artifact = images.artifacts().find(name);
        var subjects = new ArrayList<Digest>(
                List.of(artifact.isPresent() ? artifact.get().id() : images.find(name).id()));
        var found = new ArrayList<Referrer>();
        var seen = new LinkedHashSet<>(subjects);
        long noted = 0;
        int bare = 0;
        for (int i = 0; i < subjects.size(); i++) {
            for (var referrer : images.artifacts().referrers(subjects.get(i))) {
                if (!seen.add(referrer.id())) {
                    continue;
                }
                boolean fits = noted + referrer.descriptor().size() <= MOST_NOTED;
                try {
                    found.add(shown(referrer, fits ? images.artifacts().annotations(referrer) : Map.of()));
                } catch (EngineException.Internal e) {
                    if (isHere(referrer, images.artifacts())) {
                        throw e;
                    }
                    continue; // it was removed since
                }
                subjects.add(referrer.id());
                noted += fits ? referrer.descriptor().size() : 0;
                bare += fits ? 0 : 1;
            }
        }
        return new ReferrerList(found, bare == 0 ? "" : "the annotations of " + bare + ", for those of the others have "
                + (MOST_NOTED >> 20) + " MiB; \"carafe image inspect\" shows them one by one");
    }

    private static boolean isHere(Artifact artifact, Artifacts artifacts) throws EngineException {
        try {
            return artifacts.find(artifact.id().toString()).isPresent();
        } catch (EngineException.NotFound e) {
            return false;
        }
    }

    private static Referrer shown(Artifact artifact, Map<String, String> annotations) {
        var names = new ArrayList<Reference>(artifact.tags());
        names.addAll(artifact.digests());
        return new Referrer(artifact.descriptor().withAnnotations(annotations),
                artifact.manifest().subject().map(Descriptor::digest).orElseThrow(), names, true);
    }
}
