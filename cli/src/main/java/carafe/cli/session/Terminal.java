package carafe.cli.session;

import java.io.IOException;
import java.util.Optional;

/// The caller's terminal, if his standard streams are one.
public interface Terminal {

    /// Whether the standard stream 0, 1 or 2 is a terminal.
    boolean isTerminal(int stream);

    /// The window's size; empty when it cannot be told.
    Optional<Size> size();

    /// Hands every key through as it comes, without echo, until closed; also when the process is told to die.
    Raw raw() throws IOException;

    /// Rows and columns.
    record Size(int rows, int columns) {}

    /// A terminal in raw mode.
    interface Raw extends AutoCloseable {
        /// Gives the terminal back as it was. Harmless when repeated.
        @Override
        void close();
    }
}
