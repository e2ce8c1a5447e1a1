package carafe.engine;

import carafe.network.Fabric;
import carafe.network.Network;
import carafe.spec.EngineException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The default bridge: made with the engine's start and, where that failed, tried again by each start of a container that
/// is to be in it. Without it containers can still run, in other networks: it keeps no engine from starting. `making`
/// makes one attempt at a time.
final class DefaultBridge {
    private static final Logger LOG = LoggerFactory.getLogger(DefaultBridge.class);

    private final Book book;
    private final NetworkBook networks;
    private final Fabric fabric;
    private final ReentrantLock making = new ReentrantLock();
    private volatile Optional<String> trouble = Optional.empty();

    DefaultBridge(Book book, NetworkBook networks, Fabric fabric) {
        this.book = book;
        this.networks = networks;
        this.fabric = fabric;
    }

    /// At the engine's start. Answers all networks that are to be; one that could not be made now may be later, one in the
    /// way of others not.
    List<Network> open(Set<String> running) throws EngineException {
        try {
            make(running);
        } catch (EngineException.Conflict e) {
            failed(e);
            return others();
        } catch (EngineException.Internal | EngineException.Unavailable e) {
            failed(e);
        }
        return networks.real();
    }

    /// At the engine's start, with all other networks there: what only a moment was in the way of is made.
    void settle(Set<String> running) {
        try {
            demand(running);
        } catch (EngineException e) {
            LOG.warn("{}", trouble().orElse(""));
        }
    }

    private void make(Set<String> running) throws EngineException {
        var known = networks.named(Network.DEFAULT);
        var made = fabric.createDefault(known, others(), running);
        if (made.isEmpty() && known.isPresent()) {
            networks.erase(known.get());
        } else if (made.isPresent() && !made.equals(known)) {
            networks.save(made.get());
        }
        trouble = Optional.empty();
    }

    private List<Network> others() {
        return networks.real().stream().filter(network -> !network.name().equals(Network.DEFAULT)).toList();
    }

    private void failed(EngineException e) {
        trouble = Optional.of("the default bridge could not be made: " + e.getMessage());
    }

    /// Whether containers that name no network are to be in it, be it there or not.
    boolean isMeant() {
        return trouble.isPresent() || networks.named(Network.DEFAULT).isPresent();
    }

    /// Why it is not there, if it is to be: a sentence.
    Optional<String> trouble() {
        return trouble;
    }

    /// Makes it if it could not be made before, for somebody who is to be in it.
    /// @throws EngineException.Unavailable it still cannot be
    void demand() throws EngineException.Unavailable {
        demand(book.all().stream().map(Container::snapshot).filter(container -> container.state().alive())
                .map(ContainerSnapshot::id).collect(Collectors.toSet()));
    }

    private void demand(Set<String> running) throws EngineException.Unavailable {
        if (trouble.isEmpty()) {
            return;
        }
        making.lock();
        try {
            if (trouble.isPresent()) {
                make(running);
                LOG.info("the default bridge is there");
            }
        } catch (EngineException e) {
            failed(e);
            throw new EngineException.Unavailable(trouble().orElse("") + "; \"docker network create\" makes another network"
                    + " to be in, and --network none needs none", e);
        } finally {
            making.unlock();
        }
    }
}
