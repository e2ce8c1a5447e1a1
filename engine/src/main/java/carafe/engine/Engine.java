package carafe.engine;

import carafe.engine.store.Database;
import carafe.image.Images;
import carafe.runtime.ContainerRuntime;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import java.time.Clock;

/// The engine as doors see it. Open it once per data root; closing leaves containers running.
public interface Engine extends AutoCloseable {

    Containers containers();

    Execs execs();

    Events events();

    ImageCatalog images();

    Host host();

    Builds builds();

    /// Stops accepting work, lets what is under way end, and closes the database. Containers go on, as they do when the
    /// daemon is killed: unlike Docker's default, always.
    @Override
    void close();

    /// What an engine stands on. It does not close them.
    record Parts(ContainerRuntime runtime, Images images, Failpoints failpoints, Clock clock) {}

    /// Begins, in the background, to load what [#open] needs; worth calling before the parts are made.
    static void preload(EngineConfig config) {
        Database.preload(new Layout(config.dataRoot(), config.runRoot()).database());
    }

    /// Opens the engine on its roots: reads the database, takes over the containers that run, settles those that ended
    /// meanwhile and sweeps what a crash left.
    static Engine open(EngineConfig config, Parts parts) throws EngineException {
        return LocalEngine.open(config, parts);
    }
}
