package carafe.runtime;

import carafe.kernel.Slot;

/// The names of the places for descriptors on our tapes.
final class Slots {

    /// The container's root: a mount that is not attached anywhere before the tape attaches it.
    static final Slot ROOT = new Slot("root");
    /// A procfs of the container's pid namespace; private until it becomes /proc.
    static final Slot PROC = new Slot("proc");
    /// The devpts instance that the daemon made for the terminal.
    static final Slot PTS = new Slot("pts");
    /// The container's cgroup directory (v2).
    static final Slot CGROUP = new Slot("cgroup");
    /// The process whose namespaces an exec joins.
    static final Slot TARGET = new Slot("target");

    static final Slot STDIN = new Slot("stdin");
    static final Slot STDOUT = new Slot("stdout");
    static final Slot STDERR = new Slot("stderr");
    static final Slot STDIN_WRITER = new Slot("stdin-writer");
    static final Slot STDOUT_READER = new Slot("stdout-reader");
    static final Slot STDERR_READER = new Slot("stderr-reader");
    static final Slot TERMINAL = new Slot("terminal");
    static final Slot TERMINAL_MASTER = new Slot("terminal-master");

    static final Slot DOOR = new Slot("door");
    static final Slot RUN_DIRECTORY = new Slot("run-directory");
    static final Slot LOG_DIRECTORY = new Slot("log-directory");

    private Slots() {}

    /// A tree to be bound at `destination`, or a filesystem the daemon mounted for it.
    static Slot tree(String destination) {
        return new Slot("tree:" + destination);
    }

    /// /dev/null bound once, to hide the file `path`.
    static Slot mask(String path) {
        return new Slot("null:" + path);
    }

    /// The `tasks` file of one hierarchy (v1).
    static Slot cgroupTasks(int index) {
        return new Slot("cgroup-tasks-" + index);
    }

    /// The container's cgroup in the hierarchy `name` (v1), to be shown at /sys/fs/cgroup.
    static Slot cgroupTree(String name) {
        return new Slot("cgroup:" + name);
    }

    /// A namespace of another process to join.
    static Slot namespace(String word) {
        return new Slot("namespace:" + word);
    }

    /// The connection of a client that is there from the start.
    static Slot client(int index) {
        return new Slot("client-" + index);
    }
}
