package carafe.http;

import java.time.Duration;
import java.util.Optional;

/// How a client reaches an origin: how long it waits for a connection and for each further byte (`stall`), through
/// which proxy, whom it trusts (asked only for TLS), and how many idle connections it keeps.
public record Dial(Duration connect, Duration stall, Optional<Proxy> proxy, Trust trust, int idleKept) {

    /// Checks the times.
    public Dial {
        if (connect.isNegative() || connect.isZero() || stall.isNegative() || stall.isZero() || idleKept < 0) {
            throw new IllegalArgumentException("waits must be positive");
        }
    }

    /// An HTTP proxy; `authorization` is the value of Proxy-Authorization.
    public record Proxy(String host, int port, Optional<String> authorization) {
        /// Without what authorizes, so that it can be logged.
        @Override
        public String toString() {
            return "proxy http://" + host + ":" + port;
        }
    }
}
