package carafe.network.port;

import java.io.Closeable;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;

/// A server in a place of the town that says who it is and who asks: `web 10.9.0.2`. And the one who asks.
final class Service implements AutoCloseable {

    private static final int PATIENCE_MILLIS = 10_000;
    private static final int IMPATIENCE_MILLIS = 500;

    private final Closeable socket;
    private final Thread server;

    private Service(Closeable socket, Thread server) {
        this.socket = socket;
        this.server = server;
    }

    /// Serves TCP.
    static Service tcp(Town town, String place, int port) throws Exception {
        var server = town.in(place, () -> {
            var listening = new ServerSocket();
            listening.bind(new InetSocketAddress("::", port)); // both families
            return listening;
        });
        var thread = Thread.ofPlatform().daemon().start(() -> {
            try {
                while (true) {
                    try (var client = server.accept()) {
                        String asks = client.getInetAddress().getHostAddress().replaceAll("%.*", "");
                        client.getOutputStream().write((place + " " + asks).getBytes(StandardCharsets.UTF_8));
                    } catch (SocketException closedOrGone) {
                        if (server.isClosed()) {
                            return;
                        }
                    }
                }
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        return new Service(server, thread);
    }

    /// Serves UDP.
    static Service udp(Town town, String place, int port) throws Exception {
        var server = town.in(place, () -> new DatagramSocket(new InetSocketAddress("::", port)));
        var thread = Thread.ofPlatform().daemon().start(() -> {
            try {
                while (true) {
                    var packet = new DatagramPacket(new byte[100], 100);
                    server.receive(packet);
                    byte[] answer = (place + " " + packet.getAddress().getHostAddress()).getBytes(StandardCharsets.UTF_8);
                    server.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
                }
            } catch (IOException closed) {
                // the end
            }
        });
        return new Service(server, thread);
    }

    /// What the one at `address` answers who asks from `place`; fails when there is no answer in time.
    static String ask(Town town, String place, String address, int port) throws Exception {
        return town.in(place, () -> asked(address, port, PATIENCE_MILLIS));
    }

    /// Asks where no answer may come: `refused` or `silence`, or what came all the same.
    static String askInVain(Town town, String place, String address, int port) throws Exception {
        return town.in(place, () -> {
            try {
                return asked(address, port, IMPATIENCE_MILLIS);
            } catch (java.net.ConnectException | java.net.NoRouteToHostException e) {
                return "refused";
            } catch (java.net.SocketTimeoutException e) {
                return "silence";
            }
        });
    }

    private static String asked(String address, int port, int patience) throws IOException {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getByName(address), port), patience);
            socket.setSoTimeout(patience);
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /// The same by UDP.
    static String askUdp(Town town, String place, String address, int port) throws Exception {
        return town.in(place, () -> {
            try (var socket = new DatagramSocket()) {
                socket.setSoTimeout(PATIENCE_MILLIS);
                socket.connect(new InetSocketAddress(InetAddress.getByName(address), port));
                socket.send(new DatagramPacket(new byte[1], 1));
                var answer = new DatagramPacket(new byte[100], 100);
                socket.receive(answer);
                return new String(answer.getData(), 0, answer.getLength(), StandardCharsets.UTF_8);
            }
        });
    }

    @Override
    public void close() throws IOException {
        socket.close();
        try {
            server.join(); // until then the kernel counts the socket as open
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
