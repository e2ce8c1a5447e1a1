package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Reads a directory's names batch by batch, so a directory of a million names needs no more memory than one of a
/// thousand. Source: getdents64(2).
final class DirectoryReader implements AutoCloseable {

    private static final int NAME_AT = 19; // in struct linux_dirent64

    private final Fd fd;

    /// Reads the directory that `directory` (an O_PATH descriptor will do) stands for.
    DirectoryReader(Fd directory) throws KernelException {
        fd = Opening.nameOnly(Linux.O_RDONLY | Linux.O_DIRECTORY, 0).open(directory.number(), ".");
    }

    /// The next names, in no order; empty at the end.
    List<DirectoryEntry> next() throws KernelException {
        while (true) {
            try (var frame = new Frame(); var buffer = TransferBuffer.borrow()) {
                long bytes = frame.attempt(Syscall.GETDENTS64, fd.number(), buffer.address(), TransferBuffer.BYTES);
                Frame.checked(bytes, Syscall.GETDENTS64, fd.subject());
                var entries = decode(buffer.memory(), bytes);
                if (bytes == 0 || !entries.isEmpty()) {
                    return entries;
                }
            }
        }
    }

    /// Shows the next names with what the kernel says of each, links not followed; what is gone meanwhile is left out.
    /// @return false at the end
    boolean next(Directory.Visitor visitor) throws IOException {
        try (var frame = new Frame(); var buffer = TransferBuffer.borrow()) {
            long bytes = frame.attempt(Syscall.GETDENTS64, fd.number(), buffer.address(), TransferBuffer.BYTES);
            Frame.checked(bytes, Syscall.GETDENTS64, fd.subject());
            var statx = frame.allocate(Inodes.STATX_BYTES, 8);
            var records = buffer.memory();
            for (long at = 0; at < bytes; at += length(records, at)) {
                String name = name(records, at);
                if (isNoFile(name)) {
                    continue;
                }
                long rc = frame.attempt(Syscall.STATX, fd.number(), buffer.address() + at + NAME_AT,
                        Linux.AT_SYMLINK_NOFOLLOW | Linux.AT_NO_AUTOMOUNT, Inodes.STATX_MASK, statx.address());
                if (rc != -Errno.ENOENT) {
                    Frame.checked(rc, Syscall.STATX, name);
                    visitor.entry(name, Inodes.decode(statx));
                }
            }
            return bytes > 0;
        }
    }

    private static int length(MemorySegment records, long at) {
        return Short.toUnsignedInt(records.get(JAVA_SHORT_UNALIGNED, at + 16));
    }

    private static String name(MemorySegment records, long at) {
        int bytes = 0;
        while (records.get(JAVA_BYTE, at + NAME_AT + bytes) != 0) {
            bytes++;
        }
        return NativeText.decode(records.asSlice(at + NAME_AT, bytes).toArray(JAVA_BYTE));
    }

    private static boolean isNoFile(String name) {
        return name.equals(".") || name.equals("..");
    }

    private static List<DirectoryEntry> decode(MemorySegment records, long bytes) {
        var entries = new ArrayList<DirectoryEntry>();
        long at = 0;
        while (at < bytes) {
            String name = name(records, at);
            if (!isNoFile(name)) {
                entries.add(new DirectoryEntry(name, FileType.ofEntry(records.get(JAVA_BYTE, at + 18)),
                        records.get(JAVA_LONG_UNALIGNED, at)));
            }
            at += length(records, at);
        }
        return entries;
    }

    /// Starts again at the first name.
    void rewind() throws KernelException {
        FdStream.seek(fd, 0, Linux.SEEK_SET);
    }

    @Override
    public void close() {
        fd.close();
    }
}
