package carafe.engine;

import carafe.spec.EngineException;
import carafe.spec.oci.RootfsPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Compares a container's writable layer with the layers below it. The writable layer may change while it is read, by
/// processes that wish us ill: it is walked by directory handles that follow no link.
/// Source: overlayfs.rst, "whiteouts and opaque directories".
final class RootChanges {
    private static final int MOST = 1_000_000;
    private static final int DEEPEST = 200;

    private final RootfsPlan.Overlay root;
    private final List<PathChange> changes = new ArrayList<>();

    private RootChanges(RootfsPlan.Overlay root) {
        this.root = root;
    }

    /// The changes, sorted by path, parents before children.
    static List<PathChange> of(RootfsPlan.Overlay root) throws EngineException {
        var comparison = new RootChanges(root);
        try (var upper = Files.newDirectoryStream(root.upper())) {
            if (!(upper instanceof SecureDirectoryStream<Path> secure)) {
                throw new EngineException.Unsupported("this host cannot walk directories safely");
            }
            comparison.walk(secure, Path.of("/"), 0);
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (IOException e) {
            throw Failures.io("cannot compare the container's root", e);
        }
        comparison.changes.sort(Comparator.comparing(PathChange::path));
        return comparison.changes;
    }

    private void walk(SecureDirectoryStream<Path> directory, Path inside, int depth) throws IOException {
        for (var entry : directory) {
            if (changes.size() >= MOST || depth >= DEEPEST) {
                return;
            }
            Path name = entry.getFileName();
            Path path = inside.resolve(name.toString());
            BasicFileAttributes attributes;
            try {
                attributes = directory
                        .getFileAttributeView(name, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                        .readAttributes();
            } catch (NoSuchFileException e) {
                continue; // gone meanwhile
            }
            boolean below = existsBelow(path);
            if (attributes.isOther() && isWhiteout(path)) {
                if (below) {
                    changes.add(new PathChange(path.toString(), PathChange.Kind.DELETED));
                }
                continue;
            }
            changes.add(new PathChange(
                    path.toString(), below ? PathChange.Kind.MODIFIED : PathChange.Kind.ADDED));
            if (attributes.isDirectory()) {
                try (var next = directory.newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS)) {
                    walk(next, path, depth + 1);
                } catch (NoSuchFileException | NotDirectoryException e) {
                    continue; // changed meanwhile
                }
            }
        }
    }

    /// A character device 0:0 is how overlayfs writes "deleted".
    private boolean isWhiteout(Path path) {
        return isWhiteout(root.upper(), path);
    }

    private static boolean isWhiteout(Path layer, Path path) {
        try {
            var found = Files.readAttributes(below(layer, path), "unix:mode,rdev", LinkOption.NOFOLLOW_LINKS);
            return found.get("rdev") instanceof Long device && device == 0
                    && found.get("mode") instanceof Integer mode && (mode & 0170000) == 0020000;
        } catch (IOException e) {
            return false;
        }
    }

    /// Whether the layers below have `path`; the topmost that knows it or a parent of it decides.
    private boolean existsBelow(Path path) {
        for (var layer : root.lowers()) {
            Path walked = Path.of("/");
            boolean undecided = false;
            for (var name : path) {
                walked = walked.resolve(name);
                var attributes = attributes(layer, walked);
                if (attributes == null) {
                    undecided = true;
                    break;
                }
                if (attributes.isOther() && isWhiteout(layer, walked)) {
                    return false;
                }
                if (!walked.equals(path) && !attributes.isDirectory()) {
                    return false; // a file or link where the path needs a directory
                }
            }
            if (!undecided) {
                return true;
            }
        }
        return false;
    }

    private static @Nullable BasicFileAttributes attributes(Path layer, Path path) {
        try {
            return Files.readAttributes(
                    below(layer, path), BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        } catch (IOException e) {
            return null;
        }
    }

    private static Path below(Path layer, Path path) {
        return layer.resolve(path.toString().substring(1));
    }
}
