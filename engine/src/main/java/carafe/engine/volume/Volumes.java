package carafe.engine.volume;

import carafe.spec.EngineException;
import carafe.spec.docker.Filters;
import carafe.spec.tar.SentTar;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;

/// All volumes of the engine, for doors. Calls block on disk.
public interface Volumes {

    /// Makes a volume, or finds the one of that name.
    Volume create(VolumeRequest request) throws EngineException;

    /// The volume of this name.
    /// @throws EngineException.NotFound `get NAME: no such volume`
    Volume inspect(String name) throws EngineException;

    /// Those that `filters` (dangling, driver, label, name) allow, by name.
    List<Volume> list(Filters filters) throws EngineException;

    /// Removes a volume with its content; `force` finds nothing wrong with one that is not there.
    /// @throws EngineException.Conflict a container names it
    void remove(String name, boolean force) throws EngineException;

    /// Removes the anonymous volumes that no container names, and with the filter `all` the named ones too.
    Removed prune(Filters filters) throws EngineException;

    /// All volumes with their users and sizes.
    List<VolumeUsage> usage() throws EngineException;

    /// Gives a volume that no container names another name.
    void rename(String name, String next) throws EngineException;

    /// Makes a new volume with the content, labels and options of another.
    Volume duplicate(String name, String next) throws EngineException;

    /// Writes the content as a tar.
    void pack(String name, OutputStream out) throws EngineException, IOException;

    /// Makes the new volume `name`, with a `size` among its options if it shall have a limit, of the content of a tar,
    /// plain or compressed. Ends when it is abandoned.
    Volume unpack(String name, Map<String, String> options, SentTar archive) throws EngineException;
}
