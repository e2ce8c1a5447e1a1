package carafe.build;

import carafe.build.solve.StepCache;
import carafe.build.step.CacheMounts;
import carafe.image.Images;
import carafe.kernel.FileTree;
import carafe.spec.EngineException;
import carafe.spec.build.CachePrune;
import carafe.spec.build.CachePruned;
import carafe.spec.build.CacheUse;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;

/// Looks at what builds keep for later ones, and takes some of it away.
public final class CacheKeeping {

    private final StepCache steps;
    private final CacheMounts mounts;
    private final Images images;

    CacheKeeping(StepCache steps, CacheMounts mounts, Images images) {
        this.steps = steps;
        this.mounts = mounts;
        this.images = images;
    }

    /// Everything that is kept, unused longest first.
    public List<CacheUse> list() throws EngineException {
        var all = new ArrayList<>(steps.uses());
        try {
            for (var kept : mounts.list()) {
                all.add(new CacheUse(kept.name(), "exec.cachemount", "cached mount " + kept.id(), bytes(kept), kept.inUse(),
                        false, kept.lastUsed(), kept.lastUsed(), 1));
            }
        } catch (IOException e) {
            throw new EngineException.Internal("cannot look at the cache mounts: " + e.getMessage(), e);
        }
        all.sort((a, b) -> a.lastUsed().compareTo(b.lastUsed()));
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
        var candidates = new ArrayList<CacheUse>();
        long kept = 0;
        for (var use : list()) {
            boolean wanted = !use.inUse()
                    && (prune.mounts() || !use.kind().equals("exec.cachemount"))
                    && (prune.unusedFor().isEmpty() || use.lastUsed().isBefore(now.minus(prune.unusedFor().get())))
                    && prune.kept().has(use);
            kept += use.bytes();
            if (wanted) {
                candidates.add(use);
            }
        }
        var victims = new ArrayList<CacheUse>();
        for (var use : candidates) {
            if (prune.keepBytes().isPresent() && kept <= prune.keepBytes().get()) {
                break;
            }
            victims.add(use);
            kept -= use.bytes();
        }
        return remove(victims);
    }

    private CachePruned remove(List<CacheUse> victims) throws EngineException {
        var ids = new HashSet<String>();
        victims.forEach(use -> ids.add(use.id()));
        long bytes = 0;
        var gone = new ArrayList<String>();
        try {
            var byName = new HashMap<String, CacheMounts.Kept>();
            mounts.list().forEach(each -> byName.put(each.name(), each));
            for (var use : victims) {
                var mount = byName.get(use.id());
                if (mount == null || mounts.remove(mount)) {
                    gone.add(use.id());
                    bytes += use.bytes();
                }
            }
            steps.remove(ids);
            images.collectGarbage();
        } catch (IOException e) {
            throw new EngineException.Internal("cannot prune the build cache: " + e.getMessage(), e);
        }
        return new CachePruned(gone, bytes);
    }
}
