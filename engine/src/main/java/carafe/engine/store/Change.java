package carafe.engine.store;

/// One durable change.
public sealed interface Change {

    /// A new row.
    record Insert(Row row) implements Change {}

    /// Another name, state, document or status for the row with this id.
    record Replace(Row row) implements Change {}

    /// Another state for the row with this id; its document stays.
    record SetStatus(String id, String state, String status) implements Change {}

    /// The row with this id goes.
    record Delete(String id) implements Change {}

    /// A network, new or changed.
    record PutNetwork(NetworkRow row) implements Change {}

    /// The network with this id goes.
    record DeleteNetwork(String id) implements Change {}

    /// A setting of the engine itself.
    record Put(String key, String value) implements Change {}

    /// A volume's row, new or replaced.
    record PutVolume(VolumeRow row) implements Change {}

    /// The row of the volume with this name goes.
    record DeleteVolume(String name) implements Change {}

    /// A project of the file system's quotas, new or of another owner.
    record PutProject(ProjectRow row) implements Change {}

    /// The project is nobody's any more.
    record DeleteProject(int project) implements Change {}
}
