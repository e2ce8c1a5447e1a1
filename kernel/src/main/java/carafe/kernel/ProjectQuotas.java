package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;

/// Quotas by project: a number that a directory gives to all that is made below it, and a limit on the bytes of all
/// files with that number. ext4 and XFS have them; both answer the same calls. Blocks: as long as the disk may take.
/// Source: quotactl(2), quotactl_fd(2) (Linux 5.14), ioctl_xfs_fsgetxattr(2).
public final class ProjectQuotas {

    /// Limits are counted in units of 1024 bytes (QIF_DQBLKSIZE).
    private static final long UNIT_BYTES = 1024;
    private static final long DQBLK_BYTES = 72;
    private static final long QSTAT_BYTES = 80;
    private static final long FSXATTR_BYTES = 28;

    private ProjectQuotas() {}

    /// What a project's files take on one filesystem, and may take at most; a limit of 0 is none.
    public record Usage(long bytes, long inodes, long limitBytes) {

        /// Whether nothing has this number and nothing is said of it.
        public boolean isUnused() {
            return inodes == 0 && bytes == 0 && limitBytes == 0;
        }
    }

    /// Whether the filesystem of `fd` holds projects to their limits: mounted with prjquota, by a kernel that can, and
    /// we may set them. What keeps it from it is no failure.
    public static boolean enforced(Fd fd) {
        try (var frame = new Frame()) {
            var state = frame.allocate(QSTAT_BYTES, 8);
            state.set(JAVA_BYTE, 0, (byte) 1); // FS_QSTAT_VERSION
            long rc = call(frame, fd, Linux.Q_XGETQSTAT, 0, state);
            return rc == 0 && (state.get(JAVA_SHORT, 2) & Linux.FS_QUOTA_PDQ_ENFD) != 0;
        }
    }

    /// What the files of `project` take on the filesystem of `fd`.
    /// @throws KernelException ESRCH no quotas there; ENOSYS the kernel has none
    public static Usage usage(Fd fd, int project) throws KernelException {
        try (var frame = new Frame()) {
            var block = frame.allocate(DQBLK_BYTES, 8);
            long rc = call(frame, fd, Linux.Q_GETQUOTA, project, block);
            if (rc == -Errno.ENOENT) { // XFS has never heard of it
                return new Usage(0, 0, 0);
            }
            Frame.checked(rc, Syscall.QUOTACTL_FD, fd.subject());
            return new Usage(block.get(JAVA_LONG, 16), block.get(JAVA_LONG, 40), block.get(JAVA_LONG, 0) * UNIT_BYTES);
        }
    }

    /// Sets what the files of `project` may take at most, rounded up to whole KiB (by XFS to its blocks); 0 is no
    /// limit.
    /// @throws KernelException ESRCH no quotas there; EPERM we may not
    public static void limit(Fd fd, int project, long bytes) throws KernelException {
        try (var frame = new Frame()) {
            var block = frame.allocate(DQBLK_BYTES, 8);
            block.set(JAVA_LONG, 0, bytes / UNIT_BYTES + (bytes % UNIT_BYTES == 0 ? 0 : 1));
            block.set(JAVA_INT, 64, Linux.QIF_BLIMITS);
            Frame.checked(call(frame, fd, Linux.Q_SETQUOTA, project, block), Syscall.QUOTACTL_FD, fd.subject());
        }
    }

    private static long call(Frame frame, Fd fd, int command, int project, MemorySegment data) {
        long all = (long) command << 8 | Linux.PRJQUOTA;
        return frame.attempt(Syscall.QUOTACTL_FD, fd.number(), all, Integer.toUnsignedLong(project), data.address());
    }

    /// The project of an inode; 0 is none, also where the filesystem knows no projects.
    public static int project(Fd fd) throws KernelException {
        try (var frame = new Frame()) {
            var attributes = frame.allocate(FSXATTR_BYTES, 8);
            long rc = frame.attempt(Syscall.IOCTL, fd.number(), Linux.FS_IOC_FSGETXATTR, attributes.address());
            if (rc == -Errno.ENOTTY || rc == -Errno.EOPNOTSUPP) {
                return 0;
            }
            Frame.checked(rc, Syscall.IOCTL, "FS_IOC_FSGETXATTR");
            return attributes.get(JAVA_INT, 12);
        }
    }

    /// Gives the directory to `project`, and all that will be made below it; what is there already stays as it is.
    /// @throws KernelException EOPNOTSUPP the filesystem has no projects; EINVAL not in the host's user namespace
    public static void assign(Fd directory, int project) throws KernelException {
        try (var frame = new Frame()) {
            var attributes = frame.allocate(FSXATTR_BYTES, 8);
            long rc = frame.attempt(Syscall.IOCTL, directory.number(), Linux.FS_IOC_FSGETXATTR, attributes.address());
            Frame.checked(rc, Syscall.IOCTL, "FS_IOC_FSGETXATTR");
            attributes.set(JAVA_INT, 0, attributes.get(JAVA_INT, 0) | Linux.FS_XFLAG_PROJINHERIT);
            attributes.set(JAVA_INT, 12, project);
            rc = frame.attempt(Syscall.IOCTL, directory.number(), Linux.FS_IOC_FSSETXATTR, attributes.address());
            Frame.checked(rc, Syscall.IOCTL, "FS_IOC_FSSETXATTR");
        }
    }
}
