package carafe.files;

import carafe.kernel.Descriptors;
import carafe.kernel.Fd;
import carafe.kernel.KernelException;
import carafe.kernel.Linux;
import carafe.kernel.ProjectQuotas;
import carafe.spec.EngineException;
import java.nio.file.Path;

/// Limits by the kernel's project quotas. Where the root itself belongs to a project of the host's, whose limit is for
/// all that lies there, directories are not taken out of it: there are no limits then.
final class LinuxQuotas implements DirectoryQuotas {

    private final Path root;

    LinuxQuotas(Path root) {
        this.root = root;
    }

    private interface Question<T> {
        T ask(Fd directory) throws KernelException;
    }

    private static <T> T on(Path directory, String doing, Question<T> question) throws EngineException {
        try (var fd = Descriptors.open(directory, Linux.O_RDONLY | Linux.O_DIRECTORY, 0)) {
            return question.ask(fd);
        } catch (KernelException e) {
            throw Trouble.of(doing + " " + directory, e);
        }
    }

    @Override
    public boolean enforced() throws EngineException {
        return on(root, "cannot look for quotas in", fd -> ProjectQuotas.enforced(fd) && ProjectQuotas.project(fd) == 0);
    }

    @Override
    public String advice() {
        int project = hostsProject();
        if (project != 0) {
            return root + " has project " + Integer.toUnsignedString(project) + " of the host's already, whose limit is for"
                    + " all that lies there, and a directory can have one only: take it out of that project while no engine"
                    + " runs (chattr -R -p 0, or xfs_quota -x -c 'project -C'), or give the engine a data root elsewhere";
        }
        return "the file system of " + root + " keeps no project quotas: mount XFS with the option pquota; give ext4 the"
                + " features quota and project while it is not mounted (tune2fs -O quota,project) and mount it with"
                + " prjquota";
    }

    /// The project that the root has where projects are limited; 0 is none.
    private int hostsProject() {
        try {
            return on(root, "cannot look for quotas in", fd -> ProjectQuotas.enforced(fd) ? ProjectQuotas.project(fd) : 0);
        } catch (EngineException unknown) {
            return 0;
        }
    }

    @Override
    public Usage usage(int project) throws EngineException {
        return on(root, "cannot read the quota in", fd -> {
            var usage = ProjectQuotas.usage(fd, project);
            return new Usage(usage.bytes(), usage.inodes(), usage.limitBytes());
        });
    }

    @Override
    public void limit(int project, long bytes) throws EngineException {
        on(root, "cannot set the quota in", fd -> {
            ProjectQuotas.limit(fd, project, bytes);
            return bytes;
        });
    }

    @Override
    public int project(Path directory) throws EngineException {
        return on(directory, "cannot read the project of", ProjectQuotas::project);
    }

    @Override
    public void assign(Path directory, int project) throws EngineException {
        on(directory, "cannot set the project of", fd -> {
            ProjectQuotas.assign(fd, project);
            return project;
        });
    }
}
