package carafe.build;

import carafe.build.solve.StepCache;
import carafe.build.step.CacheMounts;
import carafe.image.Images;
import carafe.kernel.FileTree;
import carafe.spec.EngineException;
import carafe.spec.build.CachePrune;
import carafe.spec.build.CachePruned;
import carafe.spec.build.CacheUse;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Looks at what builds keep for later ones, and takes some of it away.
public final class CacheKeeping {

    private static final String MOUNT = "exec.cachemount";

    private final StepCache steps;
    private final CacheMounts mounts;
    private final Images images;
    private final Path place;

    /// `place` is on the disk whose free space counts.
    CacheKeeping(StepCache steps, CacheMounts mounts, Images images, Path place) {
        this.steps = steps;
        this.mounts = mounts;
        this.images = images;
        this.place = place;
    }

    /// Everything that is kept, unused longest first.
    public List<CacheUse> list() throws EngineException {
        return held().stream().map(StepCache.Held::use).toList();
    }

    private List<StepCache.Held> held() throws EngineException {
        var all = new ArrayList<>(steps.held());
        try {
            for (var kept : mounts.list()) {
                var use = new CacheUse(kept.name(), MOUNT, "cached mount " + kept.id(), bytes(kept), kept.inUse(),
                        false, kept.lastUsed(), kept.lastUsed(), 1);
                all.add(new StepCache.Held(use, Optional.empty(), false));
            }
        } catch (IOException e) {
            throw new EngineException.Internal("cannot look at the cache mounts: " + e.getMessage(), e);
        }
        all.sort((a, b) -> a.use().lastUsed().compareTo(b.use().lastUsed()));
        return all;
    }

    private static long bytes(CacheMounts.Kept kept) throws IOException {
        try (var tree = FileTree.open(kept.data())) {
            return bytes(tree, "/", 0);
        }
    }

    private static long bytes(FileTree tree, String path, int depth) throws IOException {
        long sum = 0;
        for (var entry : tree.list(path)) {
            String inside = path.equals("/") ? "/" + entry.name() : path + "/" + entry.name();
            var stat = tree.lstat(inside);
            sum += stat.isRegular() ? stat.blocks() * 512 : 0;
            if (stat.isDirectory() && depth < 512) {
                sum += bytes(tree, inside, depth + 1);
            }
        }
        return sum;
    }

    /// Takes away what `prune` says, at the moment `now`; what is in use stays.
    public CachePruned prune(CachePrune prune, Instant now) throws EngineException {
        try {
            return prune(prune, now, Files.getFileStore(place).getUnallocatedSpace());
        } catch (IOException e) {
            throw new EngineException.Internal("cannot prune the build cache: " + e.getMessage(), e);
        }
    }

    /// The same on a disk with `free` bytes.
    CachePruned prune(CachePrune prune, Instant now, long free) throws EngineException, IOException {
        var all = held();
        long kept = all.stream().map(StepCache.Held::use).filter(use -> !use.shared()).mapToLong(CacheUse::bytes).sum();
        var target = prune.space().target(kept, free);
        var users = new HashMap<Digest, Integer>();
        all.forEach(each -> each.layer().ifPresent(layer -> users.merge(layer, 1, Integer::sum)));
        var victims = new ArrayList<StepCache.Held>();
        for (var each : all) {
            if (target.isPresent() && kept <= target.getAsLong()) {
                break;
            }
            boolean frees = !each.needed() || prune.all() && target.isEmpty();
            if (frees && isMeant(prune, each.use(), now)) {
                victims.add(each);
                boolean last = each.layer().isEmpty() || users.merge(each.layer().get(), -1, Integer::sum) == 0;
                kept -= last ? each.use().bytes() : 0;
            }
        }
        return remove(victims);
    }

    private static boolean isMeant(CachePrune prune, CacheUse use, Instant now) {
        return !use.inUse() && (prune.all() || !use.kind().equals(MOUNT))
                && (prune.unusedFor().isEmpty() || use.lastUsed().isBefore(now.minus(prune.unusedFor().get())))
                && prune.kept().has(use);
    }

    /// Counts the bytes of what is really gone: a layer may have other users still.
    private CachePruned remove(List<StepCache.Held> victims) throws EngineException, IOException {
        var gone = new ArrayList<String>();
        var layers = new HashMap<Digest, Long>();
        long bytes = 0;
        var byName = new HashMap<String, CacheMounts.Kept>();
        mounts.list().forEach(each -> byName.put(each.name(), each));
        for (var victim : victims) {
            var mount = byName.get(victim.use().id());
            if (mount == null || mounts.remove(mount)) {
                gone.add(victim.use().id());
                bytes += mount == null ? 0 : victim.use().bytes();
                victim.layer().ifPresent(layer -> layers.put(layer, victim.use().bytes()));
            }
        }
        steps.remove(Set.copyOf(gone));
        images.collectGarbage();
        images.layerUses().forEach(use -> layers.remove(use.diffId()));
        return new CachePruned(gone, bytes + layers.values().stream().mapToLong(Long::longValue).sum());
    }
}
