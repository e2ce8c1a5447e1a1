package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// An epoll set for one platform thread: made, used and closed by it, because waiting would pin a carrier of virtual
/// threads. Source: epoll(7).
final class Epoll implements AutoCloseable {

    private static final int MOST = 64;
    private static final int EVENT_BYTES = Machine.THIS == Machine.AMD64 ? 12 : 16; // packed on x86-64 only
    private static final int DATA = EVENT_BYTES - Long.BYTES;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

    private final Frame frame = new Frame();
    private final MemorySegment events = frame.allocate((long) MOST * EVENT_BYTES, Long.BYTES);
    private final MemorySegment event = frame.allocate(EVENT_BYTES, Long.BYTES);
    private final Fd set;

    Epoll() throws KernelException {
        long fd = frame.attempt(Syscall.EPOLL_CREATE1, Linux.O_CLOEXEC);
        set = Fd.adopt((int) Frame.checked(fd, Syscall.EPOLL_CREATE1, null), "epoll");
    }

    /// Adds a descriptor, which leaves the set when it is closed. EPOLLHUP and EPOLLERR are always waited for.
    void add(Fd fd, int interest, long data) throws KernelException {
        event.set(JAVA_INT, 0, interest);
        event.set(LONG, DATA, data);
        control(Linux.EPOLL_CTL_ADD, fd);
    }

    /// Takes a descriptor out.
    void remove(Fd fd) throws KernelException {
        control(Linux.EPOLL_CTL_DEL, fd);
    }

    private void control(int operation, Fd fd) throws KernelException {
        long rc = frame.attempt(Syscall.EPOLL_CTL, set.number(), operation, fd.number(), event.address());
        Frame.checked(rc, Syscall.EPOLL_CTL, fd.subject());
    }

    /// Waits until something is ready, and answers the data of all that is.
    long[] await() throws KernelException {
        return await(-1);
    }

    /// Waits no longer than that many milliseconds; then nothing may be ready.
    long[] await(int millis) throws KernelException {
        long n = frame.attempt(Syscall.EPOLL_PWAIT, set.number(), events.address(), MOST, millis, 0, 0);
        var ready = new long[(int) Frame.checked(n, Syscall.EPOLL_PWAIT, null)];
        for (int i = 0; i < ready.length; i++) {
            ready[i] = events.get(LONG, (long) i * EVENT_BYTES + DATA);
        }
        return ready;
    }

    @Override
    public void close() {
        set.close();
        frame.close();
    }
}
