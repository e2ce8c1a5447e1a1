package carafe.http;

import java.time.Duration;

/// What a server grants one client. Bodies have no limit here: their reader sets it. Nothing waits in buffers but what
/// was read ahead (128 KiB at most) and one piece of a streamed answer (32 KiB).
/// `requestLineBytes` and `headerBytes` bound what is parsed, `connections` how many are open at once, `headerTime` how
/// long a started header may take (and a TLS handshake), `idleTime` how long a connection without a request is kept,
/// `lingerTime` how long an ending connection waits for its client's end, so that the client can read our last bytes.
public record ServerLimits(
        int requestLineBytes,
        int headerBytes,
        int connections,
        Duration headerTime,
        Duration idleTime,
        Duration lingerTime) {

    /// Generous for every known client: 64 KiB line, 256 KiB header, 8192 connections.
    public static final ServerLimits DEFAULTS = new ServerLimits(
            64 << 10,
            256 << 10,
            8192,
            Duration.ofSeconds(60),
            Duration.ofMinutes(10),
            Duration.ofSeconds(2));
}
