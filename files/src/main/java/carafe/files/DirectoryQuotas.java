package carafe.files;

import carafe.spec.EngineException;
import java.nio.file.Path;

/// Limits on what directories of one filesystem may hold. A directory belongs to a project, a number, and so does all
/// that is made below it; the limit is the project's. Who uses it chooses the numbers. A program without the right to
/// exceed limits (CAP_SYS_RESOURCE) is refused by the kernel; what the engine itself fills, [#exceeded] tells.
public interface DirectoryQuotas {

    /// What the files of a project take, how many they are, and what they may take; a limit of 0 is none.
    record Usage(long bytes, long files, long limitBytes) {}

    /// The limits of the filesystem that `root` is on, which must be there when they are asked for.
    static DirectoryQuotas of(Path root) {
        return new LinuxQuotas(root);
    }

    /// Whether limits would be kept now.
    boolean enforced() throws EngineException;

    /// What somebody may do so that they are: the end of a sentence.
    String advice();

    /// What the files of `project` take.
    Usage usage(int project) throws EngineException;

    /// Limits the files of `project`; 0 is no limit.
    void limit(int project, long bytes) throws EngineException;

    /// The project of a directory; 0 is none.
    int project(Path directory) throws EngineException;

    /// Gives the directory, which must be empty, to `project`.
    void assign(Path directory, int project) throws EngineException;

    /// Whether the files of `project` take more than they may, as those may that root writes.
    default boolean exceeded(int project) throws EngineException {
        var usage = usage(project);
        return usage.limitBytes() > 0 && usage.bytes() > usage.limitBytes();
    }
}
