package carafe.build.solve;

import carafe.build.cache.CacheImage;
import carafe.build.plan.BaseImages;
import carafe.build.plan.Origin;
import carafe.image.Image;
import carafe.image.Images;
import carafe.image.Intake;
import carafe.spec.EngineException;
import carafe.spec.build.CacheImport;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Platform;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// The images that a build begins with or copies from, each kept from the moment it is found until `intake` is closed:
/// who removes one while another is still fetched, or later, takes its names and nothing that this build needs. One that
/// is removed just as it is found is looked for anew.
public final class KeptImages implements BaseImages {

    private static final int MAX_TRIES = 5;

    private final BaseImages others;
    private final Images images;
    private final Intake intake;
    private final Map<Digest, StageResult> kept = new ConcurrentHashMap<>();

    /// Those that `others` finds among `images`.
    public KeptImages(BaseImages others, Images images, Intake intake) {
        this.others = others;
        this.images = images;
        this.intake = intake;
    }

    @FunctionalInterface
    private interface Finding {
        BaseImage find() throws EngineException;
    }

    @Override
    public BaseImage find(String reference, Platform platform) throws EngineException {
        return keep(reference, () -> others.find(reference, platform));
    }

    @Override
    public BaseImage refresh(String reference, Platform platform) throws EngineException {
        return keep(reference, () -> others.refresh(reference, platform));
    }

    @Override
    public List<CacheImage> cache(CacheImport asked, List<Platform> platforms)
            throws EngineException, InterruptedException {
        return others.cache(asked, platforms);
    }

    /// What keeps them.
    Intake intake() {
        return intake;
    }

    /// What a stage that begins with this image is then.
    StageResult state(Origin.OfImage origin) {
        var state = kept.get(origin.id());
        if (state == null) {
            throw new AssertionError("the plan names an image that was not found for it: " + origin.reference());
        }
        return state;
    }

    private BaseImage keep(String reference, Finding finding) throws EngineException {
        for (int i = 0; i < MAX_TRIES; i++) {
            var found = finding.find();
            if (kept.containsKey(found.id())) {
                return found;
            }
            var image = images.byId(found.id());
            if (image.isPresent() && hasAll(image.get())) {
                kept.put(found.id(), state(image.get()));
                return found;
            }
        }
        throw new EngineException.NotFound("No such image: " + reference);
    }

    private boolean hasAll(Image image) throws EngineException {
        for (var diffId : image.config().diffIds()) {
            if (!intake.has(diffId)) {
                return false;
            }
        }
        return true;
    }

    private static StageResult state(Image image) {
        var layers = new ArrayList<Layer>();
        for (int i = 0; i < image.config().diffIds().size(); i++) {
            layers.add(new Layer(image.config().diffIds().get(i), image.manifest().layers().get(i)));
        }
        return new StageResult(layers, image.config().history(), image.config().created());
    }
}
