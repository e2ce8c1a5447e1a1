package carafe.kernel;

import java.util.Optional;

/// What to change at a mount: `MOUNT_ATTR_*` bits to set and to clear, the propagation to give it (empty: as it is).
/// Source: mount_setattr(2).
public record MountChange(int set, int clear, Optional<Propagation> propagation) {

    /// How mount events travel from and to a mount; mount_namespaces(7).
    public enum Propagation {
        PRIVATE(Linux.MS_PRIVATE),
        SLAVE(Linux.MS_SLAVE),
        SHARED(Linux.MS_SHARED),
        UNBINDABLE(Linux.MS_UNBINDABLE);

        private final int flag;

        Propagation(int flag) {
            this.flag = flag;
        }

        /// The `MS_*` flag.
        public int flag() {
            return flag;
        }
    }

    /// Sets `attributes`, clears none.
    public static MountChange setting(int attributes) {
        return new MountChange(attributes, 0, Optional.empty());
    }

    /// Changes only the propagation.
    public static MountChange to(Propagation propagation) {
        return new MountChange(0, 0, Optional.of(propagation));
    }
}
