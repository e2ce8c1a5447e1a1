package carafe.cli.session;

import java.util.List;
import java.util.function.Consumer;

/// The signals sent to the caller. Handlers run on a thread of their own, one signal after the other.
public interface Signals {

    /// Hands each of `names` (without `SIG`) to `handler` until the registration is closed; then what was before holds.
    /// A name the host cannot deliver is left out.
    Registration on(List<String> names, Consumer<String> handler);

    /// Ends a handler.
    interface Registration extends AutoCloseable {
        @Override
        void close();
    }
}
