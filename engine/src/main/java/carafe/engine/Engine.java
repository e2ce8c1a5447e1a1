package carafe.engine;

/// The engine as doors see it. Open it once per data root; closing leaves containers running.
public interface Engine extends AutoCloseable {

    Containers containers();

    Execs execs();

    Events events();

    ImageCatalog images();

    Host host();

    /// Stops accepting work, lets what is under way end, and releases the data root. Containers go on.
    @Override
    void close();
}
