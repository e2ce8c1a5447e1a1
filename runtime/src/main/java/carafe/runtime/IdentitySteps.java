package carafe.runtime;

import static carafe.kernel.Arg.bytes;
import static carafe.kernel.Arg.none;
import static carafe.kernel.Arg.number;
import static carafe.kernel.Arg.struct;

import carafe.kernel.Arg;
import carafe.kernel.Capabilities;
import carafe.kernel.Linux;
import carafe.kernel.Syscall;
import carafe.runtime.ProcessPlan.Privileges;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;
import java.util.stream.Collectors;

/// Who the process is and what it may: limits, user, capabilities, filter. The filter comes as late as it can: without
/// no_new_privs installing it takes CAP_SYS_ADMIN, so only the last capset(2) is behind it (R8).
final class IdentitySteps {

    private IdentitySteps() {}

    static void write(TapeDraft draft, ProcessPlan process) {
        process.warnings().forEach(draft::warn);
        ProgramSteps.workingDirectory(draft, process);
        limits(draft, process); // nothing is opened after this: a low RLIMIT_NOFILE binds the program, not the tape
        boundingSet(draft, process.privileges());
        user(draft, process);
        var privileges = process.privileges();
        draft.child("ambient", Syscall.PRCTL, number(Linux.PR_CAP_AMBIENT, "PR_CAP_AMBIENT"),
                number(Linux.PR_CAP_AMBIENT_CLEAR_ALL, "CLEAR_ALL"), number(0), number(0), number(0));
        if (privileges.noNewPrivileges()) {
            draft.child("no-new-privileges", Syscall.PRCTL,
                    number(Linux.PR_SET_NO_NEW_PRIVS, "PR_SET_NO_NEW_PRIVS"), number(1), number(0), number(0),
                    number(0));
        }
        ProgramSteps.closeDescriptors(draft, process);
        filter(draft, privileges.filter());
        capset(draft, "capabilities", privileges.effective(), privileges.permitted(), privileges.inheritable());
        for (String capability : Capabilities.names(privileges.ambient())) {
            draft.child("ambient", Syscall.PRCTL, number(Linux.PR_CAP_AMBIENT, "PR_CAP_AMBIENT"),
                    number(Linux.PR_CAP_AMBIENT_RAISE, "RAISE"), capability(capability), number(0), number(0));
        }
    }

    private static void limits(TapeDraft draft, ProcessPlan process) {
        for (var limit : process.limits()) {
            draft.child("limit:" + limit.word(), Syscall.PRLIMIT64, number(0),
                    number(limit.resource(), "RLIMIT_" + limit.word()),
                    struct("{" + shown(limit.soft()) + ", " + shown(limit.hard()) + "}",
                            new Arg.Field.Fixed(8, limit.soft()), new Arg.Field.Fixed(8, limit.hard())),
                    none());
        }
    }

    private static String shown(long limit) {
        return limit == -1 ? "unlimited" : Long.toUnsignedString(limit);
    }

    /// What is not in the bounding set can never come back, not by a set-user-id program either.
    private static void boundingSet(TapeDraft draft, Privileges privileges) {
        for (String capability : Capabilities.names(privileges.held() & ~privileges.bounding())) {
            draft.child("bounding", Syscall.PRCTL, number(Linux.PR_CAPBSET_DROP, "PR_CAPBSET_DROP"),
                    capability(capability), number(0), number(0), number(0));
        }
    }

    private static void user(TapeDraft draft, ProcessPlan process) {
        var user = process.user();
        boolean leavesRoot = user.uid() != 0;
        if (leavesRoot) {
            draft.child("user", Syscall.PRCTL, number(Linux.PR_SET_KEEPCAPS, "PR_SET_KEEPCAPS"), number(1));
        }
        var groups = ByteBuffer.allocate(4 * user.additionalGids().size()).order(ByteOrder.nativeOrder());
        user.additionalGids().forEach(gid -> groups.putInt(gid.intValue()));
        String shown = user.additionalGids().stream().map(String::valueOf).collect(Collectors.joining(", ", "[", "]"));
        draft.child("groups", Syscall.SETGROUPS, number(user.additionalGids().size()),
                user.additionalGids().isEmpty() ? none() : bytes(groups.array(), shown));
        var gid = number(user.gid());
        draft.child("user", Syscall.SETRESGID, gid, gid, gid);
        var uid = number(user.uid());
        draft.child("user", Syscall.SETRESUID, uid, uid, uid);
        if (leavesRoot && !process.privileges().filter().isEmpty()) {
            // the switch emptied the effective set; the filter needs it once more
            long held = process.privileges().held();
            capset(draft, "user", held, held, 0);
        }
    }

    private static void filter(TapeDraft draft, Filter filter) {
        if (!filter.isEmpty()) {
            draft.child("seccomp", Syscall.SECCOMP, number(Linux.SECCOMP_SET_MODE_FILTER, "SECCOMP_SET_MODE_FILTER"),
                    number(filter.flags()),
                    struct("{" + filter.instructions() + " instructions}",
                            new Arg.Field.Fixed(8, filter.instructions()),
                            new Arg.Field.Pointer(bytes(filter.program(), "filter"))));
        }
    }

    private static void capset(TapeDraft draft, String id, long effective, long permitted, long inheritable) {
        String shown = "{effective=" + words(effective)
                + (permitted == effective ? "" : ", permitted=" + words(permitted))
                + (inheritable == 0 ? "" : ", inheritable=" + words(inheritable)) + "}";
        draft.child(id, Syscall.CAPSET,
                struct("{VERSION_3, self}", new Arg.Field.Fixed(4, Linux._LINUX_CAPABILITY_VERSION_3),
                        new Arg.Field.Fixed(4, 0)),
                struct(shown,
                        new Arg.Field.Fixed(4, effective & 0xFFFF_FFFFL),
                        new Arg.Field.Fixed(4, permitted & 0xFFFF_FFFFL),
                        new Arg.Field.Fixed(4, inheritable & 0xFFFF_FFFFL),
                        new Arg.Field.Fixed(4, effective >>> 32),
                        new Arg.Field.Fixed(4, permitted >>> 32),
                        new Arg.Field.Fixed(4, inheritable >>> 32)));
    }

    private static Arg capability(String name) {
        return number(Capabilities.number(name).orElseThrow(), name);
    }

    /// The names in `mask` without prefix.
    static String words(long mask) {
        if (mask == 0) {
            return "none";
        }
        return Capabilities.names(mask).stream()
                .map(name -> name.substring("CAP_".length()).toLowerCase(Locale.ROOT))
                .collect(Collectors.joining(","));
    }
}
