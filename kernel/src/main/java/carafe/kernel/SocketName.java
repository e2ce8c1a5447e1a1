package carafe.kernel;

import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/// The name of a unix socket as sockaddr_un takes it: a path of more than 107 bytes goes through a descriptor of its
/// directory. Keeps that open while the name is used. Source: unix(7).
final class SocketName implements AutoCloseable {

    private static final int MOST_BYTES = 107;

    private final String name;
    private final Optional<Fd> directory;

    private SocketName(String name, Optional<Fd> directory) {
        this.name = name;
        this.directory = directory;
    }

    /// @throws KernelException ENOENT the directory is missing; ENAMETOOLONG the file's own name is too long
    static SocketName of(Path socket) throws KernelException {
        if (NativeText.encode(socket.toString()).length <= MOST_BYTES) {
            return new SocketName(socket.toString(), Optional.empty());
        }
        var parent = Objects.requireNonNull(socket.toAbsolutePath().getParent()); // a name this long has one
        var directory = Descriptors.open(parent, Linux.O_PATH | Linux.O_DIRECTORY, 0);
        var name = directory.path() + "/" + socket.getFileName();
        if (NativeText.encode(name).length > MOST_BYTES) {
            directory.close();
            throw new KernelException("connect", socket, Errno.ENAMETOOLONG);
        }
        return new SocketName(name, Optional.of(directory));
    }

    /// What goes into the address.
    String name() {
        return name;
    }

    @Override
    public void close() {
        directory.ifPresent(Fd::close);
    }
}
