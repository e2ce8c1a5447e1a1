package carafe.engine;

import carafe.network.Fabric;
import carafe.runtime.HeldNamespaces;
import carafe.spec.EngineException;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What a start needs of the container's network: the namespace to join (empty: its own new one, or the host's) and
/// the lines of /etc/hosts that tell its own addresses. The network itself becomes ready meanwhile ([#await]). Holds
/// namespaces that nobody else knows until it is closed, which waits for that too.
record NetworkAttachment(String namespace, EtcFiles.Known known, Optional<Fabric.Spare> spare,
        Optional<HeldNamespaces> held, Optional<Beside> becoming) implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NetworkAttachment.class);

    /// The user namespace to be born in; `""` for the host's.
    String users() {
        return held.map(HeldNamespaces::users).orElse("");
    }

    /// Waits until the network is ready for the container's first process.
    void await() throws EngineException {
        if (becoming.isPresent()) {
            becoming.get().await();
        }
    }

    @Override
    public void close() {
        try {
            await();
        } catch (EngineException e) {
            LOG.debug("a network that could not be made, of a start that failed or is told so", e);
        }
        spare.ifPresent(Fabric.Spare::close);
        held.ifPresent(HeldNamespaces::close);
    }
}
