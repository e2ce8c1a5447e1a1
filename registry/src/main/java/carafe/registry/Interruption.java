package carafe.registry;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;

/// Tells an interrupted wait from a broken one: the JDK closes a socket whose waiting thread is interrupted.
final class Interruption {

    private Interruption() {}

    /// @throws InterruptedException `e` came because this thread was interrupted
    static void check(IOException e) throws InterruptedException {
        if (Thread.interrupted() || e instanceof ClosedByInterruptException || e instanceof InterruptedIOException
                && !(e instanceof java.net.SocketTimeoutException)) {
            var told = new InterruptedException("cancelled");
            told.initCause(e);
            throw told;
        }
    }
}
