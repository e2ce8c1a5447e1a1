package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/// Bytes through descriptors: read, write, sync, and streams over them. Every method takes a borrowed descriptor except
/// the two `adopt…`, whose stream closes it. A call blocks as the file behind it blocks, and pins a virtual thread's
/// carrier meanwhile: regular files, not pipes or sockets without an end.
public final class FdStream {

    private FdStream() {}

    /// An unbuffered stream that reads `fd` to its end and closes it.
    public static InputStream adoptInput(Fd fd) {
        return new Input(fd);
    }

    /// An unbuffered stream that writes to `fd` and closes it; not a byte is held back.
    public static OutputStream adoptOutput(Fd fd) {
        return new Output(fd);
    }

    /// Reads at most `length` bytes at the descriptor's position. Source: read(2).
    /// @return how many were read, -1 at the end
    public static int read(Fd fd, byte[] into, int offset, int length) throws KernelException {
        Objects.checkFromIndexSize(offset, length, into.length);
        if (length == 0) {
            return 0;
        }
        try (var frame = new Frame(); var buffer = TransferBuffer.borrow()) {
            int wanted = Math.min(length, TransferBuffer.BYTES);
            long got = frame.attempt(Syscall.READ, fd.number(), buffer.address(), wanted);
            Frame.checked(got, Syscall.READ, fd.subject());
            MemorySegment.copy(buffer.memory(), JAVA_BYTE, 0, into, offset, (int) got);
            return got == 0 ? -1 : (int) got;
        }
    }

    /// Reads at most `length` bytes at `position`, which may be anywhere. Source: pread(2).
    /// @return how many were read, -1 at the end
    public static int readAt(Fd fd, long position, byte[] into, int offset, int length) throws KernelException {
        Objects.checkFromIndexSize(offset, length, into.length);
        if (length == 0) {
            return 0;
        }
        try (var frame = new Frame(); var buffer = TransferBuffer.borrow()) {
            int wanted = Math.min(length, TransferBuffer.BYTES);
            long got = frame.attempt(Syscall.PREAD64, fd.number(), buffer.address(), wanted, position);
            Frame.checked(got, Syscall.PREAD64, fd.subject());
            MemorySegment.copy(buffer.memory(), JAVA_BYTE, 0, into, offset, (int) got);
            return got == 0 ? -1 : (int) got;
        }
    }

    /// Reads from the descriptor's position to the end.
    /// @throws KernelException EFBIG there are more than `limitBytes`
    public static byte[] readAll(Fd fd, int limitBytes) throws KernelException {
        try (var frame = new Frame(); var buffer = TransferBuffer.borrow()) {
            var out = new ByteArrayOutputStream(0);
            while (true) {
                long got = frame.attempt(Syscall.READ, fd.number(), buffer.address(), TransferBuffer.BYTES);
                Frame.checked(got, Syscall.READ, fd.subject());
                if (got == 0) {
                    return out.toByteArray();
                }
                if (out.size() + got > limitBytes) {
                    throw new KernelException("read", fd.subject(), Errno.EFBIG, "more than " + limitBytes + " bytes");
                }
                out.write(buffer.memory().asSlice(0, got).toArray(JAVA_BYTE), 0, (int) got);
            }
        }
    }

    /// Writes all of `bytes` at the descriptor's position. Source: write(2).
    public static void write(Fd fd, byte[] bytes) throws KernelException {
        write(fd, bytes, 0, bytes.length);
    }

    /// Writes `length` bytes from `offset` on, all of them.
    public static void write(Fd fd, byte[] from, int offset, int length) throws KernelException {
        Objects.checkFromIndexSize(offset, length, from.length);
        try (var frame = new Frame(); var buffer = TransferBuffer.borrow()) {
            int done = 0;
            while (done < length) {
                int part = Math.min(length - done, TransferBuffer.BYTES);
                MemorySegment.copy(from, offset + done, buffer.memory(), JAVA_BYTE, 0, part);
                long wrote = frame.attempt(Syscall.WRITE, fd.number(), buffer.address(), part);
                done += (int) Frame.checked(wrote, Syscall.WRITE, fd.subject());
            }
        }
    }

    /// Moves the position to `offset` counted as `whence` says, one of `SEEK_*`. Source: lseek(2).
    /// @throws KernelException ENXIO with SEEK_DATA: nothing but a hole up to the end
    public static long seek(Fd fd, long offset, int whence) throws KernelException {
        try (var frame = new Frame()) {
            return Frame.checked(frame.attempt(Syscall.LSEEK, fd.number(), offset, whence),
                    Syscall.LSEEK, fd.subject());
        }
    }

    /// Makes the file `bytes` long; a longer one is cut, a shorter one ends in a hole. Source: ftruncate(2).
    public static void truncate(Fd fd, long bytes) throws KernelException {
        try (var frame = new Frame()) {
            Frame.checked(frame.attempt(Syscall.FTRUNCATE, fd.number(), bytes), Syscall.FTRUNCATE, fd.subject());
        }
    }

