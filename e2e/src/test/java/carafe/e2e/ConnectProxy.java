package carafe.e2e;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/// An HTTP proxy on the loopback that only connects, and whom a user and a password must be shown.
final class ConnectProxy implements AutoCloseable {

    private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final List<String> asked = new CopyOnWriteArrayList<>();
    private final String authorization;

    ConnectProxy(String user, String password) throws IOException {
        authorization = "\r\nProxy-Authorization: Basic "
                + Base64.getEncoder().encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8)) + "\r\n";
        Thread.ofVirtual().start(this::accept);
    }

    String host() {
        return "127.0.0.1:" + listener.getLocalPort();
    }

    /// Where clients wanted to go, `HOST:PORT` each.
    List<String> asked() {
        return asked;
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                var client = listener.accept();
                Thread.ofVirtual().start(() -> serve(client));
            } catch (IOException e) {
                return; // closed
            }
        }
    }

    private void serve(Socket client) {
        try (client) {
            var head = new StringBuilder();
            while (head.indexOf("\r\n\r\n") < 0) {
                head.append((char) client.getInputStream().read());
            }
            String target = head.substring(head.indexOf(" ") + 1, head.indexOf(" HTTP/"));
            asked.add(target);
            boolean known = head.indexOf(authorization) >= 0;
            if (!head.toString().startsWith("CONNECT ") || !known) {
                say(client, known ? "405 Method Not Allowed" : "407 Proxy Authentication Required");
                return;
            }
            int colon = target.lastIndexOf(':');
            try (var far = new Socket(target.substring(0, colon), Integer.parseInt(target.substring(colon + 1)))) {
                say(client, "200 Connection established");
                var back = Thread.ofVirtual().start(() -> copy(far, client));
                copy(client, far);
                back.join();
            }
        } catch (IOException | InterruptedException e) {
            return; // one side has gone
        }
    }

    private static void say(Socket client, String status) throws IOException {
        client.getOutputStream().write(("HTTP/1.1 " + status + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
    }

    private static void copy(Socket from, Socket to) {
        try {
            from.getInputStream().transferTo(to.getOutputStream());
            to.shutdownOutput();
        } catch (IOException e) {
            return; // one side has gone
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }
}
