package carafe.http;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/// Connects to one address, within a time.
final class Connector implements Dialler {

    private final Address address;
    private final Duration timeout;

    /// Guarded by this.
    private @Nullable SSLContext tls;

    Connector(Address address, Duration timeout) {
        this.address = address;
        this.timeout = timeout;
    }

    /// What the user called the server, or Docker's name for a unix socket.
    @Override
    public String host() {
        if (address instanceof Address.Tcp tcp) {
            return (tcp.host().indexOf(':') < 0 ? tcp.host() : "[" + tcp.host() + "]") + ":" + tcp.port();
        }
        return "api.moby.localhost";
    }

    @Override
    public String targetPrefix() {
        return "";
    }

    @Override
    public String fields() {
        return "";
    }

    @Override
    public Wire connect() throws IOException {
        if (address instanceof Address.Unix unix) {
            return connectUnix(unix);
        }
        var tcp = (Address.Tcp) address;
        SocketChannel channel = connectTcp(tcp);
        try {
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            if (tcp.tls().isEmpty()) {
                return new ChannelWire(channel);
            }
            var secured = (SSLSocket) context(tcp.tls().get())
                    .getSocketFactory()
                    .createSocket(channel.socket(), tcp.host(), tcp.port(), true);
            if (tcp.tls().get().verify()) {
                var parameters = secured.getSSLParameters();
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
                secured.setSSLParameters(parameters);
            }
            var wire = new TlsWire(channel.socket(), secured);
            channel.socket().setSoTimeout(millis());
            wire.handshake();
            channel.socket().setSoTimeout(0);
            return wire;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw failed("the TLS handshake failed: " + e.getMessage(), e);
        }
    }

    private SocketChannel connectTcp(Address.Tcp tcp) throws IOException {
        InetAddress[] candidates;
        try {
            candidates = InetAddress.getAllByName(tcp.host());
        } catch (UnknownHostException e) {
            throw failed("there is no host \"" + tcp.host() + "\"", e);
        }
        IOException last = null;
        for (InetAddress candidate : candidates) {
            var channel = SocketChannel.open();
            try {
                channel.socket().connect(new InetSocketAddress(candidate, tcp.port()), millis());
                return channel;
            } catch (SocketTimeoutException e) {
                channel.close();
                last = new IOException("no answer within " + timeout.toSeconds() + " seconds", e);
            } catch (IOException e) {
                channel.close();
                last = e;
            }
        }
        throw failed(String.valueOf(last == null ? null : last.getMessage()), last);
    }

    /// A connect blocks while the server's queue is full, which only a stuck server's is; a thread ends it in time.
    private Wire connectUnix(Address.Unix unix) throws IOException {
        var channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        var alarm = new Alarm(channel, timeout);
        try {
            alarm.start();
            channel.connect(UnixDomainSocketAddress.of(unix.path()));
            return new ChannelWire(channel);
        } catch (ClosedChannelException e) {
            throw failed("no answer within " + timeout.toSeconds() + " seconds", e);
        } catch (IOException | RuntimeException e) {
            channel.close();
            String reason = Files.exists(unix.path()) ? String.valueOf(e.getMessage()) : "no such file";
            throw failed(reason, e);
        } finally {
            alarm.done.countDown();
        }
    }

    private ConnectFailed failed(String reason, @Nullable Throwable cause) {
        return new ConnectFailed(address, "cannot connect to " + address + ": " + reason, cause);
    }

    private int millis() {
        return Math.clamp(timeout.toMillis(), 1, Integer.MAX_VALUE);
    }

    private synchronized SSLContext context(TlsFiles files) throws IOException {
        var context = tls;
        if (context == null) {
            context = TlsContexts.client(files);
            tls = context;
        }
        return context;
    }

    /// Closes a channel unless told in time that it is connected.
    private static final class Alarm extends Thread {

        private final SocketChannel channel;
        private final Duration timeout;
        private final CountDownLatch done = new CountDownLatch(1);

        Alarm(SocketChannel channel, Duration timeout) {
            super("carafe-connect-timeout");
            setDaemon(true);
            this.channel = channel;
            this.timeout = timeout;
        }

        @Override
        public void run() {
            try {
                if (!done.await(timeout.toNanos(), TimeUnit.NANOSECONDS)) {
                    channel.close();
                }
            } catch (InterruptedException | IOException e) {
                return; // closing failed: then it is closed
            }
        }
    }
}
