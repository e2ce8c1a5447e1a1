package carafe.network.dns;

import carafe.spec.network.IpAddress;
import java.io.EOFException;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Asks other name servers, one after the other, each from the network it belongs to, each time by a new port and a new
/// number, so that nobody can guess what to forge. Blocks the calling thread, up to twelve seconds, whatever a server
/// sends meanwhile.
final class Forwarder {

    private static final Path LINKS = Path.of("/sys/class/net");
    private static final int TRY_MILLIS = 2_000;
    private static final long ALL_NANOS = 10_000_000_000L;
    private static final int ROUNDS = 2;
    private static final SecureRandom NUMBERS = new SecureRandom();

    private final int port;

    /// Servers are asked at `port`: 53, but in tests.
    Forwarder(int port) {
        this.port = port;
    }

    /// A name server, and from where it is asked; `zone` is the link that its address belongs to, `""` for any.
    record Server(IpAddress address, String zone, Sockets from) {}

    /// The first good answer; the last bad one if there is none; empty when nobody answers in time.
    Optional<byte[]> ask(Query query, byte[] message, boolean stream, List<Server> servers) {
        long deadline = System.nanoTime() + ALL_NANOS;
        Optional<byte[]> last = Optional.empty();
        for (int round = 0; round < ROUNDS; round++) {
            for (var server : servers) {
                if (System.nanoTime() > deadline || Thread.currentThread().isInterrupted()) {
                    return last;
                }
                try {
                    byte[] answer = stream ? byStream(query, message, server) : byDatagram(query, message, server);
                    int code = answer[3] & 0xF;
                    if (code != Response.SERVER_FAILURE && code != Response.REFUSED) {
                        return Optional.of(answer);
                    }
                    last = Optional.of(answer);
                } catch (IOException notThisOne) {
                    // the next one
                }
            }
            if (last.isPresent()) {
                return last; // all of them refuse: asking again does not help
            }
        }
        return last;
    }

    private byte[] byDatagram(Query query, byte[] message, Server server) throws IOException {
        byte[] own = renumbered(message);
        try (var socket = server.from.datagrams()) {
            socket.connect(address(server)); // the kernel drops what comes from elsewhere
            socket.send(new DatagramPacket(own, own.length));
            long deadline = deadline();
            var packet = new DatagramPacket(new byte[0xFFFF], 0xFFFF);
            while (true) {
                socket.setSoTimeout(left(deadline));
                socket.receive(packet);
                byte[] answer = Arrays.copyOf(packet.getData(), packet.getLength());
                if (answers(answer, own, query)) {
                    return answer;
                }
            }
        }
    }

    private byte[] byStream(Query query, byte[] message, Server server) throws IOException {
        byte[] own = renumbered(message);
        byte[] framed = new byte[own.length + 2];
        framed[0] = (byte) (own.length >> 8);
        framed[1] = (byte) own.length;
        System.arraycopy(own, 0, framed, 2, own.length);
        try (var socket = server.from.stream()) {
            long deadline = deadline();
            socket.connect(address(server), TRY_MILLIS);
            socket.getOutputStream().write(framed);
            byte[] length = read(socket, 2, deadline);
            byte[] answer = read(socket, (length[0] & 0xFF) << 8 | length[1] & 0xFF, deadline);
            if (!answers(answer, own, query)) {
                throw new IOException("an answer to something else");
            }
            return answer;
        }
    }

    /// Exactly so many bytes: one that comes at a time buys no time.
    private static byte[] read(Socket socket, int length, long deadline) throws IOException {
        byte[] bytes = new byte[length];
        for (int at = 0; at < length; ) {
            socket.setSoTimeout(left(deadline));
            int count = socket.getInputStream().read(bytes, at, length - at);
            if (count < 0) {
                throw new EOFException("the server hung up");
            }
            at += count;
        }
        return bytes;
    }

    private static long deadline() {
        return System.nanoTime() + TRY_MILLIS * 1_000_000L;
    }

    /// The milliseconds until then, at least one.
    /// @throws SocketTimeoutException none is left
    private static int left(long deadline) throws SocketTimeoutException {
        long left = deadline - System.nanoTime();
        if (left <= 0) {
            throw new SocketTimeoutException("no answer in time");
        }
        return (int) Math.max(1, left / 1_000_000);
    }

    private InetSocketAddress address(Server server) throws IOException {
        byte[] bytes = server.address.bytes();
        return new InetSocketAddress(server.zone.isEmpty()
                ? InetAddress.getByAddress(bytes)
                : Inet6Address.getByAddress(null, bytes, link(server.zone)), port);
    }

    private static int link(String zone) throws IOException {
        if (zone.length() < 10 && zone.chars().allMatch(c -> c >= '0' && c <= '9')) {
            return Integer.parseInt(zone);
        }
        if (zone.contains("/") || zone.startsWith(".")) {
            throw new IOException("there is no link " + zone);
        }
        // The JDK's NetworkInterface looks at all links of the host, which may be hundreds.
        return Integer.parseInt(Files.readString(LINKS.resolve(zone).resolve("ifindex")).strip());
    }

    private static byte[] renumbered(byte[] message) {
        byte[] own = message.clone();
        int id = NUMBERS.nextInt(0x10000);
        own[0] = (byte) (id >> 8);
        own[1] = (byte) id;
        return own;
    }

    /// Whether `answer` is one to this very question.
    private static boolean answers(byte[] answer, byte[] own, Query query) {
        int end = 12 + query.asked().length;
        return answer.length >= end
                && answer[0] == own[0] && answer[1] == own[1]
                && (answer[2] & 0x80) != 0
                && Arrays.equals(answer, 12, end, own, 12, end);
    }
}
