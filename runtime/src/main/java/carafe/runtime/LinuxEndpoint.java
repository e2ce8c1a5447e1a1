package carafe.runtime;

import carafe.kernel.Fd;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.SocketChannel;
import java.util.Set;

/// A connection whose far end goes to a monitor. Owns both ends; the far one is let go when the monitor has it.
record LinuxEndpoint(Set<StdStream> streams, SocketChannel channel, Fd far) implements AttachEndpoint {

    LinuxEndpoint {
        streams = Set.copyOf(streams);
    }

    @Override
    public void close() {
        far.close();
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException("closing a socket", e);
        }
    }
}
