package carafe.kernel;

import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/// A tape with what it needs to be played. The descriptors are borrowed until [Spawner#launch] returns; the caller
/// closes them. `rendezvous` is for tapes that make the process wait for something done from outside.
public record Launch(
        Tape tape, Map<Slot, Fd> descriptors, MonitorPlan monitor, Optional<Rendezvous> rendezvous) {

    /// What is done while the process exists and its tape waits at a step that reads a byte ("go") from a pipe: writing
    /// user-namespace maps, moving network interfaces, running hooks. It gives the byte itself.
    @FunctionalInterface
    public interface Rendezvous {

        /// Runs on the thread that called [Spawner#launch]. `pidfd` is borrowed. If it throws, the process is killed.
        void meet(int pid, Fd pidfd) throws KernelException, InterruptedException;
    }

    public Launch {
        descriptors = Map.copyOf(descriptors);
        Set<Slot> missing = new LinkedHashSet<>(tape.passed());
        missing.addAll(monitor.slots());
        Consumer<Slot> filled = missing::remove;
        for (var step : tape.steps()) {
            if (step.part() == Part.MONITOR) {
                step.outcome().result().ifPresent(filled);
            }
        }
        missing.removeAll(descriptors.keySet());
        if (!missing.isEmpty()) {
            throw new IllegalArgumentException("no descriptor for " + missing);
        }
    }

    /// A launch without a rendezvous.
    public Launch(Tape tape, Map<Slot, Fd> descriptors, MonitorPlan monitor) {
        this(tape, descriptors, monitor, Optional.empty());
    }
}
