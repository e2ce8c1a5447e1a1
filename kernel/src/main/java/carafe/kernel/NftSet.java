package carafe.kernel;

import java.util.List;
import java.util.stream.Collectors;

/// A named set; a map where it has types of data. Exact keys only, so the kernel hashes it and a look-up costs the same
/// for one element and for ten thousand.
public record NftSet(String name, List<NftType> key, List<NftType> data) {

    /// Copies the lists.
    public NftSet {
        key = List.copyOf(key);
        data = List.copyOf(data);
        if (key.isEmpty()) {
            throw new IllegalArgumentException("set " + name + " has no key");
        }
    }

    /// Whether elements have data.
    public boolean isMap() {
        return !data.isEmpty();
    }

    /// Whether `element` is one this set can hold.
    public boolean takes(NftElement element) {
        return types(element.key()).equals(key) && types(element.data()).equals(data);
    }

    private static List<NftType> types(List<NftValue> values) {
        return values.stream().map(NftValue::type).toList();
    }

    /// As nft(8) writes it.
    @Override
    public String toString() {
        return (isMap() ? "map " : "set ") + name + " { type " + text(key) + (isMap() ? " : " + text(data) : "") + "; }";
    }

    private static String text(List<NftType> types) {
        return types.stream().map(NftType::toString).collect(Collectors.joining(" . "));
    }
}
