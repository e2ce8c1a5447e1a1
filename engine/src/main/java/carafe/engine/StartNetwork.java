package carafe.engine;

import carafe.network.Fabric;
import carafe.runtime.ContainerRuntime;
import carafe.runtime.HeldNamespaces;
import carafe.runtime.StartFailure;
import carafe.spec.EngineException;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What a start needs of the container's network: the namespace to join (empty: its own new one, or the host's) and the
/// lines of /etc/hosts that tell its own addresses. The network itself becomes ready meanwhile ([#await]). Holds namespaces
/// that nobody else knows until it is closed, which waits for that too.
record StartNetwork(String namespace, EtcFiles.Known known, Optional<Fabric.Spare> spare, Optional<HeldNamespaces> held,
        Optional<Becoming> becoming) implements ContainerRuntime.Rest<EngineException>, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(StartNetwork.class);

    /// A container on its way into its networks, and who completes that.
    record Becoming(Fabric.Opening opening, Beside completion) {}

    /// What a start does with its network.
    interface Work<T> {
        T run() throws StartFailure, EngineException;
    }

    /// The user namespace to be born in; `""` for the host's.
    String users() {
        return held.map(HeldNamespaces::users).orElse("");
    }

    /// Waits until the network is ready for the container's first process.
    @Override
    public void await() throws EngineException {
        if (becoming.isPresent()) {
            becoming.get().completion.await();
        }
    }

    @Override
    public void underway() {
        becoming.ifPresent(one -> one.opening.settle());
    }

    /// Does `work`. If that fails and the network could not be made either, the network is what people hear of: its namespace
    /// is gone then, and whatever needed that has failed for it.
    <T> T during(Work<T> work) throws StartFailure, EngineException {
        try {
            return work.run();
        } catch (StartFailure | EngineException e) {
            try {
                await();
            } catch (EngineException cause) {
                if (cause != e) {
                    LOG.debug("a start without a network failed so", e);
                }
                throw cause;
            }
            throw e;
        }
    }

    @Override
    public void close() {
        try {
            await();
        } catch (EngineException e) {
            LOG.debug("a network that could not be made, of a start that failed or is told so", e);
        } finally {
            underway(); // also of a start that failed
            spare.ifPresent(Fabric.Spare::close);
            held.ifPresent(HeldNamespaces::close);
        }
    }
}
