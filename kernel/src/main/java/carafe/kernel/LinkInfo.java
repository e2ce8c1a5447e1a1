package carafe.kernel;

/// A link as the kernel tells of it: `kind` is empty for hardware, `master` the index of its bridge or 0, `peer` the
/// index of the other end or of the parent, which lies in another namespace if `leadsOut`. `isolated` ports of a bridge do
/// not reach each other.
public record LinkInfo(
        int index,
        String name,
        String kind,
        byte[] mac,
        int mtu,
        int master,
        int peer,
        boolean leadsOut,
        boolean up,
        boolean isolated,
        String alias,
        Traffic traffic) {

    /// What passed the link since it was made.
    public record Traffic(
            long rxBytes,
            long rxPackets,
            long rxErrors,
            long rxDropped,
            long txBytes,
            long txPackets,
            long txErrors,
            long txDropped) {}
}
