package carafe.network.port;

import carafe.kernel.Errno;
import carafe.kernel.KernelException;
import carafe.kernel.LinkInfo;
import carafe.kernel.NetRequest;
import carafe.kernel.Netlink;
import carafe.kernel.NftSet;
import carafe.kernel.NftTransaction;
import carafe.kernel.Nftables;
import carafe.spec.EngineException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;

/// Tables of other engines of this host. One that runs holds its ports with sockets; of one that was killed the table goes
/// on leading packets away from whoever has the port next, who sees nothing of it. Such a table is removed when its engine
/// cannot come back and nobody is behind it; otherwise whoever asks for one of its ports is told whose it is.
///
/// An engine that comes back all the same makes its table anew when it starts, so a removal too many costs nothing that
/// was of use: no container of it ran. The kernel is asked each time; this object remembers nothing but who does not answer.
final class OtherTables {

    private static final System.Logger LOG = System.getLogger("carafe.network");
    private static final String PREFIX = "carafe-";

    private final String own;
    private final Optional<TableOwner> mine;
    private final Nftables nftables;
    private final Netlink links;
    private final Looks looks = new Looks();

    /// All but the table `own`, which belongs to `mine`.
    OtherTables(String own, Optional<TableOwner> mine, Nftables nftables, Netlink links) {
        this.own = own;
        this.mine = mine;
        this.nftables = nftables;
        this.links = links;
    }

    private record Other(String name, Optional<TableOwner> owner) {}

    private List<Other> others() throws KernelException {
        return nftables.tables().stream()
                .filter(table -> table.name().startsWith(PREFIX) && !table.name().equals(own))
                .map(table -> new Other(table.name(), TableOwner.parse(table.comment())))
                .toList();
    }

    /// Removes the tables of engines that cannot come back. What fails is told in the log and is for the next time.
    void sweep() {
        try {
            for (var other : others()) {
                sweep(other);
            }
        } catch (KernelException e) {
            LOG.log(System.Logger.Level.WARNING, "tables of other engines cannot be looked at: " + e.getMessage());
        }
    }

    private void sweep(Other other) {
        try {
            removeIfOrphaned(other);
        } catch (KernelException e) {
            LOG.log(System.Logger.Level.WARNING, "the table " + other.name + " of another engine is left as it is: "
                    + e.getMessage());
        }
    }

    private boolean removeIfOrphaned(Other other) throws KernelException {
        var owner = other.owner();
        if (owner.isEmpty() || owner.get().isRunning() || !owner.get().isGone(mine, looks) || isUsed(other)) {
            return false;
        }
        var translators = names(other, Ruleset.TRANSLATORS);
        nftables.apply(new NftTransaction(other.name()).delete());
        LOG.log(System.Logger.Level.INFO, "removed the table " + other.name() + " of an engine that was killed and whose data"
                + " root " + owner.get().dataRoot() + " is no more");
        for (var link : links.links()) {
            if (translators.contains(link.name()) && Translator.isOne(link)) {
                deleteLink(link.name()); // the other end goes with it
                break;
            }
        }
        return true;
    }

    private void deleteLink(String name) throws KernelException {
        try {
            links.perform(NetRequest.deleteLink(name));
        } catch (KernelException e) {
            if (!e.is(Errno.ENODEV)) { // somebody else swept it at the same moment
                throw e;
            }
        }
    }

    /// Whether a container is still connected to one of its bridges.
    private boolean isUsed(Other other) throws KernelException {
        var bridges = names(other, Ruleset.BRIDGES);
        var all = links.links();
        var indexes = new HashSet<Integer>();
        all.stream().filter(link -> bridges.contains(link.name())).map(LinkInfo::index).forEach(indexes::add);
        return all.stream().anyMatch(link -> indexes.contains(link.master()));
    }

    private List<String> names(Other other, NftSet set) throws KernelException {
        return nftables.keys(other.name(), set).stream()
                .map(key -> new String(key.getFirst(), StandardCharsets.UTF_8).replace("\0", ""))
                .toList();
    }

    /// Says whose the port is if the table of an engine that does not run leads it away.
    Optional<String> holder(PortBinding wanted) throws EngineException {
        try {
            for (var other : others()) {
                boolean runs = other.owner().isPresent() && other.owner().get().isRunning();
                if (!runs && publishes(other, wanted) && !removeIfOrphaned(other)) {
                    return Optional.of("it is published by another engine ("
                            + other.owner().map(owner -> "data root " + owner.dataRoot()).orElse("of which nothing is known")
                            + "), which "
                            + (other.owner().isPresent() ? "does not run" : "seems not to run")
                            + "; start that engine and remove the container, or, if the engine is not to come back:"
                            + " nft delete table inet " + other.name());
                }
            }
            return Optional.empty();
        } catch (KernelException e) {
            throw new EngineException.Internal("whether another engine publishes port " + wanted.hostPort()
                    + " cannot be looked at: " + e.getMessage(), e);
        }
    }

    private boolean publishes(Other other, PortBinding wanted) throws KernelException {
        var sets = Ruleset.Sets.of(wanted.address().six());
        return nftables.keys(other.name(), sets.everywhere).stream()
                        .anyMatch(key -> isPort(key.getFirst(), key.getLast(), wanted))
                || nftables.keys(other.name(), sets.published).stream()
                        .anyMatch(key -> isPort(key.getFirst(), key.getLast(), wanted)
                                && (wanted.address().isUnspecified()
                                        || Arrays.equals(wanted.address().bytes(), key.get(1))));
    }

    private static boolean isPort(byte[] protocol, byte[] port, PortBinding wanted) {
        return Byte.toUnsignedInt(protocol[0]) == wanted.protocol().number()
                && Short.toUnsignedInt(ByteBuffer.wrap(port).getShort()) == wanted.hostPort();
    }
}
