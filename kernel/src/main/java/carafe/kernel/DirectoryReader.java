package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Reads a directory's names batch by batch, so a directory of a million names needs no more memory than one of a
/// thousand. Source: getdents64(2).
final class DirectoryReader implements AutoCloseable {

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

    private static List<DirectoryEntry> decode(MemorySegment records, long bytes) {
        var entries = new ArrayList<DirectoryEntry>();
        long at = 0;
        while (at < bytes) {
            int length = Short.toUnsignedInt(records.get(JAVA_SHORT_UNALIGNED, at + 16));
            int nameBytes = 0;
            while (records.get(JAVA_BYTE, at + 19 + nameBytes) != 0) {
                nameBytes++;
            }
            String name = NativeText.decode(records.asSlice(at + 19, nameBytes).toArray(JAVA_BYTE));
            if (!name.equals(".") && !name.equals("..")) {
                entries.add(new DirectoryEntry(name, FileType.ofEntry(records.get(JAVA_BYTE, at + 18)),
                        records.get(JAVA_LONG_UNALIGNED, at)));
            }
            at += length;
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
