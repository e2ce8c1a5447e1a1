package carafe.build.step;

import carafe.build.plan.Mount;
import carafe.spec.EngineException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/// A socket of the step's own that leads to an ssh agent: with the owner and mode that the mount asks for, whatever the
/// agent's are, and gone with the step. Each connection has two virtual threads; closing ends them all.
final class AgentSocket implements AutoCloseable {

    private static final int MAX_CONNECTIONS = 64;
    private static final int BUFFER_BYTES = 16 << 10;
    private static final int TYPE_BITS = 0170000;
    private static final int SOCKET = 0140000;

    private final Path agent;
    private final ServerSocketChannel server;
    /// What is open beside the server; guards itself and `closed`.
    private final Set<SocketChannel> open = new HashSet<>();
    private boolean closed;

    private AgentSocket(Path agent, ServerSocketChannel server) {
        this.agent = agent;
        this.server = server;
    }

    /// Listens at `place`, a path of at most 107 bytes in a directory that only we can enter; connections lead to `agent`.
    /// @throws EngineException.Invalid `agent` is no socket; `id` is what the build calls it
    static AgentSocket listen(Path place, Path agent, String id, Mount.Owner owner) throws IOException, EngineException {
        refuseOthers(agent, id);
        var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            server.bind(UnixDomainSocketAddress.of(place));
            Files.setAttribute(place, "unix:uid", owner.uid());
            Files.setAttribute(place, "unix:gid", owner.gid());
            Files.setAttribute(place, "unix:mode", owner.mode());
        } catch (IOException e) {
            server.close();
            throw e;
        }
        var socket = new AgentSocket(agent, server);
        Thread.ofVirtual().name("ssh-agent-" + id).start(socket::accept);
        return socket;
    }

    private static void refuseOthers(Path agent, String id) throws IOException, EngineException {
        String asked = "--ssh " + id + "=" + agent;
        try {
            if (((int) Files.getAttribute(agent, "unix:mode") & TYPE_BITS) != SOCKET) {
                throw new EngineException.Invalid(asked + " is no socket of an ssh agent; the engine reads no keys from files:"
                        + " add the key to an agent (ssh-add " + agent + ") and give --ssh " + id);
            }
        } catch (NoSuchFileException e) {
            throw new EngineException.Invalid(asked + " is not there on the engine's machine; the agent has to run there");
        }
    }

    private void accept() {
        while (true) {
            try {
                connect(server.accept());
            } catch (IOException e) {
                return; // closed
            }
        }
    }

    private void connect(SocketChannel program) throws IOException {
        SocketChannel behind;
        try {
            behind = SocketChannel.open(UnixDomainSocketAddress.of(agent));
        } catch (IOException e) {
            program.close(); // the agent has gone: the program sees the end
            return;
        }
        synchronized (open) {
            if (closed || open.size() >= 2 * MAX_CONNECTIONS) {
                program.close();
                behind.close();
                return;
            }
            open.add(program);
            open.add(behind);
        }
        Thread.ofVirtual().start(() -> both(program, behind));
    }

    private void both(SocketChannel program, SocketChannel behind) {
        try (program; behind) {
            var answers = Thread.ofVirtual().start(() -> pass(behind, program));
            pass(program, behind);
            answers.join();
        } catch (IOException | InterruptedException e) {
            return; // both are closed
        } finally {
            synchronized (open) {
                open.remove(program);
                open.remove(behind);
            }
        }
    }

    /// Passes on what comes, and its end.
    private static void pass(SocketChannel from, SocketChannel to) {
        var buffer = ByteBuffer.allocate(BUFFER_BYTES);
        try {
            while (from.read(buffer) >= 0) {
                buffer.flip();
                while (buffer.hasRemaining()) {
                    to.write(buffer);
                }
                buffer.clear();
            }
            to.shutdownOutput();
        } catch (IOException e) {
            return; // closed on either side
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        synchronized (open) {
            closed = true;
            for (var each : open) {
                each.close();
            }
        }
    }
}
