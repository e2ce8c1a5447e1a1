package carafe.kernel;

import java.util.List;
import java.util.Optional;

/// The descriptors by which a process gets into a cgroup. On v1 it writes `0` into each of `tasks` (opened for writing,
/// one per hierarchy); on v2 `directory` is what clone3's CLONE_INTO_CGROUP takes. Exactly one of both is there.
///
/// Not `cgroup.procs`: a write there moves whole processes and waits for an RCU grace period (5 to 17 ms on the measuring
/// machine), while a thread that moves only itself needs no lock that readers hold (cgroup_procs_write_start in
/// kernel/cgroup/cgroup.c, since 5.15). The child of a clone has one thread, so moving it moves the process.
public record CgroupEntrance(List<Fd> tasks, Optional<Fd> directory) implements AutoCloseable {

    public CgroupEntrance {
        tasks = List.copyOf(tasks);
        if (tasks.isEmpty() == directory.isEmpty()) {
            throw new IllegalArgumentException("either tasks files or one directory");
        }
    }

    @Override
    public void close() {
        tasks.forEach(Fd::close);
        directory.ifPresent(Fd::close);
    }
}
