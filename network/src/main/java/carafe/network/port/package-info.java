/// Published ports and the rules around bridges: one nftables table per engine, its maps the ports.
/// Entry: [PortFilter] (the rules, as state that is asserted), [PublishedPorts] (who has which port of the host).
/// Never knows: containers (only ids and names for messages), Docker's messages, how links are made.
/// Threads: any; changes are made one after the other and take well under a millisecond. One platform thread hears of
/// changes that others make to our table. Spec: nft(8), docs/adr/0021-nftables-by-netlink.md.
@NullMarked
package carafe.network.port;

import org.jspecify.annotations.NullMarked;
