package carafe.network.dns;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.UnaryOperator;

/// A name server of the outer world on 127.0.0.1, by datagrams and streams at one port, that answers what it is told to
/// and remembers what it was asked.
final class UpstreamServer implements AutoCloseable {

    private final DatagramSocket datagrams;
    private final ServerSocket streams;
    private final Queue<String> asked = new ConcurrentLinkedQueue<>();
    private volatile UnaryOperator<byte[]> answer;

    UpstreamServer(UnaryOperator<byte[]> answer) throws IOException {
        this(new ServerSocket(0, 10, InetAddress.getLoopbackAddress()), answer);
    }

    /// One at another address of this host, at this port; 0 is any.
    static UpstreamServer at(String address, int port, UnaryOperator<byte[]> answer) throws IOException {
        return new UpstreamServer(new ServerSocket(port, 10, InetAddress.getByName(address)), answer);
    }

    private UpstreamServer(ServerSocket streams, UnaryOperator<byte[]> answer) throws IOException {
        this(streams, new DatagramSocket(streams.getLocalSocketAddress()), answer);
    }

    /// With sockets of its own, at one port of wherever they were made.
    UpstreamServer(ServerSocket streams, DatagramSocket datagrams, UnaryOperator<byte[]> answer) {
        this.answer = answer;
        this.streams = streams;
        this.datagrams = datagrams;
        Thread.ofPlatform().daemon().start(this::serveDatagrams);
        Thread.ofPlatform().daemon().start(this::serveStreams);
    }

    int port() {
        return streams.getLocalPort();
    }

    /// From now on it answers so; an empty answer is none.
    void answers(UnaryOperator<byte[]> other) {
        answer = other;
    }

    List<String> asked() {
        return List.copyOf(asked);
    }

    private byte[] handle(byte[] message) {
        asked.add(QueryTest.query(message).name());
        return answer.apply(message);
    }

    private void serveDatagrams() {
        try {
            while (true) {
                var packet = new DatagramPacket(new byte[4096], 4096);
                datagrams.receive(packet);
                byte[] message = new byte[packet.getLength()];
                System.arraycopy(packet.getData(), 0, message, 0, message.length);
                byte[] reply = handle(message);
                if (reply.length > 0) {
                    datagrams.send(new DatagramPacket(reply, reply.length, packet.getSocketAddress()));
                }
            }
        } catch (IOException closed) {
            // the end
        }
    }

    private void serveStreams() {
        while (!streams.isClosed()) {
            try (var client = streams.accept()) {
                var in = new DataInputStream(client.getInputStream());
                byte[] message = new byte[in.readUnsignedShort()];
                in.readFully(message);
                byte[] reply = handle(message);
                var out = new DataOutputStream(client.getOutputStream());
                out.writeShort(reply.length);
                out.write(reply);
            } catch (IOException goneOrClosed) {
                // the next one, or the end
            }
        }
    }

    @Override
    public void close() throws IOException {
        datagrams.close();
        streams.close();
    }
}
