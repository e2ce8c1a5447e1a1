package carafe.kernel;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;

/// The one thread of the JVM that enters other network namespaces: a platform thread that does nothing else, comes back
/// to where it started after each piece of work, and dies if it cannot (another takes its place). Virtual threads change
/// carriers, so no other thread may call setns or unshare.
///
/// It wakes who waits only when it is back in the namespace of the JVM: waking a virtual thread may start a carrier, and a
/// thread is born in the namespaces of the one that starts it.
/// Source: setns(2), unshare(2), network_namespaces(7).
public final class NamespaceThread implements AutoCloseable {

    private static final Path OWN = Path.of("/proc/thread-self/ns/net");
    private static final Path SETTINGS = Path.of("/proc/sys/net");

    private final Fd birthplace; // the namespace of the JVM, mostly `home` too
    private final Fd home;
    private final LinkedBlockingQueue<Runnable> queue = new LinkedBlockingQueue<>();
    private final CompletableFuture<Boolean> end = new CompletableFuture<>();
    private Optional<Runnable> answer = Optional.empty(); // to the last work; of the thread, or of its successor
    private volatile boolean ending;

    private NamespaceThread(Fd birthplace, Fd home) {
        this.birthplace = birthplace;
        this.home = home;
    }

    /// Starts the thread at home in the network namespace of the caller.
    public static NamespaceThread start() throws KernelException {
        var here = Descriptors.open(OWN, Linux.O_RDONLY, 0);
        return start(here, here);
    }

    /// Starts the thread at home in another network namespace; `home` is adopted, also when this fails.
    public static NamespaceThread startAt(Fd home) throws KernelException {
        try {
            return start(Descriptors.open(OWN, Linux.O_RDONLY, 0), home);
        } catch (KernelException e) {
            home.close();
            throw e;
        }
    }

    private static NamespaceThread start(Fd birthplace, Fd home) {
        var thread = new NamespaceThread(birthplace, home);
        thread.launch();
        return thread;
    }

    /// Work inside a namespace; it may open sockets and files that are the namespace's.
    public interface Work<T> {
        T run() throws KernelException;
    }

    /// A new namespace with its loopback up and these settings. Costs about half a millisecond of the kernel's time.
    /// Owned by the caller.
    public NetNamespace create(NetNamespace.Settings settings) throws KernelException {
        return await(() -> {
            try (var frame = new Frame()) {
                Frame.checked(frame.attempt(Syscall.UNSHARE, Linux.CLONE_NEWNET), Syscall.UNSHARE, "network namespace");
            }
            var handle = Descriptors.open(OWN, Linux.O_RDONLY, 0);
            Netlink netlink = null;
            boolean made = false;
            try {
                netlink = Netlink.open();
                netlink.perform(NetRequest.raise(1, true)); // lo is always the first
                write(settings);
                made = true;
                return new NetNamespace(handle, netlink);
            } finally {
                if (!made) {
                    handle.close();
                    if (netlink != null) {
                        netlink.close();
                    }
                }
            }
        });
    }

    /// Takes hold of a namespace that exists; `handle` is adopted, also when this fails.
    public NetNamespace adopt(Fd handle) throws KernelException {
        try {
            return new NetNamespace(handle, inside(handle, Netlink::open));
        } catch (KernelException e) {
            handle.close();
            throw e;
        }
    }

    /// Writes settings of the namespace. A file that is not there is left out when its value only forbids something that
    /// this kernel then cannot do either: the caller's list is made for kernels with IPv6.
    public void set(Fd namespace, NetNamespace.Settings settings) throws KernelException {
        inside(namespace, () -> {
            write(settings);
            return true;
        });
    }

    /// Does `work` inside the namespace.
    public <T> T inside(Fd namespace, Work<T> work) throws KernelException {
        return await(() -> {
            enter(namespace);
            return work.run();
        });
    }

    /// Does `work` in the namespace the engine runs in, where files below /proc/sys/net are the engine's own.
    public <T> T insideHome(Work<T> work) throws KernelException {
        return await(work);
    }

    /// Writes settings of the namespace the engine runs in.
    public void setHere(NetNamespace.Settings settings) throws KernelException {
        insideHome(() -> {
            write(settings);
            return true;
        });
    }

    private static void write(NetNamespace.Settings settings) throws KernelException {
        for (var setting : settings.values().entrySet()) {
            try (var file = Descriptors.open(SETTINGS.resolve(setting.getKey()), Linux.O_WRONLY, 0)) {
                FdStream.write(file, setting.getValue().getBytes(StandardCharsets.UTF_8));
            } catch (KernelException e) {
                boolean noFamily = e.is(Errno.ENOENT) && setting.getKey().startsWith("ipv6/");
                if (!noFamily) {
                    throw e;
                }
            }
        }
    }

    private static void enter(Fd namespace) throws KernelException {
        try (var frame = new Frame()) {
            long rc = frame.attempt(Syscall.SETNS, namespace.number(), Linux.CLONE_NEWNET);
            Frame.checked(rc, Syscall.SETNS, namespace.subject());
        }
    }

    private <T> T await(Work<T> work) throws KernelException {
        var outcome = new CompletableFuture<T>();
        queue.add(() -> {
            try {
                T result = work.run();
                answer = Optional.of(() -> outcome.complete(result));
            } catch (KernelException | RuntimeException | Error e) {
                answer = Optional.of(() -> outcome.completeExceptionally(e));
            }
        });
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return outcome.get();
                } catch (InterruptedException e) {
                    interrupted = true; // the result would be lost, and with it descriptors
                } catch (ExecutionException e) {
                    if (e.getCause() instanceof KernelException failure) {
                        throw failure;
                    }
                    throw new AssertionError("work in a namespace failed", e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void launch() {
        Thread.ofPlatform().name("carafe-netns").daemon().start(this::work);
    }

    private void work() {
        while (true) {
            try {
                enter(birthplace);
                answer.ifPresent(Runnable::run);
                answer = Optional.empty();
                if (ending) {
                    end.complete(true);
                    return;
                }
                if (home != birthplace) {
                    enter(home);
                }
                queue.take().run();
            } catch (InterruptedException e) {
                // nobody but close ends this thread
            } catch (KernelException e) {
                System.getLogger("carafe.kernel").log(System.Logger.Level.ERROR,
                        "a thread cannot return from a network namespace and ends: " + e.getMessage());
                launch();
                return;
            }
        }
    }

    /// Ends the thread after what was asked of it.
    @Override
    public void close() {
        queue.add(() -> ending = true);
        boolean interrupted = false;
        while (true) {
            try {
                end.get();
                break;
            } catch (InterruptedException e) {
                interrupted = true; // the thread still needs its namespaces
            } catch (ExecutionException e) {
                throw new AssertionError(e);
            }
        }
        home.close();
        birthplace.close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
