package carafe.network;

import carafe.kernel.LinkInfo;

/// What passed one interface since it was made, seen from inside the container.
public record Traffic(Flow in, Flow out) {

    /// One way.
    public record Flow(long bytes, long packets, long errors, long dropped) {}

    static Traffic of(LinkInfo.Traffic link) {
        return new Traffic(
                new Flow(link.rxBytes(), link.rxPackets(), link.rxErrors(), link.rxDropped()),
                new Flow(link.txBytes(), link.txPackets(), link.txErrors(), link.txDropped()));
    }
}
