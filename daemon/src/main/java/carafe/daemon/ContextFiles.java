package carafe.daemon;

import carafe.cli.session.Files.FileEntry;
import carafe.cli.session.PathText;
import carafe.kernel.Directory;
import carafe.kernel.FileStat;
import carafe.kernel.Inodes;
import carafe.kernel.KernelException;
import carafe.spec.build.FileCapability;
import carafe.spec.build.FileStamp;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The files of builds' contexts, for commands that run in this JVM: what the kernel says of them, asked directly, for there
/// are thousands. What Java says of the same files in a command's own JVM is the same.
final class ContextFiles {

    private ContextFiles() {}

    /// As [carafe.cli.Capabilities#of].
    static List<byte[]> capabilities(String directory, List<String> names) throws IOException {
        var found = new ArrayList<byte[]>(names.size());
        for (String name : names) {
            try {
                found.add(Inodes.xattr(directory + "/" + name, FileCapability.ATTRIBUTE).orElse(new byte[0]));
            } catch (KernelException e) {
                throw new IOException(e.getMessage(), e);
            }
        }
        return found;
    }

    /// As [carafe.cli.Lister#list].
    static List<FileEntry> list(Path path) throws IOException {
        var entries = new ArrayList<FileEntry>();
        try (var directory = Directory.open(PathText.of(path))) {
            directory.visit((name, stat) -> {
                var kind = kind(stat);
                String target = kind == FileEntry.Kind.LINK ? directory.readLink(name) : "";
                entries.add(new FileEntry(name, kind, stat.mode(), stat.sizeBytes(), stat.modifiedSeconds(), target, stamp(stat),
                        kind == FileEntry.Kind.FILE && stat.links() > 1));
            });
        } catch (KernelException e) {
            throw new IOException("open " + path + ": " + e.reason(), e);
        }
        return entries;
    }

    private static FileEntry.Kind kind(FileStat stat) {
        return switch (stat.type()) {
            case REGULAR -> FileEntry.Kind.FILE;
            case DIRECTORY -> FileEntry.Kind.DIRECTORY;
            case SYMLINK -> FileEntry.Kind.LINK;
            case CHARACTER_DEVICE, BLOCK_DEVICE, FIFO, SOCKET, UNKNOWN -> FileEntry.Kind.OTHER;
        };
    }

    private static FileStamp stamp(FileStat stat) {
        return new FileStamp(device(stat.deviceId()), stat.inode(), stat.sizeBytes(),
                nanos(stat.modifiedSeconds(), stat.modifiedNanos()), nanos(stat.changedSeconds(), stat.changedNanos()));
    }

    private static long nanos(long seconds, int nanos) {
        return seconds * 1_000_000_000L + nanos;
    }

    /// The number of a device, major and minor in its halves, as stat(2) has it. Source: makedev(3).
    private static long device(long halves) {
        long major = halves >>> 32;
        long minor = halves & 0xFFFFFFFFL;
        return minor & 0xFF | (major & 0xFFF) << 8 | (minor & ~0xFFL) << 12 | (major & ~0xFFFL) << 32;
    }
}
