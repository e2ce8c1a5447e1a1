package carafe.cli;

import carafe.cli.session.Signals;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/// Signals of this process, through `sun.misc.Signal` of module jdk.unsupported (docs/adr/0004-cli-flag-parser.md says
/// why). Those the JVM keeps for itself, SIGQUIT among them, are left out.
final class OsSignals implements Signals {

    @Override
    public Registration on(List<String> names, Consumer<String> handler) {
        var signals = new ArrayList<Signal>();
        var before = new ArrayList<SignalHandler>();
        for (var name : names) {
            try {
                var signal = new Signal(name);
                before.add(Signal.handle(signal, caught -> handler.accept(caught.getName())));
                signals.add(signal);
            } catch (IllegalArgumentException e) {
                continue; // the JVM does not give this one away
            }
        }
        return () -> {
            for (int i = 0; i < signals.size(); i++) {
                Signal.handle(signals.get(i), before.get(i));
            }
        };
    }
}
