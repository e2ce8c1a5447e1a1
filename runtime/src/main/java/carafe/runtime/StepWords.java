package carafe.runtime;

import java.util.Map;

/// What each kind of step is for, in one sentence that needs no other, and the page to read next. A step's kind is its
/// id up to the colon.
record StepWords(String why, String man) {

    /// The words for a step; every id that a plan can have is known (a test walks through them).
    static StepWords of(String id) {
        int colon = id.indexOf(':');
        var words = ALL.get(colon < 0 ? id : id.substring(0, colon));
        if (words == null) {
            throw new AssertionError("no words for step " + id);
        }
        return words;
    }

    private static Map.Entry<String, StepWords> entry(String kind, String man, String why) {
        return Map.entry(kind, new StepWords(why, man));
    }

    private static final Map<String, StepWords> ALL = Map.ofEntries(
            entry("run-directory", "mkdir(2)",
                    "Keeps what lives as long as the container runs: the monitor's socket and the exit record."),
            entry("root-mount", "mount_namespaces(7)",
                    "Stacks the image's layers and an empty one for changes into one tree that no process can see yet."),
            entry("find-user", "passwd(5)",
                    "Turns the user's name into numbers with the image's own list; the kernel only knows numbers."),
            entry("make-working-directory", "openat2(2)",
                    "Makes the directory the program starts in, never following a link out of the image."),
            entry("tree", "open_tree(2)",
                    "Takes a copy of a mount of the host as a descriptor, so that no path is looked up later."),
            entry("mount-point", "openat2(2)",
                    "Makes the place where something will be mounted, resolved inside the image only."),
            entry("root-readonly", "mount_setattr(2)",
                    "Makes the whole root read-only; what is mounted on it keeps its own mode."),
            entry("null-devices", "null(4)",
                    "Gets the null device, its number verified, that will hide files which tell too much."),
            entry("cgroup-trees", "cgroup_namespaces(7)",
                    "Copies the container's control groups as mounts, so that it can look at its own limits."),
            entry("namespace", "namespaces(7)",
                    "Opens a namespace of another process which the container shares."),
            entry("cgroup", "cgroups(7)",
                    "Puts the container into a group of its own that the kernel counts and limits as one."),
            entry("user-namespace", "user_namespaces(7)",
                    "Opens the container's users: its root is somebody without any power on the host."),
            entry("become-root", "user_namespaces(7)",
                    "Becomes root of the container's own users, which is nobody special to the host."),
            entry("filter", "seccomp(2)",
                    "Translates the list of allowed system calls into a small program for the kernel."),
            entry("streams", "pipe(7)",
                    "Makes the pipes or the terminal between the program and the monitor that writes its log."),
            entry("monitor-files", "unix(7)",
                    "Opens what the monitor needs to serve clients and keep the log when the daemon is gone."),
            entry("enter-container", "pidfd_open(2)",
                    "Takes hold of the running container: its first process and, through it, its root."),
            entry("join-cgroup-files", "cgroups(7)", "Opens the container's control group for the new process."),
            entry("clone", "clone(2)",
                    "Makes the process together with its new namespaces: its own mounts, processes, names and network."),
            entry("join-pid", "pid_namespaces(7)",
                    "Makes children appear in another container's list of processes."),
            entry("join-network", "network_namespaces(7)", "Shares another container's network."),
            entry("join-ipc", "ipc_namespaces(7)", "Shares another container's message queues and shared memory."),
            entry("join-uts", "uts_namespaces(7)", "Shares another container's host name."),
            entry("join-cgroup", "cgroup_namespaces(7)", "Shares another container's view of control groups."),
            entry("join-mount", "mount_namespaces(7)", "Shares another container's mounts."),
            entry("join", "setns(2)", "Enters all namespaces of the running container at once."),
            entry("undumpable", "prctl(2)",
                    "Keeps processes of the container from looking into this one before its program runs."),
            entry("cgroup-namespace", "cgroup_namespaces(7)",
                    "Makes the container's own control group look like the root of all."),
            entry("umask", "umask(2)", "Decides which permissions new files do not get."),
            entry("session", "setsid(2)", "Starts a session of its own: no terminal of ours can send it signals."),
            entry("keyring", "keyctl(2)", "Starts a keyring of its own: the host's keys stay with the host."),
            entry("propagation", "mount_namespaces(7)",
                    "Cuts the way back: what is mounted in here does not appear on the host."),
            entry("root", "move_mount(2)", "Attaches the prepared tree; only this process sees it."),
            entry("pivot", "pivot_root(2)",
                    "Makes the tree the root and lets go of the host's, which no path leads to any more."),
            entry("root-propagation", "mount_namespaces(7)", "Sets how mounts travel from and to the root."),
            entry("open-root", "openat2(2)", "Gets the container's root as a descriptor to resolve paths in."),
            entry("procfs", "proc(5)",
                    "Makes a /proc of the container's processes; settings are written while nobody can cover it."),
            entry("sysctl", "sysctl(8)", "Sets a parameter of the kernel that the container has for itself."),
            entry("oom-score", "proc(5)", "Says how likely the kernel ends this process first when memory runs out."),
            entry("apparmor", "apparmor(7)", "Names the AppArmor profile that holds from the program's start."),
            entry("mount", "move_mount(2)", "Mounts a filesystem that programs expect, or one the user asked for."),
            entry("devices", "mknod(2)", "Makes the few harmless devices; the host's others are not there."),
            entry("device-links", "symlink(2)", "Makes the usual names in /dev."),
            entry("console", "pts(4)", "Makes the terminal the container's console."),
            entry("mask", "mount(2)", "Hides a file or directory that tells about the host or reaches into it."),
            entry("readonly", "mount_setattr(2)", "Lets the container read kernel settings without changing them."),
            entry("hostname", "sethostname(2)", "Gives the container its host name, which only it sees."),
            entry("domainname", "setdomainname(2)", "Gives the container its domain name, which only it sees."),
            entry("loopback", "netdevice(7)", "Brings up 127.0.0.1 in the container's own network."),
            entry("stdio", "dup(2)", "Puts the pipes in the places where programs look for input and output."),
            entry("terminal", "ioctl_tty(2)", "Makes the terminal input, output and the source of Ctrl-C."),
            entry("limit", "getrlimit(2)", "Bounds what a single process may use."),
            entry("working-directory", "chdir(2)",
                    "Enters the directory the program starts in, proven to be inside the container."),
            entry("bounding", "capabilities(7)",
                    "Throws away parts of root's power for ever; no program can get them back."),
            entry("groups", "setgroups(2)", "Takes the user's groups and drops those of the daemon."),
            entry("user", "setresuid(2)", "Becomes the user the program runs as."),
            entry("ambient", "capabilities(7)", "Makes sure that no power is passed on unseen."),
            entry("no-new-privileges", "prctl(2)", "Makes set-user-id programs harmless: nothing run from here gains."),
            entry("descriptors", "close_range(2)", "Marks every other open file to be closed when the program starts."),
            entry("seccomp", "seccomp(2)", "Installs the filter: calls that containers do not need answer an error."),
            entry("capabilities", "capabilities(7)", "Keeps only those parts of root's power that the container has."),
            entry("exec", "execve(2)", "Becomes the program."));
}
