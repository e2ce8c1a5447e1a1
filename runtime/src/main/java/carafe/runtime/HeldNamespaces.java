package carafe.runtime;

/// A user namespace and a network namespace, held by whom they are for: they stay while this is open or somebody is in
/// them, and the paths lead this process there until [#close].
public interface HeldNamespaces extends AutoCloseable {

    /// The user namespace.
    String users();

    /// The network namespace.
    String network();

    @Override
    void close();
}
