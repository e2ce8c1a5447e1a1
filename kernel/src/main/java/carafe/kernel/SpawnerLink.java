package carafe.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/// The sockets to one spawner process and the one platform thread that reads what it and its monitors say. Lives until
/// both the spawner and the last of its monitors are gone, or until it is closed.
///
/// Descriptors are closed by the reader alone, when it ends; others only shut sockets down, under the lock of this
/// object, which also guards `open`.
final class SpawnerLink {

    private static final long REPORTS = 0; // what epoll says; requests count from 1
    private static final long CONTROL = -1;
    private static final int MOST_MARKS = TapeFormat.MAX_STEPS + TapeFormat.MARKS;

    private final int pid;
    private final Fd process;
    private final Fd control;
    private final Fd reports;
    private final Map<Long, Flight> flights = new ConcurrentHashMap<>();
    private final AtomicLong lastId = new AtomicLong();
    private final Thread reader;
    private boolean open = true;
    private volatile boolean closing;

    /// Takes the ends of a spawner that was just started, and its pidfd.
    SpawnerLink(SpawnerProcess spawner) {
        this.pid = spawner.pid();
        this.process = spawner.pidfd();
        this.control = spawner.control();
        this.reports = spawner.reports();
        this.reader = Thread.ofPlatform().daemon().name("spawner-link").start(this::read);
    }

    /// Sends a request.
    /// @throws KernelException EPIPE the spawner is gone
    Flight send(Launch launch, Fd blob, List<Fd> fds) throws KernelException {
        long id = lastId.incrementAndGet();
        var flight = new Flight(launch);
        flights.put(id, flight);
        var request = ByteBuffer.allocate(TapeFormat.REQUEST_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(TapeFormat.MAGIC)
                .putInt(TapeFormat.VERSION)
                .putLong(id)
                .flip();
        var all = new ArrayList<Fd>(fds.size() + 1);
        all.add(blob);
        all.addAll(fds);
        try {
            synchronized (this) {
                if (!open) {
                    throw new KernelException("sendmsg", control.subject(), Errno.EPIPE);
                }
                FdMessages.send(control, request, all);
            }
        } catch (KernelException e) {
            flights.remove(id);
            if (e.is(Errno.ECONNRESET, Errno.EPIPE)) {
                lost(); // before the reader has heard of it
                throw new KernelException(e.call(), e.subject(), Errno.EPIPE);
            }
            throw e;
        }
        return flight;
    }

    private synchronized void lost() {
        open = false;
    }

    /// Whether requests can be sent.
    synchronized boolean isOpen() {
        return open;
    }

    /// Whether the reader has ended, because nobody is left to read from.
    boolean isDone() {
        return !reader.isAlive();
    }

    /// The spawner's process id.
    int pid() {
        return pid;
    }

    /// Ends the spawner, fails what waits, and returns when the reader is done. Monitors go on.
    void close() {
        closing = true;
        synchronized (this) {
            if (reader.isAlive()) {
                shutdown(control);
                shutdown(reports);
            }
            open = false;
        }
        boolean interrupted = false;
        while (reader.isAlive()) {
            try {
                reader.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void shutdown(Fd socket) {
        if (socket.isOpen()) {
            try (var frame = new Frame()) {
                frame.attempt(Syscall.SHUTDOWN, socket.number(), Linux.SHUT_RDWR);
            }
        }
    }

    // ---- the reader ----

    private void read() {
        int bytes = TapeFormat.REPORT_BYTES + MOST_MARKS * Long.BYTES;
        try (var events = new Epoll();
                var receiver = new FdMessages.Receiver(reports, bytes)) {
            events.add(reports, Linux.EPOLLIN, REPORTS);
            events.add(control, 0, CONTROL);
            boolean done = false;
            while (!done) {
                var ready = events.await();
                done = drain(receiver, events); // before the news that a monitor died: it may have spoken before
                for (long id : ready) {
                    if (id == CONTROL) {
                        spawnerGone(events);
                    } else if (id != REPORTS) {
                        monitorGone(id);
                    }
                }
                done |= closing;
            }
        } catch (KernelException e) {
            System.getLogger("carafe.kernel").log(System.Logger.Level.ERROR, "spawner link: " + e.getMessage(), e);
        } finally {
            end();
        }
    }

    private void end() {
        synchronized (this) {
            shutdown(control);
            open = false;
            Flight.signal(process, Linux.SIGKILL); // it ends anyway without its socket, if it can; it has no state
            SpawnerProcess.reap(process);
            control.close();
            reports.close();
            process.close();
        }
        flights.values().forEach(flight -> {
            flight.fail(closing ? Errno.ECANCELED : Errno.EPIPE);
            flight.monitorEnded().ifPresent(Fd::close);
        });
        flights.clear();
    }

    /// Handles every message there is. True: nobody is left who could send one.
    private boolean drain(FdMessages.Receiver receiver, Epoll events) throws KernelException {
        try {
            for (var message = receiver.poll(); message != null; message = receiver.poll()) {
                handle(message, events);
            }
            return false;
        } catch (KernelException e) {
            if (e.is(Errno.EPIPE, Errno.ECONNRESET)) {
                return true;
            }
            throw e;
        }
    }

    private void handle(FdMessages.Message message, Epoll events) throws KernelException {
        var report = message.payload();
        long id = report.getLong(TapeFormat.REPORT_ID);
        var flight = flights.get(id);
        var fd = message.fds().stream().findFirst();
        if (flight == null) { // its request was given up when the spawner died
            fd.filter(_ -> report.getInt(TapeFormat.REPORT_KIND) != TapeFormat.FORKED)
                    .ifPresent(process -> Flight.signal(process, Linux.SIGKILL));
            fd.ifPresent(Fd::close);
            return;
        }
        switch (report.getInt(TapeFormat.REPORT_KIND)) {
            case TapeFormat.FORKED -> {
                events.add(fd.orElseThrow(), Linux.EPOLLIN, id);
                flight.forked(report.getInt(TapeFormat.REPORT_PID), fd.orElseThrow());
            }
            case TapeFormat.CLONED -> flight.onCloned(report, fd.orElseThrow());
            case TapeFormat.RUNNING -> flight.onRunning(report, fd);
            case TapeFormat.FAILED -> {
                flight.onFailed(report);
                if (report.getInt(TapeFormat.REPORT_STEP) == TapeFormat.AT_FORK) {
                    flights.remove(id); // no monitor will come and go
                }
            }
            case TapeFormat.EXITED -> flight.onExited(report);
            default -> throw new KernelException("recvmsg", reports.subject(), Errno.EPROTO);
        }
    }

    private void monitorGone(long id) {
        Optional.ofNullable(flights.remove(id)).ifPresent(flight -> {
            flight.fail(Errno.ECHILD);
            flight.monitorEnded().ifPresent(Fd::close); // which takes it from the epoll set as well
        });
    }

    private void spawnerGone(Epoll events) throws KernelException {
        events.remove(control);
        lost();
        SpawnerProcess.reap(process);
        flights.entrySet().removeIf(entry -> {
            boolean waiting = entry.getValue().monitorPid() == 0; // its request was lost with the spawner
            if (waiting) {
                entry.getValue().fail(Errno.EPIPE);
            }
            return waiting;
        });
    }
}
