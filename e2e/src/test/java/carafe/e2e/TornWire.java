package carafe.e2e;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/// A bad line to a server: connections that have carried so many bytes towards the client end there, so many times.
final class TornWire implements AutoCloseable {

    private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final int target;
    private final long most;
    private final AtomicInteger tearsLeft;
    private final AtomicLong carried = new AtomicLong();

    /// To `target`, a HOST:PORT of this machine; ends `tears` connections once they have carried `mostBytes`.
    TornWire(String target, long mostBytes, int tears) throws IOException {
        this.target = Integer.parseInt(target.substring(target.indexOf(':') + 1));
        this.most = mostBytes;
        this.tearsLeft = new AtomicInteger(tears);
        Thread.ofVirtual().start(this::accept);
    }

    String host() {
        return "127.0.0.1:" + listener.getLocalPort();
    }

    /// How many connections are still to be ended.
    int tearsLeft() {
        return Math.max(0, tearsLeft.get());
    }

    /// How many bytes clients were sent.
    long carried() {
        return carried.get();
    }

    private void accept() {
        while (true) {
            try {
                Socket client = listener.accept();
                Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
                Thread.ofVirtual().start(() -> copy(client, server, Long.MAX_VALUE));
                Thread.ofVirtual().start(() -> copy(server, client, most));
            } catch (IOException e) {
                return; // closed
            }
        }
    }

    private void copy(Socket from, Socket to, long until) {
        boolean towardsClient = until != Long.MAX_VALUE;
        byte[] piece = new byte[16 << 10];
        try (from; to; InputStream in = from.getInputStream()) {
            long passed = 0;
            for (int n = in.read(piece); n >= 0; n = in.read(piece)) {
                to.getOutputStream().write(piece, 0, n);
                passed += n;
                if (towardsClient) {
                    carried.addAndGet(n);
                    if (passed >= until && tearsLeft.getAndDecrement() > 0) {
                        return;
                    }
                }
            }
        } catch (IOException e) {
            // one side has gone; both are closed
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }
}
