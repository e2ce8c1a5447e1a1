package carafe.network.port;

/// In which families the networks of a container have addresses, and whether its address of IPv4 may be reached by IPv6
/// clients through the translator: not where packets come to it as they are (a routed network).
public record Families(boolean four, boolean six, boolean translatable) {

    /// Nothing is known of any address.
    public static final Families NONE = new Families(false, false, false);
}
