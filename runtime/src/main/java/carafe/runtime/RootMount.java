package carafe.runtime;

import carafe.kernel.Descriptors;
import carafe.kernel.Fd;
import carafe.kernel.Linux;
import carafe.kernel.MountChange;
import carafe.kernel.MountChange.Propagation;
import carafe.kernel.Mounts;
import carafe.kernel.Overlay;
import carafe.spec.oci.RootfsPlan;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Optional;

/// Turns a plan of a root into a mount that only its descriptor reaches: for a start, and for whoever looks at the
/// files of a container that does not run.
public final class RootMount {

    private RootMount() {}

    /// The root as a detached mount, owned by the caller. Of one plan with a writable layer only one may be there at a
    /// time.
    public static Fd detached(RootfsPlan plan) throws IOException {
        return switch (plan) {
            case RootfsPlan.Directory(var path) -> {
                var copy = Mounts.cloneTree(path, true);
                try {
                    Mounts.change(copy, MountChange.to(Propagation.PRIVATE), true);
                } catch (IOException e) {
                    copy.close();
                    throw e;
                }
                yield copy;
            }
            case RootfsPlan.Overlay overlay -> overlay(overlay);
        };
    }

    private static Fd overlay(RootfsPlan.Overlay plan) throws IOException {
        var opened = new ArrayList<Fd>();
        try {
            for (Path directory : plan.lowers()) {
                opened.add(Descriptors.open(directory, Linux.O_PATH | Linux.O_DIRECTORY, 0));
            }
            var upper = Descriptors.open(plan.upper(), Linux.O_PATH | Linux.O_DIRECTORY, 0);
            opened.add(upper);
            var work = Descriptors.open(plan.work(), Linux.O_PATH | Linux.O_DIRECTORY, 0);
            opened.add(work);
            return new Overlay(
                    opened.subList(0, plan.lowers().size()), Optional.of(new Overlay.Upper(upper, work)), false)
                    .mount(0);
        } finally {
            opened.forEach(Fd::close);
        }
    }
}
