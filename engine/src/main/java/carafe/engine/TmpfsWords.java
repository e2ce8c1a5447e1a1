package carafe.engine;

import carafe.spec.EngineException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/// The options of a memory file system that somebody asks for: Docker's, and those that only the kernel knows. What is
/// wrong in them is told when the container is made; the kernel says only that something is.
/// Source: tmpfs(5), mount(8).
final class TmpfsWords {

    private static final Set<String> ALONE = Set.of("defaults", "ro", "rw", "suid", "nosuid", "dev", "nodev", "exec", "noexec",
            "sync", "async", "dirsync", "remount", "mand", "nomand", "atime", "noatime", "diratime", "nodiratime", "relatime",
            "norelatime", "strictatime", "nostrictatime", "lazytime", "nolazytime", "symfollow", "nosymfollow", "unbindable",
            "runbindable", "private", "rprivate", "shared", "rshared", "slave", "rslave", "tmpcopyup", "noswap", "inode32",
            "inode64", "quota", "usrquota", "grpquota", "casefold", "silent", "loud", "iversion", "noiversion", "auto", "noauto",
            "user", "nouser", "_netdev", "copy", "nocopy");
    private static final Pattern SIZE = Pattern.compile("(0[xX][0-9a-fA-F]+|[0-9]+)[kKmMgGtTpPeE]?");
    private static final Pattern SHARE = Pattern.compile(SIZE.pattern() + "%?");
    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,10}");
    private static final Pattern ANY = Pattern.compile(".+");
    private static final Map<String, Pattern> VALUED = Map.ofEntries(Map.entry("size", SHARE), Map.entry("nr_blocks", SIZE),
            Map.entry("nr_inodes", SIZE), Map.entry("mode", Pattern.compile("[0-7]{1,6}")), Map.entry("uid", NUMBER),
            Map.entry("gid", NUMBER), Map.entry("mpol", ANY), Map.entry("casefold", ANY),
            Map.entry("huge", Pattern.compile("never|always|within_size|advise")),
            Map.entry("usrquota_block_hardlimit", SIZE), Map.entry("usrquota_inode_hardlimit", SIZE),
            Map.entry("grpquota_block_hardlimit", SIZE), Map.entry("grpquota_inode_hardlimit", SIZE));

    private TmpfsWords() {}

    /// Refuses an option that there is not, or a value that it cannot have, as Docker does.
    static void check(List<String> words) throws EngineException.Invalid {
        for (String word : words) {
            int equals = word.indexOf('=');
            var values = equals < 0 ? null : VALUED.get(word.substring(0, equals));
            boolean good = values == null
                    ? ALONE.contains(word) || word.isEmpty()
                    : values.matcher(word.substring(equals + 1)).matches();
            if (!good) {
                throw new EngineException.Invalid("invalid tmpfs option [\"" + word.replaceFirst("=", "\" \"") + "\"]");
            }
        }
    }
}
