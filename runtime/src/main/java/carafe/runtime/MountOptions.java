package carafe.runtime;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The option words of one OCI mount, sorted by what they are for: attributes of the mount itself (`set`, `clear` are
/// MOUNT_ATTR_* bits), attributes for the whole tree below (`setAll`, `clearAll`), propagation (an MS_* bit, 0 if none),
/// and what belongs to the filesystem (`flags` without, `data` with a value; in the order given).
/// Source: runtime-spec config.md#linux-mount-options, mount_setattr(2), mount(8).
record MountOptions(
        long set,
        long clear,
        long setAll,
        long clearAll,
        long propagation,
        boolean recursivePropagation,
        boolean bind,
        boolean recursiveBind,
        boolean idmapped,
        Map<String, String> data) {

    static final long RDONLY = 0x1;
    static final long NOSUID = 0x2;
    static final long NODEV = 0x4;
    static final long NOEXEC = 0x8;
    static final long ATIME_MASK = 0x70;
    static final long RELATIME = 0x0;
    static final long NOATIME = 0x10;
    static final long STRICTATIME = 0x20;
    static final long NODIRATIME = 0x80;
    static final long NOSYMFOLLOW = 0x200000;

    static final long MS_UNBINDABLE = 1 << 17;
    static final long MS_PRIVATE = 1 << 18;
    static final long MS_SLAVE = 1 << 19;
    static final long MS_SHARED = 1 << 20;

    private record Attribute(long set, long clear) {}

    private static final Map<String, Attribute> ATTRIBUTES = attributes();

    private static final Map<String, Long> PROPAGATION = Map.of(
            "private", MS_PRIVATE,
            "shared", MS_SHARED,
            "slave", MS_SLAVE,
            "unbindable", MS_UNBINDABLE);

    /// Words about the superblock or about mount(8) itself which change nothing for a mount made here.
    private static final Set<String> WITHOUT_EFFECT = Set.of(
            "defaults", "remount", "loud", "silent", "async", "nomand", "mand", "noiversion", "iversion", "nolazytime",
            "auto", "noauto", "user", "nouser", "_netdev", "tmpcopyup", "copy", "nocopy");

    private static Map<String, Attribute> attributes() {
        var map = new HashMap<String, Attribute>();
        map.put("ro", new Attribute(RDONLY, 0));
        map.put("rw", new Attribute(0, RDONLY));
        map.put("nosuid", new Attribute(NOSUID, 0));
        map.put("suid", new Attribute(0, NOSUID));
        map.put("nodev", new Attribute(NODEV, 0));
        map.put("dev", new Attribute(0, NODEV));
        map.put("noexec", new Attribute(NOEXEC, 0));
        map.put("exec", new Attribute(0, NOEXEC));
        map.put("noatime", new Attribute(NOATIME, ATIME_MASK));
        map.put("atime", new Attribute(RELATIME, ATIME_MASK));
        map.put("relatime", new Attribute(RELATIME, ATIME_MASK));
        map.put("norelatime", new Attribute(STRICTATIME, ATIME_MASK));
        map.put("strictatime", new Attribute(STRICTATIME, ATIME_MASK));
        map.put("nostrictatime", new Attribute(RELATIME, ATIME_MASK));
        map.put("nodiratime", new Attribute(NODIRATIME, 0));
        map.put("diratime", new Attribute(0, NODIRATIME));
        map.put("nosymfollow", new Attribute(NOSYMFOLLOW, 0));
        map.put("symfollow", new Attribute(0, NOSYMFOLLOW));
        return Map.copyOf(map);
    }

    MountOptions {
        data = Collections.unmodifiableMap(new LinkedHashMap<>(data));
    }

    /// Sorts the words; later ones win over earlier ones. A word with `=` or an unknown word is the filesystem's;
    /// its value is `""` when it has none.
    static MountOptions parse(List<String> words) {
        long[] own = new long[2];
        long[] all = new long[2];
        long propagation = 0;
        boolean recursivePropagation = false;
        boolean bind = false;
        boolean recursiveBind = false;
        boolean idmapped = false;
        var data = new LinkedHashMap<String, String>();
        for (String word : words) {
            String bare = word.startsWith("r") ? word.substring(1) : "";
            if (word.equals("bind") || word.equals("rbind")) {
                bind = true;
                recursiveBind = word.equals("rbind");
            } else if (word.equals("idmap") || word.equals("ridmap")) {
                idmapped = true;
            } else if (ATTRIBUTES.containsKey(word)) {
                apply(own, ATTRIBUTES.get(word));
            } else if (PROPAGATION.containsKey(word)) {
                propagation = PROPAGATION.get(word);
                recursivePropagation = false;
            } else if (ATTRIBUTES.containsKey(bare)) {
                apply(all, ATTRIBUTES.get(bare));
            } else if (PROPAGATION.containsKey(bare)) {
                propagation = PROPAGATION.get(bare);
                recursivePropagation = true;
            } else if (!WITHOUT_EFFECT.contains(word) && !word.isEmpty()) {
                int equals = word.indexOf('=');
                data.put(equals < 0 ? word : word.substring(0, equals), equals < 0 ? "" : word.substring(equals + 1));
            }
        }
        return new MountOptions(
                own[0], own[1], all[0], all[1], propagation, recursivePropagation, bind, recursiveBind, idmapped, data);
    }

    private static void apply(long[] bits, @Nullable Attribute attribute) {
        if (attribute != null) {
            bits[0] = bits[0] & ~attribute.clear | attribute.set;
            bits[1] = bits[1] & ~attribute.set | attribute.clear;
        }
    }

    /// Whether this mount only may be read.
    boolean readonly() {
        return (set & RDONLY) != 0;
    }

    /// The bits as words, for people.
    static String words(long bits) {
        var words = new ArrayList<String>();
        if ((bits & RDONLY) != 0) {
            words.add("ro");
        }
        if ((bits & NOSUID) != 0) {
            words.add("nosuid");
        }
        if ((bits & NODEV) != 0) {
            words.add("nodev");
        }
        if ((bits & NOEXEC) != 0) {
            words.add("noexec");
        }
        if ((bits & ATIME_MASK) == NOATIME) {
            words.add("noatime");
        }
        if ((bits & ATIME_MASK) == STRICTATIME) {
            words.add("strictatime");
        }
        if ((bits & NODIRATIME) != 0) {
            words.add("nodiratime");
        }
        if ((bits & NOSYMFOLLOW) != 0) {
            words.add("nosymfollow");
        }
        return words.isEmpty() ? "rw" : String.join(",", words);
    }
}
