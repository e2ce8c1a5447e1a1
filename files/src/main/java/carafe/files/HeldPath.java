package carafe.files;

import carafe.kernel.Descriptors;
import carafe.kernel.Fd;
import carafe.kernel.KernelException;
import carafe.kernel.Linux;
import carafe.spec.EngineException;
import java.nio.file.Path;

/// A directory or file of the host, opened once: [#path] leads this process there, and to its mount, whatever is put into
/// its place meanwhile. Whoever looks, changes and mounts by it does all of that to the same thing (R2).
public final class HeldPath implements AutoCloseable {

    private final Fd fd;

    private HeldPath(Fd fd) {
        this.fd = fd;
    }

    /// Opens what `path` leads to; a link at its end is followed. Nothing is read: the descriptor is an O_PATH one.
    static HeldPath open(Path path) throws EngineException {
        try {
            return new HeldPath(Descriptors.open(path, Linux.O_PATH, 0));
        } catch (KernelException e) {
            throw Trouble.of("cannot open " + path, e);
        }
    }

    /// A path of this process's only, valid until [#close].
    public Path path() {
        return Path.of(fd.path());
    }

    @Override
    public void close() {
        fd.close();
    }
}
