package carafe.runtime;

import carafe.kernel.Fd;
import carafe.kernel.KernelException;
import carafe.kernel.MountNamespace;
import carafe.kernel.Scaffold;
import java.util.List;

/// How mounts that are attached nowhere are put together.
enum Assembly {
    /// As they are, from Linux 6.15 on.
    DETACHED,
    /// Attached for a moment where nobody sees them.
    ATTACHED;

    static Assembly ofThisKernel() {
        return Scaffold.needed() ? ATTACHED : DETACHED;
    }

    /// Does `work` with `mounts`, borrowed, so that the kernel takes them and their parts. Attached ones serve for nothing
    /// afterwards.
    <T> T with(List<Fd> mounts, MountNamespace.Task<T> work) throws KernelException {
        return this == ATTACHED ? Scaffold.with(mounts, work) : work.run();
    }
}
