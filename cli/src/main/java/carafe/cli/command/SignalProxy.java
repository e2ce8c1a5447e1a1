package carafe.cli.command;

import carafe.cli.client.Engine;
import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.session.Session;
import carafe.cli.session.Signals;
import java.io.IOException;
import java.util.List;

/// Passes the signals the caller gets on to a container, as long as it is open.
final class SignalProxy implements AutoCloseable {

    private static final List<String> PASSED = List.of("HUP", "INT", "TERM", "USR1", "USR2", "CONT", "TSTP", "ALRM");

    private final Signals.Registration registration;

    SignalProxy(Session session, Engine engine, String container) {
        registration = session.signals().on(PASSED, signal -> {
            try {
                engine.post(Target.of("containers", container, "kill").with("signal", "SIG" + signal));
            } catch (EngineError e) {
                return; // it has ended, or will not hear
            } catch (IOException e) {
                session.say("cannot pass SIG" + signal + " on: " + e.getMessage());
            }
        });
    }

    @Override
    public void close() {
        registration.close();
    }
}
