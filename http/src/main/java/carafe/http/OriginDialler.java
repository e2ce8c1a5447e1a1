package carafe.http;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/// Connects to an origin of the web, directly or through a proxy: with TLS by CONNECT, in clear by absolute targets.
/// Source: RFC 9110 §9.3.6, RFC 9112 §3.2.2.
final class OriginDialler implements Dialler {

    private static final int CONNECT_ANSWER = 16 << 10;

    private final Origin origin;
    private final Dial dial;

    OriginDialler(Origin origin, Dial dial) {
        this.origin = origin;
        this.dial = dial;
    }

    @Override
    public String host() {
        return origin.hostPort();
    }

    @Override
    public String targetPrefix() {
        return dial.proxy().isPresent() && !origin.secure() ? origin.toString() : "";
    }

    @Override
    public String fields() {
        return dial.proxy().isPresent() && !origin.secure() ? authorization(dial.proxy().get()) : "";
    }

    private static String authorization(Dial.Proxy proxy) {
        return proxy.authorization().map(value -> "Proxy-Authorization: " + value + "\r\n").orElse("");
    }

    @Override
    public Wire connect() throws IOException {
        Optional<Dial.Proxy> proxy = dial.proxy();
        SocketChannel channel = proxy.isPresent()
                ? open(proxy.get().host(), proxy.get().port())
                : open(origin.host(), origin.port());
        try {
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            channel.socket().setSoTimeout(millis());
            if (!origin.secure()) {
                channel.socket().setSoTimeout(0);
                return new PatientWire(new ChannelWire(channel), dial.stall());
            }
            if (proxy.isPresent()) {
                tunnel(channel, proxy.get());
            }
            var secured = (SSLSocket) dial.trust().context().getSocketFactory()
                    .createSocket(channel.socket(), origin.host(), origin.port(), true);
            if (dial.trust().verify()) {
                var parameters = secured.getSSLParameters();
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
                secured.setSSLParameters(parameters);
            }
            var wire = new TlsWire(channel.socket(), secured, () -> dial.trust().askedInVain(secured), origin);
            wire.handshake();
            channel.socket().setSoTimeout(0);
            return new PatientWire(wire, dial.stall());
        } catch (SocketTimeoutException e) {
            channel.close();
            throw failed("no answer within " + dial.connect().toSeconds() + " seconds", e);
        } catch (CertificateWanted e) {
            channel.close();
            throw e;
        } catch (SSLHandshakeException e) {
            channel.close();
            throw failed("the TLS handshake failed: " + e.getMessage(), e);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw failed(String.valueOf(e.getMessage()), e);
        }
    }

    private SocketChannel open(String host, int port) throws IOException {
        InetAddress[] candidates;
        try {
            candidates = InetAddress.getAllByName(host);
        } catch (UnknownHostException e) {
            throw failed("no such host: " + host, e);
        }
        IOException last = null;
        for (InetAddress candidate : candidates) {
            var channel = SocketChannel.open();
            try {
                channel.socket().connect(new InetSocketAddress(candidate, port), millis());
                return channel;
            } catch (SocketTimeoutException e) {
                channel.close();
                last = new IOException("no answer within " + dial.connect().toSeconds() + " seconds", e);
            } catch (IOException e) {
                channel.close();
                last = e;
            }
        }
        String reason = String.valueOf(last == null ? null : last.getMessage());
        throw failed(dial.proxy().isPresent() ? dial.proxy().get() + ": " + reason : reason, last);
    }

    /// Asks the proxy for a way through. The server behind it speaks second, so nothing is read beyond the answer.
    private void tunnel(SocketChannel channel, Dial.Proxy proxy) throws IOException {
        String target = (origin.host().indexOf(':') < 0 ? origin.host() : "[" + origin.host() + "]") + ":" + origin.port();
        String ask = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n" + authorization(proxy) + "\r\n";
        new ChannelWire(channel).write(ByteBuffer.wrap(ask.getBytes(StandardCharsets.ISO_8859_1)));
        var in = channel.socket().getInputStream();
        var answer = new StringBuilder();
        while (answer.indexOf("\r\n\r\n") < 0) {
            int next = in.read();
            if (next < 0) {
                throw new EOFException(proxy + " closed the connection");
            }
            if (answer.length() == CONNECT_ANSWER) {
                throw new IOException(proxy + " answers too much");
            }
            answer.append((char) next);
        }
        String line = answer.substring(0, answer.indexOf("\r\n"));
        if (!line.matches("HTTP/1\\.[01] 2[0-9][0-9]( .*)?")) {
            throw new IOException(proxy + " refuses the way to " + target + ": " + line);
        }
    }

    private ConnectFailed failed(String reason, @Nullable Throwable cause) {
        var address = new Address.Tcp(origin.host(), origin.port(), Optional.empty());
        return new ConnectFailed(address, "cannot connect to " + origin + ": " + reason, cause);
    }

    private int millis() {
        return Math.clamp(dial.connect().toMillis(), 1, Integer.MAX_VALUE);
    }
}
