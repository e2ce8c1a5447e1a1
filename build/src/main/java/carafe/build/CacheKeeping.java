package carafe.build;

import carafe.build.solve.StepCache;
import carafe.build.step.CacheMounts;
import carafe.image.Images;
import carafe.kernel.Errno;
import carafe.kernel.FileTree;
import carafe.kernel.KernelException;
import carafe.spec.EngineException;
import carafe.spec.build.CachePrune;
import carafe.spec.build.CachePruned;
import carafe.spec.build.CacheRules;
import carafe.spec.build.CacheUse;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/// Looks at what builds keep for later ones, and takes some of it away.
public final class CacheKeeping {

    private static final String MOUNT = "exec.cachemount";
    private static final int MOST_DEEP = 512;

    private final StepCache steps;
    private final CacheMounts mounts;
    private final Images images;
    private final Path place;
    /// Held while something is taken away: what one counts as freed no other one takes.
    private final ReentrantLock removing = new ReentrantLock();

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
        } catch (KernelException e) {
            return ifGone(e);
        }
    }

    /// Steps may be at work in the tree: what goes while it is counted has no bytes.
    private static long bytes(FileTree tree, String path, int depth) throws KernelException {
        try {
            long sum = 0;
            for (var entry : tree.list(path)) {
                sum += bytesOf(tree, path.equals("/") ? "/" + entry.name() : path + "/" + entry.name(), depth);
            }
            return sum;
        } catch (KernelException e) {
            return ifGone(e);
        }
    }

    private static long bytesOf(FileTree tree, String inside, int depth) throws KernelException {
        try {
            var stat = tree.lstat(inside);
            return stat.isRegular() ? stat.blocks() * 512
                    : stat.isDirectory() && depth < MOST_DEEP ? bytes(tree, inside, depth + 1) : 0;
        } catch (KernelException e) {
            return ifGone(e);
        }
    }

    private static long ifGone(KernelException e) throws KernelException {
        if (e.is(Errno.ENOENT, Errno.ENOTDIR)) {
            return 0;
        }
        throw e;
    }

    /// Takes away what `prune` says, at the moment `now`; what is in use stays.
    public CachePruned prune(CachePrune prune, Instant now) throws EngineException {
        try {
            return prune(prune, now, disk().getUnallocatedSpace());
        } catch (IOException e) {
            throw new EngineException.Internal("cannot prune the build cache: " + e.getMessage(), e);
        }
    }

    /// The same on a disk with `free` bytes.
    CachePruned prune(CachePrune prune, Instant now, long free) throws EngineException, IOException {
        removing.lock();
        try {
            return remove(victims(held(), prune, now, free));
        } finally {
            removing.unlock();
        }
    }

    /// Takes away what `rules` say, one after the other, at the moment `now`.
    public CachePruned collect(CacheRules rules, Instant now) throws EngineException {
        try {
            var disk = disk();
            return collect(rules.on(disk.getTotalSpace()), now, disk.getUnallocatedSpace());
        } catch (IOException e) {
            throw new EngineException.Internal("cannot collect the build cache: " + e.getMessage(), e);
        }
    }

    /// The same on a disk with `free` bytes; those of what is gone count as free at once, though files go in the background.
    CachePruned collect(List<CachePrune> rules, Instant now, long free) throws EngineException, IOException {
        removing.lock();
        try {
            return collectAlone(rules, now, free);
        } finally {
            removing.unlock();
        }
    }

    private CachePruned collectAlone(List<CachePrune> rules, Instant now, long free) throws EngineException, IOException {
        var gone = new ArrayList<String>();
        long bytes = 0;
        var all = rules.isEmpty() ? List.<StepCache.Held>of() : held();
        for (var rule : rules) {
            var victims = victims(all, rule, now, free + bytes);
            if (!victims.isEmpty()) {
                var removed = remove(victims);
                gone.addAll(removed.ids());
                bytes += removed.bytes();
                all = held();
            }
        }
        return new CachePruned(gone, bytes);
    }

    private FileStore disk() throws IOException {
        return Files.getFileStore(place);
    }

    private static List<StepCache.Held> victims(List<StepCache.Held> all, CachePrune prune, Instant now, long free) {
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
        return victims;
    }

    private static boolean isMeant(CachePrune prune, CacheUse use, Instant now) {
        return !use.inUse() && prune.has(use, now) && (prune.all() || !use.kind().equals(MOUNT) || prune.kept().names());
    }

    /// Counts the bytes of what is really gone: a layer may have other users still.
    private CachePruned remove(List<StepCache.Held> victims) throws EngineException, IOException {
        var byName = new HashMap<String, CacheMounts.Kept>();
        mounts.list().forEach(each -> byName.put(each.name(), each));
        var steps = new HashSet<String>();
        var gone = new HashSet<String>();
        for (var victim : victims) {
            var mount = byName.get(victim.use().id());
            if (mount == null) {
                steps.add(victim.use().id());
            } else if (mounts.remove(mount)) {
                gone.add(victim.use().id());
            }
        }
        gone.addAll(this.steps.remove(steps));
        images.collectGarbage();
        var layers = new HashMap<Digest, Long>();
        var ids = new ArrayList<String>();
        long bytes = 0;
        for (var victim : victims) {
            if (gone.contains(victim.use().id())) {
                ids.add(victim.use().id());
                bytes += byName.containsKey(victim.use().id()) ? victim.use().bytes() : 0;
                victim.layer().ifPresent(layer -> layers.put(layer, victim.use().bytes()));
            }
        }
        images.layerUses().forEach(use -> layers.remove(use.diffId()));
        return new CachePruned(ids, bytes + layers.values().stream().mapToLong(Long::longValue).sum());
    }
}
