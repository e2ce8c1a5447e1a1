package carafe.cli.client;

import carafe.http.Address;
import java.io.IOException;

/// Starts an engine where none runs.
@FunctionalInterface
public interface Starter {

    /// Starts an engine at `address` and returns once it listens; false when there is none that could be started.
    /// @throws IOException it was tried and failed; the message is a sentence for the user
    boolean start(Address address) throws IOException;
}
