package carafe.kernel;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What the monitor does for its process once it runs. All slots named here stay open in the monitor. `title` is shown
/// by ps(1) behind `carafe-monitor`, cut after 200 bytes. Everything is optional but the title: a plan without [Log]
/// writes none, one without [Exit] leaves no record behind.
public record MonitorPlan(String title, Stdio stdio, Door door, Optional<Log> log, Optional<Exit> exit) {

    /// Where the process's input and output end in the monitor.
    public sealed interface Stdio {}

    /// Pipes; a missing one was given to the process as something else (/dev/null). `stdin` is the write end, the
    /// others are read ends. `once`: stdin is closed when the first client that attached to it half-closes or goes
    /// away.
    public record Pipes(Optional<Slot> stdin, Optional<Slot> stdout, Optional<Slot> stderr, boolean once)
            implements Stdio {}

    /// A terminal, see [Pty]. Output of both kinds arrives as stdout, unframed. `input`: clients may type. The monitor
    /// holds `slave` too, so that the terminal outlives a moment in which no process has it open.
    public record Terminal(Slot master, Slot slave, boolean input) implements Stdio {}

    /// How clients come: `listener` is a listening stream socket ([UnixListener]) that [MonitorLink] connects to;
    /// `clients` are there from the first byte.
    public record Door(Optional<Slot> listener, List<Client> clients) {

        /// Nobody can come.
        public static final Door CLOSED = new Door(Optional.empty(), List.of());

        public Door {
            clients = List.copyOf(clients);
        }
    }

    /// A connected stream socket whose other end wants `streams`.
    public record Client(Slot socket, Set<MonitorStream> streams) {
        public Client {
            streams = Set.copyOf(streams);
        }
    }

    /// The log in Docker's json-file format: `name` in `directory`, appended to, then `name.1`, … when it would grow
    /// beyond `maxBytes` (0: never), `maxFiles` in all (1: it starts again from nothing).
    public record Log(Slot directory, String name, long maxBytes, int maxFiles) {
        public Log {
            if (maxBytes < 0 || maxFiles < 1 || maxFiles > 1000) {
                throw new IllegalArgumentException("a log of " + maxFiles + " files of " + maxBytes + " bytes");
            }
            checkName(name);
        }
    }

    /// Where the [ExitRecord] goes: `name` in `directory`, a descriptor opened for reading (not O_PATH: it is synced).
    public record Exit(Slot directory, String name) {
        public Exit {
            checkName(name);
        }
    }

    private static void checkName(String name) {
        if (name.isEmpty() || name.length() > TapeFormat.MAX_NAME || name.indexOf('/') >= 0 || name.indexOf(0) >= 0) {
            throw new IllegalArgumentException("not a plain file name: " + name.replace('\0', '?'));
        }
    }

    /// All slots named here.
    List<Slot> slots() {
        var slots = new ArrayList<Slot>();
        switch (stdio) {
            case Pipes pipes -> {
                pipes.stdin.ifPresent(slots::add);
                pipes.stdout.ifPresent(slots::add);
                pipes.stderr.ifPresent(slots::add);
            }
            case Terminal terminal -> slots.addAll(List.of(terminal.master, terminal.slave));
        }
        door.listener.ifPresent(slots::add);
        door.clients.forEach(client -> slots.add(client.socket));
        log.ifPresent(plan -> slots.add(plan.directory));
        exit.ifPresent(plan -> slots.add(plan.directory));
        return slots;
    }
}
