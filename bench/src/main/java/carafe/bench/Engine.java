package carafe.bench;

import java.io.IOException;
import java.util.List;

/// An engine under measurement, as the person at its command sees it. Each has a store of its own, removed by [#close].
interface Engine extends AutoCloseable {

    /// What the table calls it.
    String name();

    /// Runs the engine's command to its end; its output is thrown away. Fails on a status other than 0.
    void command(List<String> arguments) throws IOException, InterruptedException;

    /// As [#command], giving the number of bytes it wrote to standard output.
    long commandOutput(List<String> arguments) throws IOException, InterruptedException;

    /// Flags that a pull or a push needs to speak to a registry on loopback without TLS.
    List<String> plainFlags();

    @Override
    void close();
}
