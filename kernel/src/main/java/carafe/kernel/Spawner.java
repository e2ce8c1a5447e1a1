package carafe.kernel;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// The link to `carafe-spawner`, the small native process that forks a monitor for every process we start. Safe for any
/// thread, virtual ones too: sending is quick, and answers come through one platform thread.
///
/// If the spawner dies, launches under way fail with EPIPE and the next launch starts another one; running monitors do
/// not notice. If the daemon dies, the spawner ends and the monitors go on.
///
/// The lock of this object guards `links` (the last one is in use, others wait for the end of their monitors) and
/// `closed`.
public final class Spawner implements AutoCloseable {

    private static final Duration GRACE = Duration.ofSeconds(2);

    private final Fd program;
    private final List<SpawnerLink> links = new ArrayList<>();
    private boolean closed;

    private Spawner(Fd program) {
        this.program = program;
    }

    /// Starts the program at `binary`. It runs from a read-only mount made for it alone, so that no process in a
    /// container can reach the file (CVE-2019-5736).
    /// @throws KernelException ENOENT no such program; EPERM no CAP_SYS_ADMIN
    public static Spawner start(Path binary) throws KernelException {
        var program = SpawnerProcess.protectedProgram(binary);
        try {
            var spawner = new Spawner(program);
            spawner.link();
            return spawner;
        } catch (KernelException e) {
            program.close();
            throw e;
        }
    }

    private synchronized SpawnerLink link() throws KernelException {
        if (closed) {
            throw new KernelException("launch", "a process", Errno.ECANCELED, "the spawner was closed");
        }
        links.removeIf(SpawnerLink::isDone);
        if (links.isEmpty() || !links.getLast().isOpen()) {
            links.add(new SpawnerLink(SpawnerProcess.start(program)));
        }
        return links.getLast();
    }

    /// Plays a tape; returns when the program runs (execve(2) succeeded).
    /// @throws TapeFailure a step failed; nothing is left of the process
    /// @throws KernelException ETIMEDOUT the deadline passed, and the process was killed; EPIPE the spawner died;
    /// ECHILD the monitor died; ENOEXEC the player refused the tape
    public Launched launch(Launch launch, Duration deadline)
            throws TapeFailure, KernelException, InterruptedException {
        return launch(launch, deadline, () -> {});
    }

    /// The same; `underway` is run by the calling thread as soon as the spawner has the tape. The descriptors may be closed
    /// then, for it has its own. What it throws cancels the launch.
    public Launched launch(Launch launch, Duration deadline, Runnable underway)
            throws TapeFailure, KernelException, InterruptedException {
        long end = System.nanoTime() + deadline.toNanos();
        var blob = TapeBlob.encode(launch);
        var fds = blob.passed().stream()
                .map(slot -> Objects.requireNonNull(launch.descriptors().get(slot)))
                .toList();
        Flight flight;
        try (var memfd = Descriptors.sealedMemfd("tape", blob.bytes())) {
            flight = send(launch, memfd, fds);
        }
        try {
            underway.run();
            if (launch.rendezvous().isPresent()) {
                meet(flight, launch.rendezvous().get(), end);
            }
            return launched(flight, flight.running().get(left(end), TimeUnit.NANOSECONDS));
        } catch (TimeoutException e) {
            cancel(flight);
            throw new KernelException("launch", flight.title(), Errno.ETIMEDOUT);
        } catch (InterruptedException | KernelException | RuntimeException | Error e) {
            cancel(flight);
            throw e;
        } catch (ExecutionException e) {
            flight.forgetClone();
            switch (e.getCause()) {
                case TapeFailure failure -> throw failure;
                case KernelException failure -> throw failure;
                case null, default -> throw new AssertionError(e.getCause());
            }
        }
    }

    /// A spawner that died unnoticed gets no second chance: the next one gets the request.
    private Flight send(Launch launch, Fd memfd, List<Fd> fds) throws KernelException {
        try {
            return link().send(launch, memfd, fds);
        } catch (KernelException e) {
            if (!e.is(Errno.EPIPE)) {
                throw e;
            }
            return link().send(launch, memfd, fds);
        }
    }

    private static long left(long end) {
        return Math.max(0, end - System.nanoTime());
    }

    private static void meet(Flight flight, Launch.Rendezvous rendezvous, long end)
            throws KernelException, InterruptedException, ExecutionException, TimeoutException {
        CompletableFuture.anyOf(flight.cloned(), flight.running()).get(left(end), TimeUnit.NANOSECONDS);
        var process = flight.cloned().join(); // said before it runs
        rendezvous.meet(process.pid(), process.pidfd());
    }

    private static Launched launched(Flight flight, Flight.Running running) {
        var pidfd = running.pidfd().orElseGet(() -> flight.cloned().join().pidfd());
        return new Launched(running, flight.monitorPid(), pidfd, flight.exit());
    }

    /// Makes sure that nothing of a launch stays; returns when it is so.
    private static void cancel(Flight flight) {
        flight.abandon();
        for (int attempt = 0; attempt < 2; attempt++) {
            try {
                var running = flight.running().get(GRACE.toMillis(), TimeUnit.MILLISECONDS);
                try (var pidfd = running.pidfd().orElseGet(() -> flight.cloned().join().pidfd())) {
                    Flight.signal(pidfd, Linux.SIGKILL); // it was faster
                }
                awaitEnd(flight);
                return;
            } catch (ExecutionException e) {
                flight.forgetClone();
                return;
            } catch (TimeoutException | InterruptedException e) {
                flight.kill();
            }
        }
    }

    /// What the process was in can be removed when it has ended, and not before.
    private static void awaitEnd(Flight flight) {
        long end = System.nanoTime() + GRACE.toNanos();
        boolean interrupted = false;
        while (true) {
            try {
                flight.exit().get(left(end), TimeUnit.NANOSECONDS);
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            } catch (ExecutionException | TimeoutException e) {
                break; // nobody will tell it any more
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /// The process id of the spawner in use, for those who watch over it; empty if the last one has died.
    public synchronized Optional<Integer> pid() {
        return links.isEmpty() || !links.getLast().isOpen() ? Optional.empty() : Optional.of(links.getLast().pid());
    }

    /// Ends the spawner; monitors go on. Launches and waits under way fail with ECANCELED.
    @Override
    public void close() {
        List<SpawnerLink> open;
        synchronized (this) {
            closed = true;
            open = List.copyOf(links);
            links.clear();
        }
        open.forEach(SpawnerLink::close);
        program.close();
    }
}
