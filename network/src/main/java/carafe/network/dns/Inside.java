package carafe.network.dns;

import carafe.kernel.Descriptors;
import carafe.kernel.Fd;
import carafe.kernel.KernelException;
import carafe.kernel.Linux;
import carafe.kernel.NamespaceThread;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.Socket;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/// Sockets in the network namespace of a container. It holds the namespace itself, as the number by which the engine
/// knows it may be another's by the time a query comes. This object's lock keeps it open while a socket is made.
final class Inside implements Sockets, AutoCloseable {

    static {
        try { // what the JDK starts with the first of a kind, threads too, belongs to the host's namespace
            DatagramChannel.open().close();
            SocketChannel.open().close();
        } catch (IOException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final NamespaceThread thread;
    private final Fd namespace;
    private boolean closed;

    private Inside(NamespaceThread thread, Fd namespace) {
        this.thread = thread;
        this.namespace = namespace;
    }

    /// Takes hold of the namespace at `path`; sockets are made by `thread`.
    static Inside open(NamespaceThread thread, String path) throws KernelException {
        return new Inside(thread, Descriptors.open(Path.of(path), Linux.O_RDONLY, 0));
    }

    @Override
    public DatagramSocket datagrams() throws IOException {
        return made(DatagramSocket::new);
    }

    @Override
    public Socket stream() throws IOException {
        return made(() -> SocketChannel.open().socket()); // that of `new Socket()` is made when it connects
    }

    private synchronized <T> T made(Callable<T> maker) throws IOException {
        if (closed) {
            throw new IOException("the container left its networks");
        }
        var task = new FutureTask<>(maker);
        thread.inside(namespace, () -> {
            task.run();
            return true;
        });
        try {
            return task.get();
        } catch (ExecutionException e) {
            throw new IOException("no socket could be made in a container's network", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        namespace.close();
    }
}
