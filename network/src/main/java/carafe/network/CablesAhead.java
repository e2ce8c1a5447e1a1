package carafe.network;

import carafe.kernel.Errno;
import carafe.kernel.KernelException;
import carafe.kernel.LinkEnd;
import carafe.kernel.NetNamespace;
import carafe.kernel.NetRequest;
import carafe.kernel.Netlink;
import java.util.List;
import java.util.Optional;

/// Pairs of links made before anybody wants them, through a socket of their own: a start waits behind them only where the
/// kernel makes it. Named as all host ends are, so what a crash leaves is found by the next start.
final class CablesAhead implements NamespacePool.Pairs {

    /// The inner end, until its use gives it a name.
    private static final String INSIDE = "eth0";

    private final Netlink host;
    private final Marks marks;
    private final Graveyard graveyard;

    /// `host` is adopted.
    CablesAhead(Netlink host, Marks marks, Graveyard graveyard) {
        this.host = host;
        this.marks = marks;
        this.graveyard = graveyard;
    }

    @Override
    public NamespacePool.Cable lay(NetNamespace namespace) throws KernelException {
        String hostLink = marks.hostLink();
        var outcomes = pair(hostLink, namespace);
        while (outcomes.getFirst().filter(refused -> refused.is(Errno.EEXIST)).isPresent()) { // another has the name
            hostLink = marks.hostLink();
            outcomes = pair(hostLink, namespace);
        }
        if (outcomes.getFirst().isPresent()) {
            throw outcomes.getFirst().get();
        }
        Cables.silent(outcomes.getLast());
        return new NamespacePool.Cable(hostLink, namespace.netlink().link(INSIDE).orElseThrow(
                () -> new KernelException("netlink", INSIDE, Errno.ENODEV, "it vanished while it was made")).index());
    }

    private List<Optional<KernelException>> pair(String hostLink, NetNamespace namespace) throws KernelException {
        return host.attempt(List.of(
                NetRequest.addVeth(LinkEnd.named(hostLink), LinkEnd.named(INSIDE).in(namespace.handle())),
                NetRequest.quiet(hostLink)));
    }

    @Override
    public void bury(String hostLink) {
        graveyard.bury(List.of(hostLink), List.of());
    }

    @Override
    public void close() {
        host.close();
    }
}
