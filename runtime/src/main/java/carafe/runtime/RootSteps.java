package carafe.runtime;

import static carafe.kernel.Arg.cwd;
import static carafe.kernel.Arg.none;
import static carafe.kernel.Arg.number;
import static carafe.kernel.Arg.slot;
import static carafe.kernel.Arg.text;

import carafe.kernel.Linux;
import carafe.kernel.Syscall;
import carafe.spec.oci.RuntimeSpec;
import java.util.Map;

/// The change of the root: the detached root is attached over the host's, entered, and the host's is let go.
final class RootSteps {

    private static final Map<String, Long> PROPAGATION = Map.of(
            "private", MountOptions.MS_PRIVATE, "rprivate", MountOptions.MS_PRIVATE,
            "slave", MountOptions.MS_SLAVE, "rslave", MountOptions.MS_SLAVE,
            "shared", MountOptions.MS_SHARED, "rshared", MountOptions.MS_SHARED,
            "unbindable", MountOptions.MS_UNBINDABLE, "runbindable", MountOptions.MS_UNBINDABLE);

    private RootSteps() {}

    /// The monitor keeps the root open: the last one to let go of an overlay waits until the file system below it is
    /// synced, and that shall not be the process whose end is waited for.
    static void enter(TapeDraft draft, RuntimeSpec spec) throws StartFailure {
        draft.tape().keep(Slots.ROOT);
        draft.child("propagation", Syscall.MOUNT, none(), text("/"), none(),
                number(Linux.MS_REC | Linux.MS_SLAVE, "MS_REC|MS_SLAVE"), none());
        draft.child("root", Syscall.MOVE_MOUNT, slot(Slots.ROOT), TapeDraft.EMPTY, cwd(), text("/"),
                number(Linux.MOVE_MOUNT_F_EMPTY_PATH, "F_EMPTY_PATH"));
        draft.child("pivot", Syscall.FCHDIR, slot(Slots.ROOT));
        draft.child("pivot", Syscall.PIVOT_ROOT, text("."), text("."));
        draft.child("pivot", Syscall.UMOUNT2, text("."), number(Linux.MNT_DETACH, "MNT_DETACH"));
        draft.child("pivot", Syscall.CHDIR, text("/"));
        String wanted = spec.linux().rootfsPropagation();
        if (!wanted.isEmpty()) {
            Long bit = PROPAGATION.get(wanted);
            if (bit == null) {
                throw Checks.invalid("unknown propagation of the root filesystem \"" + wanted + "\"");
            }
            draft.add(TapeDraft.setAttributes("root-propagation", Slots.ROOT, wanted.startsWith("r"), 0, bit));
        }
    }
}
