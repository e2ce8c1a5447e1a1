package carafe.kernel;

/// A route: packets for `destination`/`prefix` (no bytes: any) leave by the link with index `link` (0: whichever reaches
/// the gateway) to `gateway` (no bytes: directly). `table` is the kernel's number.
public record RouteInfo(boolean six, byte[] destination, int prefix, byte[] gateway, int link, int table) {

    /// The default route by that gateway.
    public static RouteInfo defaultBy(byte[] gateway, int link) {
        return new RouteInfo(gateway.length == 16, new byte[0], 0, gateway, link, Rtnetlink.RT_TABLE_MAIN);
    }

    /// A route without gateway.
    public static RouteInfo direct(byte[] destination, int prefix, int link) {
        return new RouteInfo(destination.length == 16, destination, prefix, new byte[0], link, Rtnetlink.RT_TABLE_MAIN);
    }

    /// Whether it leads everywhere.
    public boolean isDefault() {
        return prefix == 0;
    }

    /// Whether it is in the table that forwarding looks at, and not the one of the host's own addresses.
    public boolean isMain() {
        return table == Rtnetlink.RT_TABLE_MAIN;
    }
}
