package carafe.kernel;

import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/// Work inside a network namespace. A thread that enters one never comes back to be mistaken for another: each work has
/// a platform thread of its own, which ends with it. Sockets made there belong to the namespace for ever.
/// Source: setns(2), network_namespaces(7).
public final class Netns {

    private Netns() {}

    /// A new namespace, which lives as long as the descriptor, a process or a socket in it.
    /// @throws KernelException EPERM no CAP_SYS_ADMIN
    public static Fd create() throws KernelException {
        return run("new network namespace", () -> {
            enter(Syscall.UNSHARE, Linux.CLONE_NEWNET, 0, "network namespace");
            return Descriptors.open(Path.of("/proc/thread-self/ns/net"), Linux.O_RDONLY, 0);
        });
    }

    /// What `work` answers when it runs in the namespace that `namespace` has open. Waits for it.
    /// @throws KernelException EINVAL that is no network namespace; what `work` throws of this kind
    public static <T> T inside(Fd namespace, Callable<T> work) throws KernelException {
        return run("in " + namespace.subject(), () -> {
            enter(Syscall.SETNS, namespace.number(), Linux.CLONE_NEWNET, namespace.subject());
            return work.call();
        });
    }

    private static void enter(Syscall call, long first, long second, String subject) throws KernelException {
        try (var frame = new Frame()) {
            Frame.checked(frame.attempt(call, first, second), call, subject);
        }
    }

    private static <T> T run(String name, Callable<T> work) throws KernelException {
        var task = new FutureTask<>(work);
        Thread.ofPlatform().daemon().name(name).start(task);
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
                } catch (InterruptedException e) {
                    interrupted = true; // the work is short, and what it opened must find its owner
                }
            }
        } catch (ExecutionException e) {
            switch (Objects.requireNonNull(e.getCause())) {
                case KernelException known -> throw known;
                case RuntimeException unchecked -> throw unchecked;
                case Error error -> throw error;
                case Throwable other -> throw new IllegalStateException(other);
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
