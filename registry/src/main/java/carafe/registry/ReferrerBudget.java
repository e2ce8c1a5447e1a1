package carafe.registry;

import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Index;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What one operation reads of a registry's lists of referrers: so many bytes and pages over all of them, for whoever may
/// write to a repository makes them as long as they like. Once it is spent no further list is read. For one thread.
public final class ReferrerBudget {

    private static final int MOST_BYTES = 8 << 20;
    private static final int MOST_FURTHER_PAGES = 100;

    private final boolean annotations;
    private int bytes = MOST_BYTES;
    private int pages = MOST_FURTHER_PAGES;
    private boolean spent;

    private ReferrerBudget(boolean annotations) {
        this.annotations = annotations;
    }

    /// For who follows the lists: kind, digest, size and type of each are kept.
    public static ReferrerBudget lean() {
        return new ReferrerBudget(false);
    }

    /// For who shows the lists: what their makers noted is kept too.
    public static ReferrerBudget whole() {
        return new ReferrerBudget(true);
    }

    /// Whether something was not read because of it.
    public boolean spent() {
        return spent;
    }

    /// What it allows, for a sentence.
    public static String bounds() {
        return (MOST_BYTES >> 20) + " MiB and " + MOST_FURTHER_PAGES + " further pages of lists";
    }

    /// The entries of a page of `length` bytes, each digest once in `into`; false if the list ends here for us.
    boolean take(Index page, int length, Map<Digest, Descriptor> into) {
        if (length > bytes) {
            spent = true;
            return false;
        }
        bytes -= length;
        for (var entry : page.manifests()) {
            if (into.size() == Index.MAX_MANIFESTS && !into.containsKey(entry.digest())) {
                spent = true;
                return false;
            }
            into.putIfAbsent(entry.digest(), annotations ? entry : new Descriptor(entry.mediaType(), entry.digest(),
                    entry.size(), entry.platform(), Map.of(), entry.artifactType()));
        }
        return true;
    }

    /// The entries of a list that is one page.
    List<Descriptor> only(Index page, int length) {
        var found = new LinkedHashMap<Digest, Descriptor>();
        take(page, length, found);
        return new ArrayList<>(found.values());
    }

    /// Whether one more page of a list may be read.
    boolean further() {
        spent |= --pages < 0;
        return !spent;
    }
}