    /// Waits until content and metadata are on the disk. Source: fsync(2).
    public static void sync(Fd fd) throws KernelException {
        try (var frame = new Frame()) {
            Frame.checked(frame.attempt(Syscall.FSYNC, fd.number()), Syscall.FSYNC, fd.subject());
        }
    }

    /// Has the kernel begin to write `bytes` of the file from `offset` on to the disk, and waits for nothing: a later
    /// [#sync] has less to do. Promises nothing by itself. Source: sync_file_range(2).
    public static void startWriting(Fd fd, long offset, long bytes) throws KernelException {
        try (var frame = new Frame()) {
            long rc = frame.attempt(Syscall.SYNC_FILE_RANGE, fd.number(), offset, bytes, Linux.SYNC_FILE_RANGE_WRITE);
            Frame.checked(rc, Syscall.SYNC_FILE_RANGE, fd.subject());
        }
    }

    /// Writes `length` bytes from `offset` on at `position` of the file, all of them. Source: pwrite(2).
    public static void writeAt(Fd fd, long position, byte[] from, int offset, int length) throws KernelException {
        Objects.checkFromIndexSize(offset, length, from.length);
        try (var frame = new Frame(); var buffer = TransferBuffer.borrow()) {
            int done = 0;
            while (done < length) {
                int part = Math.min(length - done, TransferBuffer.BYTES);
                MemorySegment.copy(from, offset + done, buffer.memory(), JAVA_BYTE, 0, part);
                long wrote = frame.attempt(Syscall.PWRITE64, fd.number(), buffer.address(), part, position + done);
                done += (int) Frame.checked(wrote, Syscall.PWRITE64, fd.subject());
            }
        }
    }

    /// Waits until all of the filesystem that `fd` is on is on the disk: one call instead of an fsync per file. `fd`
    /// must not be an O_PATH one. Source: syncfs(2).
    public static void syncFilesystem(Fd fd) throws KernelException {
        try (var frame = new Frame()) {
            Frame.checked(frame.attempt(Syscall.SYNCFS, fd.number()), Syscall.SYNCFS, fd.subject());
        }
    }

    /// Copies at most `bytes` from one regular file's position to the other's inside the kernel, sharing blocks where
    /// the filesystem can. Source: copy_file_range(2); sendfile(2) where the two filesystems do not get along; read and
    /// write where a file knows neither (procfs).
    /// @return how many were copied; fewer than asked only at the end of `from`
    public static long copy(Fd from, Fd to, long bytes) throws KernelException {
        try (var frame = new Frame()) {
            long done = move(frame, Syscall.COPY_FILE_RANGE, from, to, bytes);
            if (done <= 0) { // some filesystems answer 0 to what they do not support
                done = move(frame, Syscall.SENDFILE, from, to, bytes);
            }
            return done >= 0 ? done : copyThroughUs(from, to, bytes);
        }
    }

    /// @return how many bytes were moved; -1 when the call does not know these files
    private static long move(Frame frame, Syscall call, Fd from, Fd to, long bytes) throws KernelException {
        long done = 0;
        while (done < bytes) {
            long part = Math.min(bytes - done, 1 << 30);
            long moved = call == Syscall.SENDFILE
                    ? frame.attempt(call, to.number(), from.number(), 0, part)
                    : frame.attempt(call, from.number(), 0, to.number(), 0, part, 0);
            if (done == 0 && (moved == -Errno.EINVAL || moved == -Errno.EXDEV || moved == -Errno.EOPNOTSUPP)) {
                return -1;
            }
            Frame.checked(moved, call, from.subject());
            if (moved == 0) {
                break;
            }
            done += moved;
        }
        return done;
    }

    private static long copyThroughUs(Fd from, Fd to, long bytes) throws KernelException {
        byte[] part = new byte[TransferBuffer.BYTES];
        long done = 0;
        while (done < bytes) {
            int got = read(from, part, 0, (int) Math.min(bytes - done, part.length));
            if (got < 0) {
                break;
            }
            write(to, part, 0, got);
            done += got;
        }
        return done;
    }

    private static final class Input extends InputStream {
        private final Fd fd;

        Input(Fd fd) {
            this.fd = fd;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            return FdStream.read(open(fd), into, offset, length);
        }

        @Override
        public void close() {
            fd.close();
        }
    }

    private static final class Output extends OutputStream {
        private final Fd fd;

        Output(Fd fd) {
            this.fd = fd;
        }

        @Override
        public void write(int one) throws IOException {
            write(new byte[] {(byte) one}, 0, 1);
        }

        @Override
        public void write(byte[] from, int offset, int length) throws IOException {
            FdStream.write(open(fd), from, offset, length);
        }

        @Override
        public void close() {
            fd.close();
        }
    }

    private static Fd open(Fd fd) throws IOException {
        if (!fd.isOpen()) {
            throw new IOException("stream of " + fd.subject() + " is closed");
        }
        return fd;
    }
}
