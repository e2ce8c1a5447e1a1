package carafe.kernel;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What the two versions of cgroups do differently. Paths are relative to the hierarchies' roots, without a slash in
/// front.
sealed interface CgroupDriver permits CgroupV1, CgroupV2 {

    Cgroups.Version version();

    /// Where our cgroups go, relative.
    String home();

    /// The controllers that a cgroup below [#home] has.
    Set<String> controllers();

    /// Every hierarchy in which a cgroup has a directory.
    List<Hierarchy> hierarchies();

    /// The hierarchy to ask for processes.
    Hierarchy processHierarchy();

    /// Makes the cgroup; what was made is removed again when something fails.
    List<LimitWarning> create(String path, CgroupLimits limits, List<DeviceRule> devices) throws KernelException;

    List<LimitWarning> update(String path, CgroupLimits limits) throws KernelException;

    CgroupEntrance entrance(String path) throws KernelException;

    CgroupStats stats(String path) throws KernelException;

    long oomKills(String path) throws KernelException;

    /// Asks for the state and returns at once.
    void setFrozen(String path, boolean frozen) throws KernelException;

    boolean isFrozen(String path) throws KernelException;

    /// Kills everything in and below at once.
    /// @return false where the kernel cannot and the processes have to be killed one by one
    boolean killAtOnce(String path) throws KernelException;

    /// The hierarchy that `controller` is bound to.
    Optional<Hierarchy> hierarchyOf(String controller);

    /// Writes the limits; one that the kernel has no file for becomes a warning, one refused with EINVAL is tried again
    /// when the others are written, because some bound each other.
    default List<LimitWarning> apply(String path, List<LimitWrite> writes) throws KernelException {
        if (writes.isEmpty()) {
            return List.of();
        }
        var warnings = new ArrayList<LimitWarning>();
        var refused = new ArrayList<LimitWrite>();
        for (var write : writes) {
            var hierarchy = hierarchyOf(write.controller());
            int errno = hierarchy.isEmpty() ? Errno.ENOENT
                    : hierarchy.get().tryWrite(path, write.file(), write.value());
            switch (errno) {
                case 0 -> { }
                case Errno.ENOENT, Errno.EOPNOTSUPP, Errno.ENODEV -> warnings.add(write.warning());
                case Errno.EINVAL -> refused.add(write);
                default -> throw failure(path, write, errno);
            }
        }
        for (var write : refused) {
            int errno = hierarchyOf(write.controller()).orElseThrow().tryWrite(path, write.file(), write.value());
            if (errno != 0) {
                throw failure(path, write, errno);
            }
        }
        return warnings;
    }

    private static KernelException failure(String path, LimitWrite write, int errno) {
        return new KernelException("write", write.file() + " of cgroup /" + path + " \"" + write.value() + "\"", errno);
    }
}
