package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.tar.TarEntry;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// What names mean in a layer's tar, whichever way its files are kept: whiteouts, opaque marks, which attributes stay,
/// and the words in which a member is refused. Source: OCI image-spec layer.md.
final class LayerNames {

    static final String WHITEOUT = ".wh.";
    static final String OPAQUE = ".wh..wh..opq";
    static final String AUFS = ".wh..wh.";

    private static final int MAX_NAME_CHARS = 4096;
    private static final int MAX_SHOWN_CHARS = 200;
    private static final Set<String> KEPT_ATTRIBUTES =
            Set.of("security.capability", "system.posix_acl_access", "system.posix_acl_default");

    private LayerNames() {}

    /// The parts of a member's name; none for the root. No name climbs.
    static List<String> parts(String name, TarEntry entry) throws EngineException.Invalid {
        if (name.length() > MAX_NAME_CHARS) {
            throw new EngineException.Invalid("cannot unpack a name of " + name.length() + " characters: "
                    + "file name too long");
        }
        var names = new ArrayList<String>();
        for (int start = 0; start < name.length(); ) {
            int slash = name.indexOf('/', start);
            int end = slash < 0 ? name.length() : slash;
            String part = name.substring(start, end);
            if (part.equals("..")) {
                throw new EngineException.Invalid("cannot unpack \"" + entry.name() + "\": it is outside of the layer");
            }
            if (!part.isEmpty() && !part.equals(".")) {
                names.add(part);
            }
            start = end + 1;
        }
        return names;
    }

    /// Puts the parts of `path` in front of `left`, `..` among them.
    static void pushFront(ArrayDeque<String> left, String path) {
        String[] parts = path.split("/");
        for (int i = parts.length - 1; i >= 0; i--) {
            if (!parts[i].isEmpty() && !parts[i].equals(".")) {
                left.addFirst(parts[i]);
            }
        }
    }

    /// The name that a whiteout hides.
    static String hidden(String whiteout) throws EngineException.Invalid {
        String hidden = whiteout.substring(WHITEOUT.length());
        if (hidden.isEmpty() || hidden.equals(".") || hidden.equals("..")) {
            throw new EngineException.Invalid("cannot unpack \"" + whiteout + "\": a whiteout of \"" + hidden + "\"");
        }
        return hidden;
    }

    /// Refuses a symbolic link whose target no filesystem takes.
    static void checkTarget(TarEntry entry) throws EngineException.Invalid {
        if (entry.linkName().isEmpty() || entry.linkName().length() > MAX_NAME_CHARS) {
            throw new EngineException.Invalid("cannot unpack \"" + entry.name() + "\": a link to a name of "
                    + entry.linkName().length() + " characters");
        }
    }

    /// Whether an attribute of an image means what it says; others (`trusted.overlay.redirect`) could lead overlayfs to
    /// foreign files.
    static boolean isKeptAttribute(String name) {
        return KEPT_ATTRIBUTES.contains(name) || name.startsWith("user.");
    }

    /// Says why a member cannot be unpacked.
    static EngineException.Invalid refused(TarEntry entry, String reason) {
        return new EngineException.Invalid("cannot unpack \"" + shown(entry.name()) + "\": " + reason);
    }

    private static String shown(String name) {
        return name.length() > MAX_SHOWN_CHARS ? name.substring(0, MAX_SHOWN_CHARS) + "…" : name;
    }
}
