package carafe.runtime;

/// A copy of a container's mount that is attached nowhere, to be mounted by another: a bind mount from [#path] with the
/// option [#OPTION]. It stays while this is open or it is mounted.
public interface HeldMount extends AutoCloseable {

    /// Says of a bind mount that its source is such a copy, which is mounted itself.
    String OPTION = "X-carafe.detached";

    /// What leads this process there until [#close].
    String path();

    @Override
    void close();
}
