package carafe.files;

import carafe.kernel.Errno;
import carafe.kernel.Fd;
import carafe.kernel.Inodes;
import carafe.kernel.KernelException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/// The extended attributes that go with a file when it is copied or packed: capabilities, ACLs, the user's own. Not
/// `trusted.*`: what overlayfs writes there would make it read foreign files.
final class Attributes {

    private static final Set<String> KEPT =
            Set.of("security.capability", "system.posix_acl_access", "system.posix_acl_default");

    private Attributes() {}

    static boolean kept(String name) {
        return KEPT.contains(name) || name.startsWith("user.");
    }

    /// Those of the inode.
    static Map<String, byte[]> read(Fd inode) throws KernelException {
        Map<String, byte[]> found = Map.of();
        for (String name : Inodes.xattrs(inode)) {
            if (kept(name)) {
                var value = Inodes.xattr(inode, name);
                if (value.isPresent()) {
                    found = found.isEmpty() ? new LinkedHashMap<>() : found;
                    found.put(name, value.get());
                }
            }
        }
        return Collections.unmodifiableMap(found);
    }

    /// Gives them to another inode, after its owner and mode; a filesystem that has none of a kind goes without.
    static void write(Fd inode, Map<String, byte[]> attributes) throws KernelException {
        for (var attribute : attributes.entrySet()) {
            if (!kept(attribute.getKey())) {
                continue;
            }
            try {
                Inodes.setXattr(inode, attribute.getKey(), attribute.getValue());
            } catch (KernelException e) {
                if (!e.is(Errno.EOPNOTSUPP)) {
                    throw e;
                }
            }
        }
    }
}
