package carafe.kernel;

import java.util.Map;
import java.util.Optional;

/// A tape with what it needs to be played. The descriptors are borrowed until [Spawner#launch] returns or says that it is
/// underway; the caller closes them. `rendezvous` is for tapes that make the process wait for something done from outside.
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
    }

    /// A launch without a rendezvous.
    public Launch(Tape tape, Map<Slot, Fd> descriptors, MonitorPlan monitor) {
        this(tape, descriptors, monitor, Optional.empty());
    }
}
