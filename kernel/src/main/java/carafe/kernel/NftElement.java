package carafe.kernel;

import java.util.List;
import java.util.stream.Collectors;

/// An element of a set, of a map where it has data, of a set of ranges where it has a last key.
public record NftElement(List<NftValue> key, List<NftValue> data, List<NftValue> last) {

    /// Copies the lists.
    public NftElement {
        key = List.copyOf(key);
        data = List.copyOf(data);
        last = List.copyOf(last);
    }

    /// An element with data.
    public NftElement(List<NftValue> key, List<NftValue> data) {
        this(key, data, List.of());
    }

    /// An element without data.
    public NftElement(List<NftValue> key) {
        this(key, List.of(), List.of());
    }

    @Override
    public String toString() {
        return text(key) + (last.isEmpty() ? "" : " to " + text(last)) + (data.isEmpty() ? "" : " : " + text(data));
    }

    private static String text(List<NftValue> values) {
        return values.stream().map(NftValue::toString).collect(Collectors.joining(" . "));
    }
}
