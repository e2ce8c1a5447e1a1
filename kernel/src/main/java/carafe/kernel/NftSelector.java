package carafe.kernel;

/// What of a packet a statement looks at.
public enum NftSelector {
    IN_NAME(NftType.IFNAME, "iifname"),
    OUT_NAME(NftType.IFNAME, "oifname"),
    PROTOCOL(NftType.INET_PROTO, "meta l4proto"),
    SOURCE4(NftType.IPV4_ADDR, "ip saddr"),
    DESTINATION4(NftType.IPV4_ADDR, "ip daddr"),
    SOURCE6(NftType.IPV6_ADDR, "ip6 saddr"),
    DESTINATION6(NftType.IPV6_ADDR, "ip6 daddr"),
    DESTINATION_PORT(NftType.INET_SERVICE, "th dport");

    private final NftType type;
    private final String text;

    NftSelector(NftType type, String text) {
        this.type = type;
        this.text = text;
    }

    /// What it yields.
    public NftType type() {
        return type;
    }

    @Override
    public String toString() {
        return text;
    }
}
