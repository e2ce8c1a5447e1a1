package carafe.engine;

import java.util.List;
import java.util.Optional;

/// One line of a list of containers. `imageShown` is the reference, or the id once the reference means another image;
/// `status` is Docker's English (`Up 3 minutes`).
public record ContainerSummary(
        ContainerSnapshot container,
        String imageShown,
        String status,
        List<ContainerDetails.MountPoint> mounts,
        ContainerNetworks networks,
        Optional<ContainerDetails.Size> size) {
    public ContainerSummary {
        mounts = List.copyOf(mounts);
    }
}
