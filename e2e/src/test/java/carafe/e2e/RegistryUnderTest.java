package carafe.e2e;

import java.io.IOException;

/// A registry on a loopback port that a test starts and ends.
interface RegistryUnderTest extends AutoCloseable {

    /// Who may do everything where not everybody may, with the password `secret`.
    String USER = "ann";

    /// Starts one.
    @FunctionalInterface
    interface Start {
        RegistryUnderTest run() throws Exception;
    }

    /// As in names of images: `127.0.0.1:port`.
    String host();

    /// Ends it and removes all it left; again: nothing.
    @Override
    void close() throws IOException;
}
