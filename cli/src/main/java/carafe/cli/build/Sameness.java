package carafe.cli.build;

import carafe.cli.session.Files;
import carafe.cli.session.PathText;
import carafe.spec.build.ContextListing;
import carafe.spec.build.FileStamp;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Which files of a context were the same before and after they were read, so that their stamps stand for what was sent.
///
/// A file counts when its stamp was the same both times and every directory above it, too (another tree may have stood
/// there meanwhile), and when it was changed long before all this began: a file system's clock may tick so coarsely that a
/// later change leaves the stamp as it is (what git calls racily clean).
final class Sameness {

    private static final Duration COARSEST_TICK = Duration.ofSeconds(2);

    private final Files files;
    private final Path root;
    private final long latestNanos;
    private final Map<String, FileStamp> directories = new LinkedHashMap<>();
    private final List<Same> same = new ArrayList<>();

    private record Same(String path, FileStamp stamp) {}

    /// Of files below `root`.
    Sameness(Files files, Path root, Clock clock) {
        this.files = files;
        this.root = root;
        this.latestNanos = latestNanos(clock);
    }

    /// The last change that a file may have had for its stamp to stand for it from now on (nanoseconds since 1970).
    static long latestNanos(Clock clock) {
        Instant latest = clock.instant().minus(COARSEST_TICK);
        return Math.addExact(Math.multiplyExact(latest.getEpochSecond(), 1_000_000_000L), latest.getNano());
    }

    /// A directory is going to be listed; `""` is the root.
    void directory(String path) throws IOException {
        directories.put(path, stamp(path));
    }

    private FileStamp stamp(String path) throws IOException {
        return files.stamp(path.isEmpty() ? root.resolve(".") : PathText.resolve(root, path)); // a link to the root is no root
    }

    /// A file was read to its end; `before` is its stamp when its directory was listed.
    void file(String path, FileStamp before) throws IOException {
        if (before.standsAfter(latestNanos) && same.size() < ContextListing.MAX_ENTRIES
                && before.equals(files.stamp(PathText.resolve(root, path)))) {
            same.add(new Same(path, before));
        }
    }

    /// A listing of the files that count; an empty one when they are too many, or cannot be looked at any more.
    byte[] listing() {
        var listing = new ContextListing.Writer();
        try {
            var changed = new ArrayList<String>();
            for (var directory : directories.entrySet()) {
                if (!directory.getValue().equals(stamp(directory.getKey()))) {
                    changed.add(directory.getKey().isEmpty() ? "" : directory.getKey() + "/");
                }
            }
            String at = "";
            for (var file : same) {
                if (changed.stream().noneMatch(file.path::startsWith)) {
                    int slash = file.path.lastIndexOf('/');
                    String directory = slash < 0 ? "" : file.path.substring(0, slash);
                    if (!directory.equals(at)) {
                        listing.directory(directory);
                        at = directory;
                    }
                    listing.file(file.path.substring(slash + 1), 0, file.stamp.size(), file.stamp);
                }
            }
        } catch (IOException e) {
            return new ContextListing.Writer().bytes(); // what cannot be told is only not remembered
        }
        return listing.tooMuch() ? new ContextListing.Writer().bytes() : listing.bytes();
    }
}
