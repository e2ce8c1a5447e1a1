package carafe.engine;

import carafe.engine.store.Database;
import carafe.engine.transfer.ImageTransfers;
import carafe.engine.volume.Volumes;
import carafe.files.ContainerFiles;
import carafe.files.DirectoryQuotas;
import carafe.files.VolumeDirectories;
import carafe.image.Images;
import carafe.network.Fabric;
import carafe.registry.Registries;
import carafe.runtime.ContainerRuntime;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import java.time.Clock;

/// The engine as doors see it. Open it once per data root; closing leaves containers running.
public interface Engine extends AutoCloseable {

    Containers containers();

    Execs execs();

    Events events();

    Networks networks();

    ImageCatalog images();

    ImageTransfers transfers();

    Host host();

    Volumes volumes();

    Builds builds();

    /// Stops accepting work, lets what is under way end, and closes the database. Containers go on, as they do when the
    /// daemon is killed: unlike Docker's default, always.
    @Override
    void close();

    /// What an engine stands on. It does not close them.
    record Parts(ContainerRuntime runtime, Images images, Storage storage, Remote remote, Fabrics fabrics,
            Failpoints failpoints, Clock clock) {}

    /// The registries the engine may talk to, and how much at a time.
    record Remote(Registries registries, ImageTransfers.Limits limits) {}

    /// Opens the networks of the engine with this id; the engine closes them.
    @FunctionalInterface
    interface Fabrics {
        Fabric open(String engineId) throws EngineException;

        /// What listens to the fabric that was opened last; the engine closes it too.
        default Outlets outlets() {
            return Outlets.NONE;
        }
    }

    /// Where files are that belong to no image: what is inside containers, and what volumes keep.
    record Storage(ContainerFiles files, VolumeDirectories volumes, Quotas quotas) {}

    /// Limits of sizes, where volumes lie and where what containers write.
    record Quotas(DirectoryQuotas volumes, DirectoryQuotas layers) {}

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
