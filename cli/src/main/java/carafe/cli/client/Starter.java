package carafe.cli.client;

import carafe.http.Address;
import java.io.IOException;
import java.util.Optional;

/// Starts an engine where none runs.
@FunctionalInterface
public interface Starter {

    /// Starts an engine at `address` and returns once it listens; false when there is none that could be started.
    /// @throws IOException it was tried and failed; the message is a sentence for the user
    boolean start(Address address) throws IOException;

    /// The one engine that may be asked, whatever the words and variables of a command say; empty: they choose.
    default Optional<Address> only() {
        return Optional.empty();
    }
}
