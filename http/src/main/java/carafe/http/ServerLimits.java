package carafe.http;

import java.time.Duration;

/// What a server grants one client. Bodies have no limit here: their reader sets it.
/// `requestLineBytes` and `headerBytes` bound what is parsed, `bufferBytes` what waits unread or unsent per connection
/// and direction, `connections` how many are open at once, `headerTime` how long a started header may take (and a TLS
/// handshake), `idleTime` how long a connection without a request is kept, `lingerTime` how long a refused body is
/// still swallowed so that the client can read the refusal.
public record ServerLimits(
        int requestLineBytes,
        int headerBytes,
        int bufferBytes,
        int connections,
        Duration headerTime,
        Duration idleTime,
        Duration lingerTime) {

    /// Generous for every known client: 64 KiB line, 256 KiB header, 1 MiB buffers, 8192 connections.
    public static final ServerLimits DEFAULTS = new ServerLimits(
            64 << 10,
            256 << 10,
            1 << 20,
            8192,
            Duration.ofSeconds(60),
            Duration.ofMinutes(10),
            Duration.ofSeconds(2));
}
