package carafe.kernel;

import java.util.Set;

/// The streams of a process that a client of its monitor can ask for.
public enum MonitorStream {
    STDIN(1),
    STDOUT(2),
    STDERR(4);

    private final int bit;

    MonitorStream(int bit) {
        this.bit = bit;
    }

    /// The streams as the bits of the monitor's protocol (TAPE_STREAM_*).
    static int bits(Set<MonitorStream> streams) {
        return streams.stream().mapToInt(stream -> stream.bit).sum();
    }
}
