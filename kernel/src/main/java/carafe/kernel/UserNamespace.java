package carafe.kernel;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// A user namespace and a network namespace that it owns, both without a process: they live as long as these
/// descriptors, a mount that shows owners by the former, or who enters them. Owned by the caller.
///
/// A process of the JVM has many threads and can make neither; so a tape is played that makes both and waits. Its maps
/// are written from here, the namespaces opened, and it is ended.
/// Source: user_namespaces(7), "Defining user and group ID mappings".
public record UserNamespace(Fd handle, Fd network) implements AutoCloseable {

    private static final Slot GATE = new Slot("gate");
    private static final Duration DEADLINE = Duration.ofSeconds(10);

    private static final Slot USERS = new Slot("users");
    private static final Step WAIT =
            Step.child("wait", Syscall.READ, Arg.slot(GATE), Arg.bytes(new byte[1], "byte"), Arg.number(1));
    private static final Tape TAPE = Tape.builder()
            .cloneFlags(Linux.CLONE_NEWUSER | Linux.CLONE_NEWNET)
            .add(WAIT)
            .build();

    /// The lines of both maps.
    private record Maps(String users, String groups) {}

    /// Makes both. A map's lines are `first id inside, first id outside, how many`.
    /// @throws KernelException EPERM the host forbids user namespaces; ENOSPC there are too many; EINVAL maps that
    /// overlap
    public static UserNamespace make(Spawner spawner, String uidMap, String gidMap)
            throws KernelException, InterruptedException {
        return made(spawner, new Made(Optional.of(new Maps(uidMap, gidMap))), Map.of(), TAPE);
    }

    private static UserNamespace made(Spawner spawner, Made made, Map<Slot, Fd> with, Tape tape)
            throws KernelException, InterruptedException {
        try (var pipe = Descriptors.pipe(0)) {
            var plan = new MonitorPlan("user namespace",
                    new MonitorPlan.Pipes(Optional.empty(), Optional.empty(), Optional.empty(), false),
                    MonitorPlan.Door.CLOSED, Optional.empty(), Optional.empty());
            var passed = new HashMap<>(with);
            passed.put(GATE, pipe.first());
            spawner.launch(new Launch(tape, passed, plan, Optional.of(made)), DEADLINE).close();
            throw new AssertionError("a tape without a program");
        } catch (TapeFailure e) {
            throw new KernelException("unshare", "user namespace", e.errno());
        } catch (KernelException e) {
            if (made.namespace.isPresent()) {
                return made.namespace.get();
            }
            throw e;
        } catch (InterruptedException e) {
            made.namespace.ifPresent(UserNamespace::close);
            throw e;
        }
    }

    /// A network namespace that the users of `handle` own, with a second descriptor of theirs.
    /// @throws KernelException ENOSPC there are too many
    public static UserNamespace beside(Spawner spawner, Fd handle) throws KernelException, InterruptedException {
        return made(spawner, new Made(Optional.empty()), Map.of(USERS, handle), Tape.builder()
                .bornIn(new Tape.Birthplace(USERS, Optional.empty()))
                .cloneFlags(Linux.CLONE_NEWNET)
                .add(WAIT)
                .build());
    }

    /// Those of process `pid`. The caller makes sure that the number is still the process's it means.
    public static UserNamespace of(int pid) throws KernelException {
        var namespaces = Path.of("/proc/" + pid + "/ns");
        var user = Descriptors.open(namespaces.resolve("user"), Linux.O_RDONLY, 0);
        try {
            return new UserNamespace(user, Descriptors.open(namespaces.resolve("net"), Linux.O_RDONLY, 0));
        } catch (KernelException e) {
            user.close();
            throw e;
        }
    }

    private static final class Made implements Launch.Rendezvous {
        private final Optional<Maps> maps;
        private Optional<UserNamespace> namespace = Optional.empty();

        Made(Optional<Maps> maps) {
            this.maps = maps;
        }

        @Override
        public void meet(int pid, Fd pidfd) throws KernelException {
            var process = Path.of("/proc/" + pid); // it is ours and waits: nobody else can get its number
            if (maps.isPresent()) {
                write(process.resolve("uid_map"), maps.get().users);
                write(process.resolve("gid_map"), maps.get().groups);
            }
            namespace = Optional.of(of(pid));
            throw new KernelException("launch", "user namespace", Errno.ECANCELED); // all is there: it is not wanted any more
        }

        private static void write(Path file, String map) throws KernelException {
            try (var fd = Descriptors.open(file, Linux.O_WRONLY, 0)) {
                FdStream.write(fd, map.getBytes(StandardCharsets.US_ASCII));
            }
        }
    }

    @Override
    public void close() {
        handle.close();
        network.close();
    }
}
