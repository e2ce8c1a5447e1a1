package carafe.engine;

import carafe.files.ContainerFiles;
import carafe.files.HeldPath;
import carafe.spec.EngineException;
import carafe.spec.docker.MountRequest;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;

/// The sources of a container's binds that are given to its user (`:U`), opened once for one start: what is given away is
/// what is mounted, whoever swaps the name meanwhile.
final class HeldSources implements AutoCloseable {
    private final ContainerSnapshot container;
    private final Deque<HeldPath> held;

    private HeldSources(ContainerSnapshot container, Deque<HeldPath> held) {
        this.container = container;
        this.held = held;
    }

    /// The caller closes it when the container's mounts are made, or will not be.
    static HeldSources open(ContainerSnapshot container, ContainerFiles files) throws EngineException {
        var held = new ArrayDeque<HeldPath>();
        var mounts = new ArrayList<MountRequest>();
        boolean complete = false;
        try {
            for (var mount : container.host().files().mounts()) {
                if (mount instanceof MountRequest.Bind bind && bind.own()) {
                    var source = files.hold(Path.of(bind.source()));
                    held.push(source);
                    mounts.add(bind.from(source.path().toString()));
                } else {
                    mounts.add(mount);
                }
            }
            complete = true;
        } finally {
            if (!complete) {
                held.forEach(HeldPath::close);
            }
        }
        return new HeldSources(
                held.isEmpty() ? container : container.with(container.host().withMounts(mounts)), held);
    }

    /// The container, whose binds lead to what is held. For this start only: no row has it.
    ContainerSnapshot container() {
        return container;
    }

    @Override
    public void close() {
        held.forEach(HeldPath::close);
    }
}
