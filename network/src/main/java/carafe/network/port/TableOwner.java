package carafe.network.port;

import carafe.kernel.Descriptors;
import carafe.kernel.Errno;
import carafe.kernel.Fd;
import carafe.kernel.FileStat;
import carafe.kernel.Inodes;
import carafe.kernel.KernelException;
import carafe.kernel.Linux;
import carafe.kernel.NftTable;
import carafe.kernel.Processes;
import carafe.spec.EngineException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;

/// The engine that a table belongs to, as the table itself says in its comment: the process that put it into place, by
/// its number and start, and the data root with where that was, so that other engines can tell whether it may come back.
record TableOwner(long pid, long startTicks, Where where, Path dataRoot) {

    private static final Pattern TEXT =
            Pattern.compile("engine (\\d{1,18})/(\\d{1,18}), data root (\\d{1,18})/(\\d{1,18}) (/.*)");

    /// In which mount of which device something lies. A path whose mount is another one by now (a disk that was taken off,
    /// somebody else's mount namespace) says nothing about what was there.
    record Where(long mount, long device) {
        private static Where of(FileStat stat) {
            return new Where(stat.mountId(), stat.deviceId());
        }
    }

    /// This process, with its data root, which is there.
    static TableOwner here(Path dataRoot) throws EngineException {
        long pid = ProcessHandle.current().pid();
        Path absolute = dataRoot.toAbsolutePath().normalize();
        try {
            return new TableOwner(pid, Processes.startTicks(pid).orElse(0), where(absolute), absolute);
        } catch (KernelException e) {
            throw new EngineException.Unavailable("cannot look at the data root " + dataRoot + ": " + e.getMessage(), e);
        }
    }

    private static Where where(Path path) throws KernelException {
        try (Fd fd = Descriptors.open(path, Linux.O_PATH, 0)) {
            return Where.of(Inodes.stat(fd));
        }
    }

    /// What a table's comment says; empty where it says something else, or nothing, as those of older engines do.
    static Optional<TableOwner> parse(String comment) {
        var match = TEXT.matcher(comment);
        if (!NftTable.isComment(comment) || !match.matches()) {
            return Optional.empty();
        }
        try {
            return Optional.of(new TableOwner(Long.parseLong(match.group(1)), Long.parseLong(match.group(2)),
                    new Where(Long.parseLong(match.group(3)), Long.parseLong(match.group(4))), Path.of(match.group(5))));
        } catch (IllegalArgumentException e) { // no number that fits, or no path in this process's character set
            return Optional.empty();
        }
    }

    /// The comment; empty where the path is none that a comment can hold.
    String comment() {
        String text = "engine " + pid + "/" + startTicks + ", data root " + where.mount + "/" + where.device + " " + dataRoot;
        return NftTable.isComment(text) ? text : "";
    }

    /// Whether the process still runs.
    boolean isRunning() {
        try (var process = Processes.open(pid, startTicks).orElse(null)) {
            return process != null && Processes.isRunning(process);
        } catch (KernelException unknown) {
            return true;
        }
    }

    /// Whether its data root is certainly no more: not there, while what it lay in is still the same mount, or `mine`, which
    /// the calling engine has to itself. What cannot be looked at, or not in time, is not gone.
    boolean isGone(Optional<TableOwner> mine, Looks looks) {
        if (mine.isPresent() && mine.get().dataRoot.equals(dataRoot)) {
            return mine.get().where.equals(where);
        }
        return looks.is(dataRoot, this::isMissing);
    }

    private boolean isMissing() {
        boolean missing = false;
        for (Path path = dataRoot; path != null; path = path.getParent()) {
            try {
                return where(path).equals(where) && missing;
            } catch (KernelException e) {
                if (!e.is(Errno.ENOENT)) {
                    return false;
                }
                missing = true;
            }
        }
        return false;
    }
}
