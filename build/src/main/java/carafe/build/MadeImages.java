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
            var about = new ImageWriter.About(target.config(), author, List.of(), request.result().annotations());
            var made = new ImageWriter(job.intake(), platform)
                    .documents(results.get(i), about, inline(request, job, target, results.get(i)));
            var id = Digest.sha256(made.config());
            images.add(new BuildOutcome.Made(platform, id.toString()));
            if (documents.putIfAbsent(id, made) == null) { // else two platforms came to the same
                entries.add(entry(made, platform));
            }
        }
        boolean together = plan.targets().size() > 1 || BuildkitArguments.of(request.arguments()).multiPlatform();
        if (!together) {
            return new MadeImages(documents, images, Optional.empty(), entries.getFirst());
        }
        byte[] index = Index.of(entries).toJson().printBytes();
        return new MadeImages(documents, images, Optional.of(index), Descriptor.of(MediaTypes.OCI_INDEX, index));
    }

    private static Descriptor entry(Intake.Made made, Platform platform) {
        var bare = Descriptor.of(MediaTypes.OCI_MANIFEST, made.manifest());
        return new Descriptor(bare.mediaType(), bare.digest(), bare.size(), Optional.of(platform), Map.of(),
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
        intake.commit(List.copyOf(documents.values()), names, index);
        return this;
    }

    /// The id of the image for this host, else of the first.
    String shown() {
        return images.stream().filter(image -> image.platform().runsOn(Platform.host())).findFirst()
                .orElse(images.getFirst()).id();
    }
}
