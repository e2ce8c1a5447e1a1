package carafe.build.solve;

import carafe.build.cache.CacheDocument;
import carafe.build.plan.Mount;
import carafe.build.plan.Operation;
import carafe.build.step.CacheMounts;
import carafe.build.tree.LayerMember;
import carafe.build.tree.LayerTar;
import carafe.build.tree.MountedTree;
import carafe.build.tree.Node;
import carafe.image.Intake;
import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import carafe.spec.oci.RunConfig;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Writes what builds keep as images that other engines can import: [CacheDocument] in the configuration, the results of
/// steps and the files of cache mounts as layers.
public final class CacheExporter {

    private static final int MAX_DEPTH = 512;

    private final Intake intake;
    private final CacheMounts mounts;

    /// Writes through `intake`, which keeps the layers of the steps.
    public CacheExporter(Intake intake, CacheMounts mounts) {
        this.intake = intake;
        this.mounts = mounts;
    }

    /// What a job's steps came to: all of them, or those whose layers `results` have and those of the stages `targets`
    /// without one.
    public static CacheDocument document(Job job, List<StageResult> results, Set<Integer> targets, boolean all) {
        var own = new HashSet<Digest>();
        results.forEach(result -> own.addAll(result.diffIds()));
        var steps = new LinkedHashMap<Digest, CacheDocument.Step>();
        for (var learnt : job.learnt()) {
            var record = learnt.record();
            boolean wanted = all || record.layer().map(layer -> own.contains(layer.diffId()))
                    .orElse(targets.contains(learnt.stage()));
            if (wanted) {
                steps.put(record.key(), new CacheDocument.Step(record.key(), record.kind(),
                        record.layer().map(Layer::diffId), record.created()));
            }
        }
        return new CacheDocument(List.copyOf(steps.values()), List.of());
    }

    /// Writes a job's results as an image called `name`, if that is given.
    /// @return the image's id
    public Digest write(Job job, List<StageResult> results, boolean all, boolean withMounts, Optional<Reference> name)
            throws EngineException, IOException, InterruptedException {
        var targets = new HashSet<Integer>();
        job.plan().targets().forEach(target -> targets.add(target.stage()));
        var document = document(job, results, targets, all);
        var layers = new LinkedHashMap<Digest, Layer>();
        var wanted = new HashSet<Digest>();
        document.steps().forEach(step -> step.layer().ifPresent(wanted::add));
        for (var learnt : job.learnt()) {
            learnt.record().layer().filter(layer -> wanted.contains(layer.diffId()))
                    .ifPresent(layer -> layers.putIfAbsent(layer.diffId(), layer));
        }
        var mounted = withMounts ? mounts(ids(job), layers) : List.<CacheDocument.Mounted>of();
        return commit(new CacheDocument(document.steps(), mounted), layers, name);
    }

    /// Writes the cache mounts of these ids, those that are there, as an image without a name.
    /// @return the image's id
    public Digest write(List<String> ids) throws EngineException, IOException, InterruptedException {
        var layers = new LinkedHashMap<Digest, Layer>();
        return commit(new CacheDocument(List.of(), mounts(ids, layers)), layers, Optional.empty());
    }

    private static List<String> ids(Job job) {
        var ids = new TreeSet<String>();
        for (var stage : job.plan().stages()) {
            for (var step : stage.steps()) {
                if (step.operation() instanceof Operation.Run run) {
                    run.mounts().forEach(mount -> {
                        if (mount instanceof Mount.Cache cache) {
                            ids.add(cache.id());
                        }
                    });
                }
            }
        }
        return List.copyOf(ids);
    }

    private List<CacheDocument.Mounted> mounts(List<String> ids, LinkedHashMap<Digest, Layer> layers)
            throws EngineException, IOException, InterruptedException {
        var mounted = new ArrayList<CacheDocument.Mounted>();
        for (String id : ids) {
            var layer = mounts.look(id, files -> {
                var members = new ArrayList<LayerMember>();
                members(files, files.find("").orElseThrow(), members, 0);
                var taken = intake.layer(new LayerTar(members.iterator()));
                return Layer.plain(taken.diffId(), taken.blob().size());
            });
            if (layer.isPresent()) {
                layers.putIfAbsent(layer.get().diffId(), layer.get());
                mounted.add(new CacheDocument.Mounted(id, layer.get().diffId()));
            }
        }
        return mounted;
    }

    private static void members(MountedTree files, Node node, List<LayerMember> into, int depth)
            throws IOException, EngineException.Invalid {
        if (node.name().startsWith(".wh.") || depth > MAX_DEPTH) {
            throw new EngineException.Invalid("the cache mount cannot be exported: /" + node.path()
                    + (depth > MAX_DEPTH ? " is nested too deep" : " has a name that layers give another meaning"));
        }
        switch (node.type()) {
            case DIRECTORY -> {
                into.add(LayerMember.of(node, LayerMember.Content.NONE));
                for (var child : files.list(node.path())) {
                    members(files, child, into, depth + 1);
                }
            }
            case FILE -> into.add(LayerMember.of(node, () -> files.open(node)));
            case SYMLINK -> into.add(LayerMember.of(node, LayerMember.Content.NONE));
            case SPECIAL -> { } // devices and sockets mean nothing elsewhere
        }
    }

    private Digest commit(CacheDocument document, LinkedHashMap<Digest, Layer> layers, Optional<Reference> name)
            throws EngineException {
        if (layers.size() > Manifest.MAX_LAYERS) {
            throw new EngineException.Invalid("the cache has " + layers.size() + " layers; an image can have "
                    + Manifest.MAX_LAYERS + ": export it with mode=min");
        }
        var config = new ImageConfig(Platform.host(), Optional.empty(), "", "", "", RunConfig.EMPTY,
                List.copyOf(layers.keySet()), List.of());
        byte[] configBytes = config.toJson().with(CacheDocument.FIELD, document.toJson()).printBytes();
        var manifest = Manifest.of(Descriptor.of(MediaTypes.OCI_CONFIG, configBytes),
                layers.values().stream().map(Layer::blob).toList());
        intake.commit(configBytes, manifest.toJson().printBytes(), name.stream().toList(), Optional.empty());
        return Digest.sha256(configBytes);
    }
}
