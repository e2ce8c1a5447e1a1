package carafe.e2e;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.TestInstance;

/// What a user of the docker command relies on, asked of one engine through one client. A subclass names the two; the
/// engine is started once for all the questions and must leave nothing behind when it is stopped.
///
/// What is asked stands in the contracts by subject; each is held first against Docker's own engine
/// ([DockerWithDocker28Test]), which keeps the questions honest.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class DockerCommandContract {

    private final EngineUnderTest engine;
    private final Client client;

    DockerCommandContract(EngineUnderTest engine, Client client) {
        this.engine = engine;
        this.client = client;
    }

    final EngineUnderTest engine() {
        return engine;
    }

    final Client client() {
        return client;
    }

    @BeforeAll
    void start() throws Exception {
        engine.start();
        var archive = TestImages.dockerArchive(engine.directory());
        client.to(engine).and("load", "--input", archive.toString()).run().good();
    }

    @AfterAll
    void stop() throws Exception {
        engine.close();
    }

    @Nested
    final class Images extends ImageContract {
        Images() {
            super(DockerCommandContract.this);
        }
    }

    @Nested
    final class Running extends RunContract {
        Running() {
            super(DockerCommandContract.this);
        }
    }

    @Nested
    final class Builds extends BuildContract {
        Builds() {
            super(DockerCommandContract.this);
        }
    }

    @Nested
    final class Isolation extends IsolationContract {
        Isolation() {
            super(DockerCommandContract.this);
        }
    }

    @Nested
    final class Sharing extends SharingContract {
        Sharing() {
            super(DockerCommandContract.this);
        }
    }

    @Nested
    final class Networks extends NetworkContract {
        Networks() {
            super(DockerCommandContract.this);
        }
    }

    @Nested
    final class Limits extends LimitContract {
        Limits() {
            super(DockerCommandContract.this);
        }
    }

    @Nested
    final class Lifecycle extends LifecycleContract {
        Lifecycle() {
            super(DockerCommandContract.this);
        }
    }

    @Nested
    final class Listing extends ListingContract {
        Listing() {
            super(DockerCommandContract.this);
        }
    }

    @Nested
    final class Logs extends LogContract {
        Logs() {
            super(DockerCommandContract.this);
        }
    }

    @Nested
    final class Streams extends StreamContract {
        Streams() {
            super(DockerCommandContract.this);
        }
    }

    @Nested
    final class Terminals extends TerminalContract {
        Terminals() {
            super(DockerCommandContract.this);
        }
    }

    @Nested
    final class Exec extends ExecContract {
        Exec() {
            super(DockerCommandContract.this);
        }
    }

    @Nested
    final class Registries extends RegistryContract {
        Registries() {
            super(DockerCommandContract.this, DebianRegistry::open, DebianRegistry::closed);
        }
    }

    @Nested
    final class Hubs extends HubContract {
        Hubs() {
            super(DockerCommandContract.this);
        }
    }

    @Nested
    final class Daemon extends SystemContract {
        Daemon() {
            super(DockerCommandContract.this);
        }
    }

    @Nested
    final class Volumes extends VolumeContract {
        Volumes() {
            super(DockerCommandContract.this);
        }
    }

    @Nested
    final class Usage extends UsageContract {
        Usage() {
            super(DockerCommandContract.this);
        }
    }

    @Nested
    final class Mounts extends MountContract {
        Mounts() {
            super(DockerCommandContract.this);
        }
    }

    @Nested
    final class Copies extends CopyContract {
        Copies() {
            super(DockerCommandContract.this);
        }
    }
}
