package carafe.hub.store;

import carafe.hub.store.Refusal.Reason;
import carafe.spec.oci.Digest;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// How many bytes the repositories of a namespace may hold together; what they share counts once.
public final class Quota {

    private final Namespace namespace;
    private final long limitBytes;

    /// How many repositories of the namespace link a digest. Guarded by this, as is `used`.
    private final Map<Digest, Integer> links = new HashMap<>();

    private long used;

    /// At most `limitBytes` in `namespace`.
    public Quota(Namespace namespace, long limitBytes) {
        this.namespace = namespace;
        this.limitBytes = limitBytes;
    }

    /// Whose bytes are counted.
    public Namespace namespace() {
        return namespace;
    }

    /// Bytes in use.
    public synchronized long usedBytes() {
        return used;
    }

    /// Bytes allowed.
    public long limitBytes() {
        return limitBytes;
    }

    /// How many bytes a blob may have; one that is counted already needs no more.
    synchronized long room(Optional<Digest> digest) {
        return digest.filter(links::containsKey).isPresent() ? Long.MAX_VALUE : Math.max(0, limitBytes - used);
    }

    /// Counts what is already there, even when it is too much.
    synchronized void count(Digest digest, long size) {
        if (links.merge(digest, 1, Integer::sum) == 1) {
            used += size;
        }
    }

    /// Counts one more link, or refuses it.
    synchronized void take(Digest digest, long size) throws Refusal {
        if (!links.containsKey(digest) && used + size > limitBytes) {
            throw new Refusal(Reason.DENIED, "the namespace " + namespace + " is full: it holds " + used + " of "
                    + limitBytes + " bytes and this needs " + size + " more; delete something or ask for a larger quota");
        }
        count(digest, size);
    }

    /// Counts one link less.
    synchronized void giveBack(Digest digest, long size) {
        if (links.merge(digest, -1, Integer::sum) <= 0) {
            links.remove(digest);
            used -= size;
        }
    }
}
