package carafe.e2e;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.CountDownLatch;

/// A slow line to a server: connections carry so many bytes towards the client, and no more until it is opened.
final class HeldWire implements AutoCloseable {

    private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final CountDownLatch opened = new CountDownLatch(1);
    private final int target;
    private final long most;

    /// To `target`, a HOST:PORT of this machine.
    HeldWire(String target, long mostBytes) throws IOException {
        this.target = Integer.parseInt(target.substring(target.indexOf(':') + 1));
        this.most = mostBytes;
        Thread.ofVirtual().start(this::accept);
    }

    String host() {
        return "127.0.0.1:" + listener.getLocalPort();
    }

    /// From now on it carries everything.
    void open() {
        opened.countDown();
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
        byte[] piece = new byte[4 << 10];
        try (from; to; InputStream in = from.getInputStream()) {
            long passed = 0;
            for (int n = in.read(piece); n >= 0; n = in.read(piece)) {
                passed += n;
                if (passed > until) {
                    opened.await();
                }
                to.getOutputStream().write(piece, 0, n);
            }
        } catch (IOException | InterruptedException e) {
            return; // one side has gone; both are closed
        }
    }

    @Override
    public void close() throws IOException {
        open();
        listener.close();
    }
}
