package carafe.kernel;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;

/// One cgroup by its path. Holds nothing of the kernel, so it need not be closed and may be made anew after a restart
/// of the daemon; the cgroup itself stays until [#remove].
public final class Cgroup {

    private static final Duration FREEZING = Duration.ofSeconds(5);
    private static final Duration DYING = Duration.ofSeconds(10);

    private final CgroupDriver driver;
    private final String path;

    Cgroup(CgroupDriver driver, String path) {
        this.driver = driver;
        this.path = path;
    }

    /// The path below every hierarchy's root, `/carafe/1f2e`.
    public String path() {
        return "/" + path;
    }

    /// Whether it is there, in any hierarchy.
    public boolean exists() throws KernelException {
        for (var hierarchy : driver.hierarchies()) {
            if (hierarchy.exists(path)) {
                return true;
            }
        }
        return false;
    }

    /// What a process needs to get in; owned by the caller.
    public CgroupEntrance entrance() throws KernelException {
        return driver.entrance(path);
    }

    /// Moves a running process with all its threads in. On v1 it takes milliseconds now and then (RCU).
    public void enter(long pid) throws KernelException {
        for (var hierarchy : driver.hierarchies()) {
            hierarchy.write(path, "cgroup.procs", Long.toString(pid));
        }
    }

    /// Changes limits of a living cgroup; empty ones stay as they are.
    /// @return limits that this host cannot give
    /// @throws KernelException EBUSY the memory in use cannot be brought below the limit; EINVAL a value out of range
    public List<LimitWarning> update(CgroupLimits limits) throws KernelException {
        return driver.update(path, limits);
    }

    /// What has been used so far; what the host does not count is zero.
    public CgroupStats stats() throws KernelException {
        return driver.stats(path);
    }

    /// How many processes the kernel has killed here because memory ran out.
    public long oomKills() throws KernelException {
        return driver.oomKills(path);
    }

    /// Stops every process where it is, and waits until all are, 5 seconds at most.
    /// @throws KernelException EBUSY they did not stop in time; they run again
    public void freeze() throws KernelException {
        driver.setFrozen(path, true);
        if (!Waiting.until(FREEZING, () -> driver.isFrozen(path))) {
            driver.setFrozen(path, false);
            throw new KernelException("freeze", "cgroup " + path(), Errno.EBUSY);
        }
    }

    /// Lets frozen processes run on.
    public void thaw() throws KernelException {
        driver.setFrozen(path, false);
    }

    /// Whether the processes are frozen.
    public boolean isFrozen() throws KernelException {
        return driver.isFrozen(path);
    }

    /// The processes in this cgroup and in those below it, as our pid namespace numbers them; none where it is gone.
    public List<Integer> processes() throws KernelException {
        var pids = new ArrayList<Integer>();
        collect(path, pids);
        return pids;
    }

    private void collect(String directory, List<Integer> pids) throws KernelException {
        var hierarchy = driver.processHierarchy();
        for (String line : hierarchy.readOrEmpty(directory, "cgroup.procs").split("\n")) {
            if (!line.isEmpty() && !line.equals("0")) {
                pids.add(Integer.valueOf(line));
            }
        }
        for (String child : hierarchy.children(directory)) {
            collect(directory + "/" + child, pids);
        }
    }

    /// Sends SIGKILL to every process in and below, frozen ones and ones forked meanwhile included. Returns when the
    /// signals are sent where the kernel has cgroup.kill, else when nobody is left or after 10 seconds.
    public void kill() throws KernelException {
        if (driver.killAtOnce(path)) {
            return;
        }
        Waiting.until(DYING, () -> {
            killOnce();
            return processes().isEmpty();
        });
    }

    /// A pid that is listed again after its pidfd was opened cannot have become somebody else outside the cgroup.
    private void killOnce() throws KernelException {
        var handles = new HashMap<Integer, Fd>();
        try {
            for (int pid : processes()) {
                Processes.open(pid).ifPresent(handle -> handles.put(pid, handle));
            }
            for (int pid : processes()) {
                var handle = handles.get(pid);
                if (handle != null) {
                    Processes.signal(handle, Linux.SIGKILL);
                }
            }
        } finally {
            handles.values().forEach(Fd::close);
        }
        if (driver.hierarchyOf("freezer").isPresent() || driver.version() == Cgroups.Version.V2) {
            thawQuietly();
        }
    }

    private void thawQuietly() throws KernelException {
        try {
            driver.setFrozen(path, false);
        } catch (KernelException e) {
            if (!e.is(Errno.ENOENT, Errno.ENODEV)) {
                throw e;
            }
        }
    }

    /// Removes the cgroup and those that its processes made below it, in every hierarchy; none there is no error. Waits
    /// while the kernel still lets go of exiting processes, `patience` at most.
    /// @throws KernelException EBUSY processes are still there
    public void remove(Duration patience) throws KernelException {
        for (var hierarchy : driver.hierarchies()) {
            int errno = removeTree(hierarchy, path);
            if (errno != 0) {
                var left = new int[] {errno};
                boolean gone = Waiting.until(patience, () -> {
                    left[0] = removeTree(hierarchy, path);
                    return left[0] == 0;
                });
                if (!gone) {
                    throw new KernelException("rmdir", "cgroup " + path(), left[0]);
                }
            }
        }
    }

    /// @return 0 or the errno of the first directory that stays
    private static int removeTree(Hierarchy hierarchy, String directory) throws KernelException {
        int errno = hierarchy.tryRmdir(directory);
        if (errno == 0 || errno == Errno.ENOENT) {
            return 0;
        }
        for (String child : hierarchy.children(directory)) {
            int childErrno = removeTree(hierarchy, directory + "/" + child);
            if (childErrno != 0) {
                return childErrno;
            }
        }
        errno = hierarchy.tryRmdir(directory);
        return errno == Errno.ENOENT ? 0 : errno;
    }

    @Override
    public String toString() {
        return path();
    }
}
