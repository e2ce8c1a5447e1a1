package carafe.kernel;

/// One field of a key or of data: its type and the text nft(8) prints, `172.17.0.2`, `tcp`, `8080`, `br0`.
public record NftValue(NftType type, String text) {

    /// Checks that the text is a value of the type.
    public NftValue {
        type.encode(text);
    }

    byte[] bytes() {
        return type.encode(text);
    }

    @Override
    public String toString() {
        return type == NftType.IFNAME ? '"' + text + '"' : text;
    }
}
