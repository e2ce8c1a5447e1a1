package carafe.kernel;

import java.util.List;
import java.util.Optional;

/// The descriptors by which a process gets into a cgroup. On v1 it writes `0` into each of `procs` (opened for writing,
/// one per hierarchy); on v2 `directory` is what clone3's CLONE_INTO_CGROUP takes. Exactly one of both is there.
public record CgroupEntrance(List<Fd> procs, Optional<Fd> directory) implements AutoCloseable {

    public CgroupEntrance {
        procs = List.copyOf(procs);
        if (procs.isEmpty() == directory.isEmpty()) {
            throw new IllegalArgumentException("either cgroup.procs files or one directory");
        }
    }

    @Override
    public void close() {
        procs.forEach(Fd::close);
        directory.ifPresent(Fd::close);
    }
}
