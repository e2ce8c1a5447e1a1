package carafe.network;

import carafe.spec.EngineException;
import carafe.spec.network.Cidr;
import java.util.List;

/// The packet filter as networks need it: which bridges there are and what may pass them. Rules are state that is
/// asserted: `admit` of a known network replaces what was there.
public interface Firewall {

    /// What a bridge needs: nothing passes between two bridges; `internal` ones reach nothing but themselves; without
    /// `peers` their containers do not reach each other; packets of `ranges` that leave by another link carry the host's
    /// address where `masquerade` is set and the family's gateway mode is one of the two NAT modes.
    record BridgeRules(
            String networkId, String link, List<Cidr> ranges, boolean internal, LinkOptions options) {
        public BridgeRules {
            ranges = List.copyOf(ranges);
        }
    }

    /// No packet filter: nothing is translated and nothing isolated. For hosts without nftables.
    Firewall NONE = new Firewall() {
        @Override
        public void admit(BridgeRules rules) {}

        @Override
        public void dismiss(String networkId) {}

        @Override
        public void retain(List<String> networkIds) {}
    };

    /// The rules of this network are these from now on; returns when they hold.
    void admit(BridgeRules rules) throws EngineException;

    /// The network has no rules any more.
    void dismiss(String networkId) throws EngineException;

    /// Drops what belongs to networks not among `networkIds`: after a restart.
    void retain(List<String> networkIds) throws EngineException;
}
