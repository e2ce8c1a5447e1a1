package carafe.daemon;

import carafe.cli.session.Files.FileEntry;
import carafe.cli.session.PathText;
import carafe.kernel.DeviceNumber;
import carafe.kernel.Directory;
import carafe.kernel.Errno;
import carafe.kernel.FileStat;
import carafe.kernel.Inodes;
import carafe.kernel.KernelException;
import carafe.spec.build.FileCapability;
import carafe.spec.build.FileStamp;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The files of builds' contexts, for commands that run in this JVM: what the kernel says of them, asked directly, for there
/// are thousands. A command in a JVM of its own learns the same of them from Java's library.
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
        try (var directory = open(path)) {
            directory.visit((name, stat) -> {
                var kind = kind(stat);
                var target = kind == FileEntry.Kind.LINK ? target(directory, name) : Optional.of("");
                if (target.isPresent()) {
                    entries.add(new FileEntry(name, kind, stat.mode(), stat.sizeBytes(), stat.modifiedSeconds(), target.get(),
                            stamp(stat), kind == FileEntry.Kind.FILE && stat.links() > 1));
                }
            });
        } catch (KernelException e) {
            throw new IOException("stat " + path + "/" + e.subject() + ": " + e.reason(), e);
        }
        return entries;
    }

    private static Directory open(Path path) throws IOException {
        try {
            return Directory.open(PathText.of(path));
        } catch (KernelException e) {
            throw new IOException("open " + path + ": " + e.reason(), e);
        }
    }

    /// What a link holds; empty if it is gone meanwhile.
    private static Optional<String> target(Directory directory, String name) throws KernelException {
        try {
            return Optional.of(directory.readLink(name));
        } catch (KernelException e) {
            if (e.is(Errno.ENOENT, Errno.EINVAL)) {
                return Optional.empty();
            }
            throw e;
        }
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
        return new FileStamp(DeviceNumber.of(stat.deviceId() >>> 32, stat.deviceId() & 0xFFFFFFFFL), stat.inode(),
                stat.sizeBytes(), nanos(stat.modifiedSeconds(), stat.modifiedNanos()),
                nanos(stat.changedSeconds(), stat.changedNanos()));
    }

    private static long nanos(long seconds, int nanos) {
        return seconds * 1_000_000_000L + nanos;
    }
}
