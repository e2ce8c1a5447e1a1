package carafe.runtime;

/// The namespaces of a container that runs, to be shared; proven to be its own. See [HeldNamespaces].
public interface SharedNamespaces extends HeldNamespaces {

    /// The pid namespace.
    String processes();

    /// The ipc namespace.
    String ipc();

    /// Whether the user namespace is the very one that `other` has.
    boolean hasUsersOf(SharedNamespaces other);
}
