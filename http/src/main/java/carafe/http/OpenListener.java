package carafe.http;

import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import jdk.net.ExtendedSocketOptions;
import org.jspecify.annotations.Nullable;

/// A socket that accepts clients. Owns it, and the socket file if it has one.
final class OpenListener implements AutoCloseable {

    private static final int BACKLOG = 1024;
    private static final int KEEPALIVE_SECONDS = 15; // as Go's listeners: a vanished client is noticed in two minutes

    private final ServerSocketChannel channel;
    private final Address address;
    private final @Nullable ServerSocketFile file;
    private final @Nullable SSLContext tls;
    private final boolean verify;

    private OpenListener(
            ServerSocketChannel channel, Address address, @Nullable ServerSocketFile file, Optional<TlsFiles> tls)
            throws IOException {
        this.channel = channel;
        this.address = address;
        this.file = file;
        this.tls = tls.isPresent() ? TlsContexts.server(tls.get()) : null;
        this.verify = tls.isPresent() && tls.get().verify();
    }

    /// Listens.
    /// @throws IOException with a sentence naming the address and the reason
    static OpenListener open(Listener listener) throws IOException {
        return switch (listener.address()) {
            case Address.Unix(var path) -> {
                var file = ServerSocketFile.open(listener, path);
                yield new OpenListener(file.channel(), listener.address(), file, Optional.empty());
            }
            case Address.Tcp tcp -> openTcp(tcp);
        };
    }

    private static OpenListener openTcp(Address.Tcp tcp) throws IOException {
        var at = new InetSocketAddress(tcp.host(), tcp.port());
        if (at.isUnresolved()) {
            throw new IOException("cannot listen at " + tcp + ": there is no host \"" + tcp.host() + "\"");
        }
        boolean six = at.getAddress() instanceof Inet6Address;
        var channel = ServerSocketChannel.open(six ? StandardProtocolFamily.INET6 : StandardProtocolFamily.INET);
        try {
            channel.bind(at, BACKLOG);
            int port = ((InetSocketAddress) channel.getLocalAddress()).getPort();
            return new OpenListener(channel, new Address.Tcp(tcp.host(), port, tcp.tls()), null, tcp.tls());
        } catch (IOException e) {
            channel.close();
            throw new IOException("cannot listen at " + tcp + ": " + e.getMessage(), e);
        }
    }

    /// Where it listens, with the port chosen.
    Address address() {
        return address;
    }

    /// Waits for a client.
    SocketChannel accept() throws IOException {
        return channel.accept();
    }

    /// Sets up the socket of a client that was accepted here.
    Wire wire(SocketChannel client) throws IOException {
        if (file != null) {
            return new ChannelWire(client);
        }
        client.setOption(StandardSocketOptions.TCP_NODELAY, true);
        client.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
        client.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, KEEPALIVE_SECONDS);
        client.setOption(ExtendedSocketOptions.TCP_KEEPINTERVAL, KEEPALIVE_SECONDS);
        if (tls == null) {
            return new ChannelWire(client);
        }
        var socket = (SSLSocket) tls.getSocketFactory().createSocket(client.socket(), null, true);
        socket.setUseClientMode(false);
        socket.setNeedClientAuth(verify);
        return new TlsWire(client.socket(), socket);
    }

    /// Whether clients get no word before they have shaken hands.
    boolean secured() {
        return tls != null;
    }

    @Override
    public void close() throws IOException {
        if (file != null) {
            file.close();
        } else {
            channel.close();
        }
    }
}
