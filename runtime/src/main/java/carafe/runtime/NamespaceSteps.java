package carafe.runtime;

import static carafe.kernel.Arg.cwd;
import static carafe.kernel.Arg.number;
import static carafe.kernel.Arg.slot;
import static carafe.kernel.Arg.text;

import carafe.kernel.Errno;
import carafe.kernel.Linux;
import carafe.kernel.Step;
import carafe.kernel.Syscall;
import carafe.kernel.Tape;
import carafe.runtime.HostFacts.Hierarchies;
import carafe.spec.oci.LinuxSpec;
import carafe.spec.oci.LinuxSpec.Namespace;
import carafe.spec.oci.LinuxSpec.NamespaceType;
import java.util.List;
import java.util.Set;

/// Control group and namespaces: which are made by clone3, which are joined, and in what order.
final class NamespaceSteps {

    private static final int KEYCTL_JOIN_SESSION_KEYRING = 1;

    private NamespaceSteps() {}

    /// For a container's first process.
    static void create(TapeDraft draft, LinuxSpec linux, HostFacts host) {
        boolean ownUsers = linux.namespace(NamespaceType.USER).isPresent();
        var others = linux.namespace(NamespaceType.PID)
                .filter(pid -> !pid.path().isEmpty())
                .map(pid -> Slots.namespace(pid.type().word()));
        if (others.isPresent()) {
            // born so: from its first moment on nobody of the container it joins may look at what it still holds
            draft.add(Step.monitor("undumpable", Syscall.PRCTL, number(Linux.PR_SET_DUMPABLE, "PR_SET_DUMPABLE"),
                    number(0)));
        }
        joinCgroup(draft, host);
        for (var namespace : linux.namespaces()) {
            if (namespace.type() == NamespaceType.USER) {
                draft.tape().bornIn(new Tape.Birthplace(Slots.namespace(namespace.type().word()), others));
                becomeRoot(draft);
            } else if (ownUsers && namespace.type() == NamespaceType.PID && others.isPresent()) {
                continue; // its birthplace
            } else if (!namespace.path().isEmpty()) {
                join(draft, namespace);
            } else if (namespace.type() == NamespaceType.CGROUP) {
                // only now: made by clone3 its root would be the daemon's control group
                draft.child("cgroup-namespace", Syscall.UNSHARE, number(Linux.CLONE_NEWCGROUP, "CLONE_NEWCGROUP"));
            } else {
                draft.tape().cloneFlags(flag(namespace.type()));
            }
        }
        draft.child("umask", Syscall.UMASK, number(0));
    }

    /// In a new user namespace the process is still the host's root, whom nothing of the container belongs to. The
    /// switch takes back that it dies with its monitor.
    private static void becomeRoot(TapeDraft draft) {
        draft.child("become-root", Syscall.SETRESGID, number(0), number(0), number(0));
        draft.child("become-root", Syscall.SETRESUID, number(0), number(0), number(0));
        draft.child("become-root", Syscall.PRCTL, number(Linux.PR_SET_PDEATHSIG, "PR_SET_PDEATHSIG"),
                number(Linux.SIGKILL, "SIGKILL"));
    }

    /// For a further process: everything that the container's first process has.
    static void joinAll(TapeDraft draft, Set<NamespaceType> namespaces, HostFacts host) {
        if (namespaces.contains(NamespaceType.PID)) {
            draft.add(Step.monitor("join-pid", Syscall.SETNS, slot(Slots.TARGET),
                    number(Linux.CLONE_NEWPID, "CLONE_NEWPID")));
        }
        // no process of the container may look at what this one still holds (CVE-2016-9962)
        draft.child("undumpable", Syscall.PRCTL, number(Linux.PR_SET_DUMPABLE, "PR_SET_DUMPABLE"), number(0));
        joinCgroup(draft, host);
        long flags = Linux.CLONE_NEWNS;
        var words = new StringBuilder("CLONE_NEWNS");
        for (var type : List.of(
                NamespaceType.USER, NamespaceType.UTS, NamespaceType.IPC, NamespaceType.NETWORK, NamespaceType.CGROUP)) {
            if (namespaces.contains(type)) {
                flags |= flag(type);
                words.append('|').append(flagWord(type));
            }
        }
        draft.child("join", Syscall.SETNS, slot(Slots.TARGET), number(flags, words.toString()));
        if (namespaces.contains(NamespaceType.USER)) {
            becomeRoot(draft);
        }
        draft.child("umask", Syscall.UMASK, number(0));
        // joining a mount namespace made its root ours
        draft.add(Step.child("open-root", Syscall.OPENAT2, cwd(), text("/"),
                        TapeDraft.how(Linux.O_PATH | Linux.O_DIRECTORY, "O_PATH|O_DIRECTORY", 0, "0"), number(24))
                .into(Slots.ROOT));
    }

    /// A session and a session keyring of its own: no terminal and no keys of the daemon's.
    static void session(TapeDraft draft, String id) {
        draft.child("session", Syscall.SETSID);
        draft.add(Step.child("keyring", Syscall.KEYCTL,
                        number(KEYCTL_JOIN_SESSION_KEYRING, "KEYCTL_JOIN_SESSION_KEYRING"), text("_ses." + id))
                .tolerating(Errno.ENOSYS, Errno.EPERM));
    }

    private static void joinCgroup(TapeDraft draft, HostFacts host) {
        switch (host.cgroups()) {
            case HostFacts.Unified() -> draft.tape().intoCgroup(Slots.CGROUP);
            case Hierarchies(List<String> names) -> {
                for (int i = 0; i < names.size(); i++) {
                    draft.add(Step.child("cgroup", Syscall.WRITE, slot(Slots.cgroupTasks(i)), text("0"), number(1))
                            .exactly(1));
                }
            }
        }
    }

    private static void join(TapeDraft draft, Namespace namespace) {
        var slot = slot(Slots.namespace(namespace.type().word()));
        var flag = number(flag(namespace.type()), flagWord(namespace.type()));
        if (namespace.type() == NamespaceType.PID) {
            draft.add(Step.monitor("join-pid", Syscall.SETNS, slot, flag)); // children only, so before clone3
        } else {
            draft.child("join-" + namespace.type().word(), Syscall.SETNS, slot, flag);
        }
    }

    static long flag(NamespaceType type) {
        return switch (type) {
            case PID -> Linux.CLONE_NEWPID;
            case NETWORK -> Linux.CLONE_NEWNET;
            case MOUNT -> Linux.CLONE_NEWNS;
            case IPC -> Linux.CLONE_NEWIPC;
            case UTS -> Linux.CLONE_NEWUTS;
            case USER -> Linux.CLONE_NEWUSER;
            case CGROUP -> Linux.CLONE_NEWCGROUP;
            case TIME -> Linux.CLONE_NEWTIME;
        };
    }

    private static String flagWord(NamespaceType type) {
        return switch (type) {
            case PID -> "CLONE_NEWPID";
            case NETWORK -> "CLONE_NEWNET";
            case MOUNT -> "CLONE_NEWNS";
            case IPC -> "CLONE_NEWIPC";
            case UTS -> "CLONE_NEWUTS";
            case USER -> "CLONE_NEWUSER";
            case CGROUP -> "CLONE_NEWCGROUP";
            case TIME -> "CLONE_NEWTIME";
        };
    }
}
