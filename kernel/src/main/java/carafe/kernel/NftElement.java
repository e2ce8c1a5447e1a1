package carafe.kernel;

import java.util.List;
import java.util.stream.Collectors;

/// An element of a set, or of a map where it has data.
public record NftElement(List<NftValue> key, List<NftValue> data) {

    /// Copies the lists.
    public NftElement {
        key = List.copyOf(key);
        data = List.copyOf(data);
    }

    /// An element without data.
    public NftElement(List<NftValue> key) {
        this(key, List.of());
    }

    @Override
    public String toString() {
        return data.isEmpty() ? text(key) : text(key) + " : " + text(data);
    }

    private static String text(List<NftValue> values) {
        return values.stream().map(NftValue::toString).collect(Collectors.joining(" . "));
    }
}
