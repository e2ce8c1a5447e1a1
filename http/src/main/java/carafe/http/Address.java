package carafe.http;

import java.nio.file.Path;
import java.util.Optional;

/// Where a server listens or a client connects.
public sealed interface Address {

    /// A unix socket file.
    record Unix(Path path) implements Address {
        @Override
        public String toString() {
            return "unix://" + path;
        }
    }

    /// A TCP port, in clear or with TLS. Port 0 lets the server choose.
    record Tcp(String host, int port, Optional<TlsFiles> tls) implements Address {
        public Tcp {
            if (port < 0 || port > 65_535) {
                throw new IllegalArgumentException("not a port: " + port);
            }
        }

        @Override
        public String toString() {
            return "tcp://" + (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port;
        }
    }

    /// Reads a `-H` or `DOCKER_HOST` value: `unix:///path`, `tcp://host:port`, `http://` and `https://` likewise,
    /// or `host:port`. Without a port it is 2375, with TLS 2376; without a host 127.0.0.1.
    /// @throws IllegalArgumentException with a sentence for the user
    static Address parse(String text, Optional<TlsFiles> tls) {
        return AddressText.parse(text, tls);
    }
}
