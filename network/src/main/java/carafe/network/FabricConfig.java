package carafe.network;

import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What the networks of one engine are told once. `engineId` marks links so that two engines of a host do not take each
/// other's for their own; its run directory is emptied by a reboot, as links are; `forward` lets the engine switch packet
/// forwarding on, without which no container reaches anything. `place` tells people which engine a bridge belongs to, and
/// `lock` is a file that all engines of the host share, so that two never choose the same range at the same moment.
public record FabricConfig(
        String engineId,
        Place place,
        DefaultBridge bridge,
        List<PoolRule> pools,
        boolean forward) {

    /// Where an engine keeps what; `name` is for people.
    public record Place(String name, Path runDirectory, Path lock) {}


    public FabricConfig {
        pools = List.copyOf(pools);
    }

    /// Ranges to choose from: all of size `/size` in `base`, in order.
    public record PoolRule(Cidr base, int size) {
        public PoolRule {
            if (size < base.prefix() || size > base.base().bits()) {
                throw new IllegalArgumentException("pools of /" + size + " do not fit into " + base);
            }
        }
    }

    /// The network that containers join which name none. `enabled` is false with `bridge: none`,
    /// `link` names a bridge to use. `four` is the bridge's
    /// own address with its range (bip), chosen where absent; `fixedFour` the part that containers get theirs from; `six`
    /// and `fixedSix` the same for IPv6, where `fixedSix` alone is the bridge's range;
    /// `gateways` are who they reach everything else by, the bridge itself where absent.
    public record DefaultBridge(
            boolean enabled,
            Optional<String> link,
            Optional<Cidr.Host> four,
            Optional<Cidr> fixedFour,
            boolean ipv6,
            Optional<Cidr.Host> six,
            Optional<Cidr> fixedSix,
            int mtu,
            boolean peers,
            boolean masquerade,
            Optional<IpAddress> bindAddress,
            Gateways gateways) {

        /// Its link's name unless another is wanted, or another engine has it: then the next number.
        static final String LINK = "carafe";

        /// As it is when nobody says anything.
        public static final DefaultBridge USUAL = new DefaultBridge(
                true, Optional.empty(), Optional.empty(), Optional.empty(), false, Optional.empty(),
                Optional.empty(), 1500, true, true,
                Optional.empty(), Gateways.NONE);

        /// One for each family.
        public record Gateways(Optional<IpAddress> four, Optional<IpAddress> six) {
            /// The bridge itself.
            public static final Gateways NONE = new Gateways(Optional.empty(), Optional.empty());

            public Gateways {
                if (four.map(IpAddress::six).orElse(false) || !six.map(IpAddress::six).orElse(true)) {
                    throw new IllegalArgumentException("gateways of the wrong family: " + four + " " + six);
                }
            }
        }
    }

    /// Where ranges come from when nothing is configured: more than a thousand networks, of a size that a bridge can
    /// fill (it has 1023 ports). Docker's own pools hold 31.
    public static List<PoolRule> usualPools() {
        return List.of(
                new PoolRule(new Cidr(IpAddress.four(0xac100000L), 12), 22),
                new PoolRule(new Cidr(IpAddress.four(0xc0a80000L), 16), 24));
    }
}
