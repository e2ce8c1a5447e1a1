package carafe.kernel;

import java.io.IOException;
import java.lang.ref.Cleaner;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// An owned file descriptor. Whoever has the `Fd` closes it, by try-with-resources; an `int fd` is always borrowed.
///
/// A net below: one that is garbage before it was closed is closed by a [Cleaner], which logs where it was born. The
/// system property `carafe.fd.strict=true` (tests) records whole birthplaces and makes the next [#adopt] after a leak
/// fail with them.
public final class Fd implements AutoCloseable {

    private static final boolean STRICT = Boolean.getBoolean("carafe.fd.strict");
    private static final System.Logger LOG = System.getLogger("carafe.kernel");
    private static final Cleaner CLEANER = Cleaner.create();
    private static final List<Throwable> LEAKED = new CopyOnWriteArrayList<>();

    private final Net net;
    private final Cleaner.Cleanable cleanable;

    private Fd(int number, String subject) {
        this.net = new Net(new AtomicInteger(number), subject, STRICT ? new Throwable("opened here") : null);
        this.cleanable = CLEANER.register(this, net);
    }

    /// Takes ownership of `number`. `subject` says what it is in messages: a path, `memfd tape`.
    public static Fd adopt(int number, String subject) {
        if (number < 0) {
            throw new IllegalArgumentException("not a descriptor: " + number);
        }
        if (STRICT && !LEAKED.isEmpty()) {
            var leak = LEAKED.removeFirst();
            throw new AssertionError(leak.getMessage(), leak);
        }
        return new Fd(number, subject);
    }

    /// The descriptor's number, borrowed: not to be used after this object was closed.
    public int number() {
        int number = net.number.get();
        if (number < 0) {
            throw new IllegalStateException("descriptor of " + net.subject + " is closed");
        }
        return number;
    }

    /// Whether this object still owns a descriptor.
    public boolean isOpen() {
        return net.number.get() >= 0;
    }

    /// Gives up ownership: the caller closes the number now. This object counts as closed.
    public int release() {
        int number = number();
        net.number.set(-1);
        cleanable.clean();
        return number;
    }

    /// A second descriptor of the same open file, close-on-exec, owned by the caller.
    /// @throws KernelException EMFILE too many are open
    public Fd duplicate() throws KernelException {
        try (var frame = new Frame()) {
            long copy = frame.attempt(Syscall.FCNTL, number(), Linux.F_DUPFD_CLOEXEC, 0);
            return adopt((int) Frame.checked(copy, Syscall.FCNTL, net.subject), net.subject);
        }
    }

    /// Makes this number mean what `other` means, at once; what it meant before is let go. Source: dup3(2).
    public void become(Fd other) throws KernelException {
        try (var frame = new Frame()) {
            long rc = frame.attempt(Syscall.DUP3, other.number(), number(), Linux.O_CLOEXEC);
            Frame.checked(rc, Syscall.DUP3, net.subject);
        }
    }

    /// The path by which the kernel finds this descriptor's inode again, `/proc/self/fd/7`; valid while it is open.
    public String path() {
        return "/proc/self/fd/" + number();
    }

    /// A channel of the JDK over the same inode (regular files, memfds), opened anew with its own position.
    public FileChannel channel(OpenOption... options) throws IOException {
        return FileChannel.open(Path.of(path()), Set.of(options));
    }

    /// What this is, for messages.
    public String subject() {
        return net.subject;
    }

    /// Closes the descriptor; a second call does nothing. What close(2) reports is about writes that [FdStream] has
    /// already been told of or that only fsync(2) can answer for, so it is not an error here.
    @Override
    public void close() {
        net.close();
        cleanable.clean();
    }

    @Override
    public String toString() {
        return net.subject + " (fd " + net.number.get() + ")";
    }

    /// Descriptors that were garbage before they were closed and not yet reported otherwise; for tests.
    static List<Throwable> leaked() {
        return List.copyOf(LEAKED);
    }

    /// What is left when the owner is garbage; it must not hold the owner.
    private record Net(AtomicInteger number, String subject, @Nullable Throwable birth) implements Runnable {

        void close() {
            int open = number.getAndSet(-1);
            if (open >= 0) {
                try (var frame = new Frame()) {
                    frame.once(Syscall.CLOSE, open); // closed even when it answers EINTR
                }
            }
        }

        @Override
        public void run() {
            if (number.get() >= 0) {
                var leak = new IllegalStateException("descriptor of " + subject + " was never closed", birth);
                close();
                LOG.log(System.Logger.Level.ERROR, leak.getMessage(), leak);
                if (STRICT) {
                    LEAKED.add(leak);
                }
            }
        }
    }
}
