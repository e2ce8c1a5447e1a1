package carafe.engine;

import carafe.spec.EngineException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// What this engine is and stands on; fixed at start but for the counts.
public interface Host {

    /// Facts of the machine.
    Machine machine();

    /// How many containers are in which state, and how many images there are. Never blocks.
    Counts counts();

    /// The engine's id (a UUID kept in the data root).
    String engineId();

    /// Where all state is kept.
    Path dataRoot();

    /// What this host cannot do, in sentences for people.
    List<String> warnings();

    /// Looks whether what the engine has on this host beside images is there as it should be, and with `repair` puts right
    /// what is not; with `takeVolumes` the directory of volumes that is there is the one that is meant from now on, though the
    /// disk of volumes may only not be mounted. What cannot be looked at or put right is among the answers. Blocks on disk and
    /// kernel.
    List<HostFault> check(boolean repair, boolean takeVolumes);

    /// Names of the kernel: `kernelVersion`, `architecture` as uname prints them, the distribution's name, processors
    /// and memory; `cgroupVersion` is `1` or `2`.
    record Machine(String hostName, String kernelVersion, String architecture, String operatingSystem,
            String operatingSystemVersion, int processors, long memoryBytes, String cgroupVersion,
            Map<String, Boolean> abilities, List<String> securityOptions) {
        public Machine {
            abilities = Map.copyOf(abilities);
            securityOptions = List.copyOf(securityOptions);
        }
    }

    /// Counts for `info`.
    record Counts(int containers, int running, int paused, int stopped, int images) {}
}
