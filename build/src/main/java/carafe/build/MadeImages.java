package carafe.build;

import carafe.build.cache.CacheDocument;
import carafe.build.plan.BuildPlan;
import carafe.build.plan.BuildkitArguments;
import carafe.build.solve.CacheExporter;
import carafe.build.solve.ImageWriter;
import carafe.build.solve.Job;
import carafe.build.solve.StageResult;
import carafe.image.Intake;
import carafe.spec.EngineException;
import carafe.spec.build.BuildAnnotation;
import carafe.spec.build.BuildAnnotation.Place;
import carafe.spec.build.BuildOutcome;
import carafe.spec.build.BuildRequest;
import carafe.spec.build.CacheExport;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Index;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The images that a build's targets became, by their ids, and who wanted which; with an index of their manifests where
/// several platforms are built, or BUILDKIT_MULTI_PLATFORM asks for it.
record MadeImages(Map<Digest, Intake.Made> documents, List<BuildOutcome.Made> images, Optional<byte[]> index,
        Descriptor about) {

    /// Makes the documents; nothing is stored yet.
    static MadeImages of(BuildRequest request, Job job, BuildPlan plan, List<StageResult> results) throws EngineException {
        var documents = new LinkedHashMap<Digest, Intake.Made>();
        var images = new ArrayList<BuildOutcome.Made>();
        var entries = new ArrayList<Descriptor>();
        for (int i = 0; i < results.size(); i++) {
            var target = plan.targets().get(i);
            var stage = plan.stage(target.stage());
            String author = stage.steps().isEmpty() ? "" : stage.steps().getLast().author();
            var platform = request.platforms().isEmpty() ? stage.platform() : target.platform();
            var annotations = annotations(Place.MANIFEST, platform, request);
            var about = new ImageWriter.About(target.config(), author, List.of(), annotations);
            var made = new ImageWriter(job.intake(), platform)
                    .documents(results.get(i), about, inline(request, job, target, results.get(i)));
            var id = Digest.sha256(made.config());
            images.add(new BuildOutcome.Made(platform, id.toString(), annotations));
            if (documents.putIfAbsent(id, made) == null) { // else two platforms came to the same
                entries.add(entry(made, platform, annotations(Place.MANIFEST_DESCRIPTOR, platform, request)));
            }
        }
        if (!hasIndex(request, plan.targets().size())) {
            return new MadeImages(documents, images, Optional.empty(), entries.getFirst());
        }
        var host = Platform.host(); // those of an index are for no platform
        byte[] index = new Index(MediaTypes.OCI_INDEX, entries, annotations(Place.INDEX, host, request), Optional.empty(),
                Optional.empty()).toJson().printBytes();
        return new MadeImages(documents, images, Optional.of(index), Descriptor.of(MediaTypes.OCI_INDEX, index)
                .withAnnotations(annotations(Place.INDEX_DESCRIPTOR, host, request)));
    }

    /// Whether images for so many platforms get an index.
    private static boolean hasIndex(BuildRequest request, int platforms) throws EngineException {
        return platforms > 1 || BuildkitArguments.of(request.arguments()).multiPlatform();
    }

    /// Refuses what no result for so many platforms could have.
    static void check(BuildRequest request, int platforms) throws EngineException {
        boolean wanted = request.result().annotations().stream().anyMatch(each -> each.place().needsIndex());
        if (wanted && !hasIndex(request, platforms)) {
            throw new EngineException.Invalid("index annotations not supported for single platform export: build for several"
                    + " platforms, or with --build-arg BUILDKIT_MULTI_PLATFORM=1");
        }
    }

    private static Map<String, String> annotations(Place place, Platform platform, BuildRequest request) {
        return BuildAnnotation.at(place, platform, request.result().annotations());
    }

    private static Descriptor entry(Intake.Made made, Platform platform, Map<String, String> annotations) {
        var bare = Descriptor.of(MediaTypes.OCI_MANIFEST, made.manifest());
        return new Descriptor(bare.mediaType(), bare.digest(), bare.size(), Optional.of(platform), annotations,
                Optional.empty());
    }

    private static Optional<CacheDocument> inline(BuildRequest request, Job job, BuildPlan.Target target,
            StageResult result) throws EngineException {
        boolean wanted = BuildkitArguments.of(request.arguments()).inlineCache()
                || job.exports().stream().anyMatch(to -> to.kind() == CacheExport.Kind.INLINE);
        return wanted ? Optional.of(CacheExporter.document(job, List.of(result), Set.of(target.stage()), false))
                : Optional.empty();
    }

    /// Makes the images visible under `names`, all at once.
    MadeImages commit(Intake intake, List<Reference> names) throws EngineException {
        intake.commitBuilt(List.copyOf(documents.values()), names, index);
        return this;
    }

    /// The id of the image for this host, else of the first.
    String shown() {
        return images.stream().filter(image -> image.platform().runsOn(Platform.host())).findFirst()
                .orElse(images.getFirst()).id();
    }
}
