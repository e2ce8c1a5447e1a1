package carafe.kernel;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// A named set; a map where it has types of data. With exact keys the kernel hashes it, and a look-up costs the same for
/// one element and for ten thousand; with `ranges` each element has a first and a last key.
public record NftSet(String name, List<NftType> key, List<NftType> data, boolean ranges) {

    /// Copies the lists.
    public NftSet {
        key = List.copyOf(key);
        data = List.copyOf(data);
        if (key.isEmpty()) {
            throw new IllegalArgumentException("set " + name + " has no key");
        }
        if (ranges && (key.size() < 2 || !data.isEmpty())) {
            throw new IllegalArgumentException("ranges are for sets of several fields: " + name);
        }
    }

    /// One with exact keys.
    public NftSet(String name, List<NftType> key, List<NftType> data) {
        this(name, key, data, false);
    }

    /// Whether elements have data.
    public boolean isMap() {
        return !data.isEmpty();
    }

    /// Whether `element` is one this set can hold.
    public boolean takes(NftElement element) {
        return types(element.key()).equals(key)
                && types(element.data()).equals(data)
                && types(element.last()).equals(ranges ? key : List.of());
    }

    /// The fields of a key of this set; empty when it is one of another set's.
    Optional<List<byte[]>> fields(byte[] whole) {
        var fields = new ArrayList<byte[]>();
        int at = 0;
        for (var type : key) {
            int end = at + type.bytes();
            if (end > whole.length) {
                return Optional.empty();
            }
            fields.add(Arrays.copyOfRange(whole, at, end));
            at += key.size() == 1 ? type.bytes() : type.paddedBytes();
        }
        return at == whole.length ? Optional.of(List.copyOf(fields)) : Optional.empty();
    }

    private static List<NftType> types(List<NftValue> values) {
        return values.stream().map(NftValue::type).toList();
    }

    /// As nft(8) writes it.
    @Override
    public String toString() {
        return (isMap() ? "map " : "set ") + name + " { type " + text(key) + (isMap() ? " : " + text(data) : "")
                + (ranges ? "; flags interval; }" : "; }");
    }

    private static String text(List<NftType> types) {
        return types.stream().map(NftType::toString).collect(Collectors.joining(" . "));
    }
}
