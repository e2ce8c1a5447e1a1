package carafe.kernel;

import java.util.function.BooleanSupplier;

/// What this kernel can, found out once by trying it, never by its version. Where a facility is missing an older,
/// tested way is taken; [#without] takes it in tests on a kernel that has both.
enum Features {
    /// fchmodat2(2), Linux 6.6.
    FCHMODAT2(() -> answers(Syscall.FCHMODAT2)),
    /// The file cgroup.kill, Linux 5.14; whether it is there is seen where it is used.
    CGROUP_KILL(() -> true),
    /// mount_setattr(2), Linux 5.12.
    MOUNT_SETATTR(() -> answers(Syscall.MOUNT_SETATTR)),
    /// Overlays of mounts that are attached nowhere, and copies of parts of them, Linux 6.15; where not, [Scaffold].
    DETACHED_SOURCES(Scaffold::detachedSourcesServe);

    private final BooleanSupplier probe;
    private volatile int state;

    Features(BooleanSupplier probe) {
        this.probe = probe;
    }

    static boolean has(Features feature) {
        if (feature.state == 0) {
            feature.state = feature.probe.getAsBoolean() ? 1 : -1;
        }
        return feature.state > 0;
    }

    /// Runs `work` as if the kernel lacked this; for tests, which run one at a time.
    static void without(Features feature, Work work) throws Exception {
        boolean had = has(feature);
        feature.state = -1;
        try {
            work.run();
        } finally {
            feature.state = had ? 1 : -1;
        }
    }

    /// What may be run without a feature.
    interface Work {
        void run() throws Exception;
    }

    /// Whether the call exists: arguments that no call accepts are answered with ENOSYS, or EPERM by an old sandbox,
    /// only where it does not.
    private static boolean answers(Syscall call) {
        try (var frame = new Frame()) {
            long result = frame.attempt(call, -1, 0, 0, 0, 0, 0);
            return result != -Errno.ENOSYS && result != -Errno.EPERM;
        }
    }
}
