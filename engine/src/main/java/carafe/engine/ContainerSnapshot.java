package carafe.engine;

import carafe.spec.docker.ContainerConfig;
import carafe.spec.docker.HostConfig;
import carafe.spec.docker.NetworkingConfig;
import java.time.Instant;
import java.util.List;

/// A container as it was at one moment: immutable, replaced as a whole at each change, safe to keep.
/// `name` has no slash; `config` already contains what the image adds; `command` is the words that run.
public record ContainerSnapshot(
        String id,
        String name,
        Instant created,
        Image image,
        List<String> command,
        ContainerConfig config,
        HostConfig host,
        NetworkingConfig networking,
        State state,
        Restarts restarts) {

    /// What it was made from: the reference as the client wrote it, the image's id (`sha256:…`), its platform.
    public record Image(String reference, String id, String os) {}

    /// How often the policy restarted it in a row, whether a user stopped it (`unless-stopped` obeys that), and whether a
    /// user is restarting it: then it is to run again whatever its policy is, by the next engine if not by this one.
    public record Restarts(int count, boolean stoppedByUser, boolean comingBack) {

        static final Restarts NONE = new Restarts(0, false, false);

        /// The same of one that a user ended, and is to start again if it is `comingBack`.
        Restarts ended(boolean comingBack) {
            return new Restarts(count, true, comingBack);
        }

        /// The same of one that was started since.
        Restarts started() {
            return comingBack ? NONE : new Restarts(count, false, false);
        }

        /// The same of one that nobody is restarting.
        Restarts staying() {
            return new Restarts(count, stoppedByUser, false);
        }
    }

    public ContainerSnapshot {
        command = List.copyOf(command);
    }

    /// This container in another state.
    ContainerSnapshot with(State next) {
        return new ContainerSnapshot(
                id, name, created, image, command, config, host, networking, next, restarts);
    }

    /// This container with another count of restarts.
    ContainerSnapshot with(Restarts next) {
        return new ContainerSnapshot(id, name, created, image, command, config, host, networking, state, next);
    }

    /// This container with another name.
    ContainerSnapshot named(String next) {
        return new ContainerSnapshot(id, next, created, image, command, config, host, networking, state, restarts);
    }

    /// This container in other networks.
    ContainerSnapshot with(NetworkingConfig next) {
        return new ContainerSnapshot(id, name, created, image, command, config, host, next, state, restarts);
    }

    /// This container with other limits.
    ContainerSnapshot with(HostConfig next) {
        return new ContainerSnapshot(id, name, created, image, command, config, next, networking, state, restarts);
    }
}
