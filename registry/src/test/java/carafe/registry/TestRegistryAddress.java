package carafe.registry;

import java.io.IOException;

/// An address of this machine that is none of its loopback's by number, as of another host; only this machine reaches it.
/// It goes when this is closed.
public final class TestRegistryAddress implements AutoCloseable {

    /// Of the networks for benchmarks (RFC 2544), one for each process of the moment.
    private final String address = "198.18." + (ProcessHandle.current().pid() / 250 % 250) + "."
            + (ProcessHandle.current().pid() % 250 + 1);

    public TestRegistryAddress() throws IOException {
        ip("add");
    }

    @Override
    public String toString() {
        return address;
    }

    private void ip(String verb) throws IOException {
        var process = new ProcessBuilder("ip", "address", verb, address + "/32", "dev", "lo").redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes());
        if (process.onExit().join().exitValue() != 0) {
            throw new IOException("ip address " + verb + " " + address + ": " + said);
        }
    }

    @Override
    public void close() throws IOException {
        ip("del");
    }
}
