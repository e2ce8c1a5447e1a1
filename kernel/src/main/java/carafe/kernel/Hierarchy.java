package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// One mounted cgroup hierarchy by the descriptor of its root; `controllers` are those bound to it (`name=systemd` for
/// a named one). Paths are relative to the root. Every file access is open, one transfer, close: what the kernel's
/// pseudo files want.
record Hierarchy(Fd root, Set<String> controllers) {

    Hierarchy {
        controllers = Set.copyOf(controllers);
    }

    /// @return 0 or the errno
    int tryMkdir(String directory) throws KernelException {
        try (var frame = new Frame()) {
            return (int) -frame.attempt(Syscall.MKDIRAT, root.number(), frame.text(directory).address(), 0755);
        }
    }

    /// @return 0 or the errno
    int tryRmdir(String directory) throws KernelException {
        try (var frame = new Frame()) {
            return (int) -frame.attempt(Syscall.UNLINKAT, root.number(), frame.text(directory).address(),
                    Linux.AT_REMOVEDIR);
        }
    }

    /// Writes `value` at once.
    /// @return 0 or the errno, ENOENT when there is no such file
    int tryWrite(String directory, String file, String value) throws KernelException {
        try (var frame = new Frame()) {
            long fd = open(frame, join(directory, file), Linux.O_WRONLY);
            if (fd < 0) {
                return (int) -fd;
            }
            byte[] bytes = NativeText.encode(value);
            long rc = frame.attempt(Syscall.WRITE, fd, frame.bytes(bytes).address(), bytes.length);
            frame.once(Syscall.CLOSE, fd);
            return rc < 0 ? (int) -rc : 0;
        }
    }

    /// Writes each of `values` with a write of its own.
    void writeEach(String directory, String file, List<String> values) throws KernelException {
        try (var fd = openFile(directory, file, Linux.O_WRONLY)) {
            for (String value : values) {
                FdStream.write(fd, NativeText.encode(value));
            }
        }
    }

    void write(String directory, String file, String value) throws KernelException {
        int errno = tryWrite(directory, file, value);
        if (errno != 0) {
            throw new KernelException("write", subject(directory, file) + " \"" + value + "\"", errno);
        }
    }

    /// The content of a file; an empty text where there is none.
    String readOrEmpty(String directory, String file) throws KernelException {
        try {
            return read(directory, file);
        } catch (KernelException e) {
            if (e.is(Errno.ENOENT, Errno.ENODEV, Errno.EOPNOTSUPP, Errno.EINVAL)) {
                return "";
            }
            throw e;
        }
    }

    /// The content of a file without the last line end.
    String read(String directory, String file) throws KernelException {
        try (var frame = new Frame(); var buffer = TransferBuffer.borrow()) {
            long fd = open(frame, join(directory, file), Linux.O_RDONLY);
            if (fd < 0) {
                throw new KernelException("open", subject(directory, file), (int) -fd);
            }
            var text = new StringBuilder();
            long bytes;
            do {
                bytes = frame.attempt(Syscall.READ, fd, buffer.address(), TransferBuffer.BYTES);
                if (bytes > 0) {
                    text.append(NativeText.decode(buffer.memory().asSlice(0, bytes).toArray(JAVA_BYTE)));
                }
            } while (bytes > 0);
            frame.once(Syscall.CLOSE, fd);
            if (bytes < 0) {
                throw new KernelException("read", subject(directory, file), (int) -bytes);
            }
            return text.toString().stripTrailing();
        }
    }

    private long open(Frame frame, String path, int flags) throws KernelException {
        return frame.attempt(Syscall.OPENAT, root.number(), frame.text(path).address(), flags | Linux.O_CLOEXEC);
    }

    Fd openFile(String directory, String file, int flags) throws KernelException {
        try (var frame = new Frame()) {
            long fd = open(frame, join(directory, file), flags);
            String subject = subject(directory, file);
            return Fd.adopt((int) Frame.checked(fd, Syscall.OPENAT, subject), subject);
        }
    }

    Fd openDirectory(String directory) throws KernelException {
        return openFile(directory, ".", Linux.O_RDONLY | Linux.O_DIRECTORY);
    }

    boolean exists(String path) throws KernelException {
        try (var frame = new Frame()) {
            var text = frame.text(path.isEmpty() ? "." : path);
            return frame.attempt(Syscall.FACCESSAT2, root.number(), text.address(), 0, 0) == 0;
        }
    }

    /// The names of the cgroups directly below; none where `directory` is not there.
    List<String> children(String directory) throws KernelException {
        var names = new ArrayList<String>();
        try (var fd = openDirectory(directory); var reader = new DirectoryReader(fd)) {
            for (var batch = reader.next(); !batch.isEmpty(); batch = reader.next()) {
                for (var entry : batch) {
                    if (entry.type() == FileType.DIRECTORY) {
                        names.add(entry.name());
                    }
                }
            }
        } catch (KernelException e) {
            if (!e.is(Errno.ENOENT, Errno.ENODEV)) {
                throw e;
            }
        }
        return names;
    }

    /// The root itself is the empty path; nothing must ever begin with a slash, which would leave the hierarchy.
    private static String join(String directory, String file) {
        return directory.isEmpty() ? file : directory + "/" + file;
    }

    private String subject(String directory, String file) {
        return root.subject() + "/" + join(directory, file);
    }
}
