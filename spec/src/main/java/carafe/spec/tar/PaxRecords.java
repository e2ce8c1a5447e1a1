package carafe.spec.tar;

import carafe.spec.EngineException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The records of one pax extended header, values with their exact bytes: a capability or an ACL is no text.
/// Of equal keys the last wins, and an empty value takes back what the header says; only the pairs of GNU's sparse
/// format 0.0 may repeat, so their order is kept apart.
/// Source: POSIX.1-2017 pax "pax Extended Header"; star's SCHILY.xattr; GNU tar "Storing Sparse Files".
final class PaxRecords {

    static final PaxRecords NONE = new PaxRecords();

    private static final String XATTR = "SCHILY.xattr.";

    private final Map<String, byte[]> values = new LinkedHashMap<>();
    private final List<Long> sparsePairs = new ArrayList<>();

    private PaxRecords() {}

    /// Reads records of the form `LENGTH KEY=VALUE\n`, each exactly as long as it says.
    static PaxRecords parse(byte[] data) throws EngineException.Invalid {
        var records = new PaxRecords();
        int at = 0;
        while (at < data.length && data[at] != 0) {
            int space = at;
            int length = 0;
            while (space < data.length && data[space] != ' ') {
                int digit = data[space] - '0';
                if (digit < 0 || digit > 9 || space - at > 8) {
                    throw malformed();
                }
                length = length * 10 + digit;
                space++;
            }
            int end = at + length;
            if (space == at || end > data.length || end <= space + 2 || data[end - 1] != '\n') {
                throw malformed();
            }
            int equals = space + 1;
            while (equals < end && data[equals] != '=') {
                equals++;
            }
            if (equals == end || equals == space + 1) {
                throw malformed();
            }
            records.add(TarText.decode(data, space + 1, equals - space - 1),
                    Arrays.copyOfRange(data, equals + 1, end - 1));
            at = end;
        }
        return records;
    }

    private static EngineException.Invalid malformed() {
        return new EngineException.Invalid("invalid tar header: malformed pax record");
    }

    private void add(String key, byte[] value) throws EngineException.Invalid {
        switch (key) {
            case "GNU.sparse.offset", "GNU.sparse.numbytes" -> {
                boolean offset = key.endsWith("offset");
                if (offset != (sparsePairs.size() % 2 == 0)) {
                    throw malformed();
                }
                sparsePairs.add(decimal(value));
            }
            default -> values.put(key, value);
        }
    }

    /// The name under `key`; empty when the header's own is right.
    Optional<String> name(String key) throws EngineException.Invalid {
        byte[] value = values.get(key);
        if (value == null || value.length == 0) {
            return Optional.empty();
        }
        for (byte b : value) {
            if (b == 0) {
                throw new EngineException.Invalid("invalid tar header: a name holds a NUL");
            }
        }
        return Optional.of(TarText.decode(value));
    }

    /// The whole, not negative number under `key`; empty when the header's own is right.
    Optional<Long> number(String key) throws EngineException.Invalid {
        byte[] value = values.get(key);
        return value == null || value.length == 0 ? Optional.empty() : Optional.of(decimal(value));
    }

    /// The text under `key`, or `""`.
    String text(String key) {
        byte[] value = values.get(key);
        return value == null ? "" : new String(value, StandardCharsets.ISO_8859_1);
    }

    /// Offsets and lengths in turn, of GNU's sparse format 0.0.
    List<Long> sparsePairs() {
        return sparsePairs;
    }

    /// Seconds and nanoseconds of the time under `key`, `-12.5` being -13 s and 500 ms; empty when not said.
    Optional<long[]> time(String key) throws EngineException.Invalid {
        String text = text(key);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        int point = text.indexOf('.');
        String whole = point < 0 ? text : text.substring(0, point);
        String fraction = point < 0 ? "" : text.substring(point + 1);
        boolean negative = whole.startsWith("-");
        long seconds = decimal((negative ? whole.substring(1) : whole).getBytes(StandardCharsets.ISO_8859_1));
        long nanos = fraction.isEmpty() ? 0
                : decimal((fraction + "000000000").substring(0, 9).getBytes(StandardCharsets.ISO_8859_1));
        if (negative) {
            seconds = nanos == 0 ? -seconds : -seconds - 1;
            nanos = nanos == 0 ? 0 : 1_000_000_000 - nanos;
        }
        return Optional.of(new long[] {seconds, nanos});
    }

    /// All extended attributes by name.
    Map<String, byte[]> xattrs() {
        if (values.isEmpty()) {
            return Map.of();
        }
        var xattrs = new LinkedHashMap<String, byte[]>();
        values.forEach((key, value) -> {
            if (key.startsWith(XATTR)) {
                xattrs.put(key.substring(XATTR.length()), value);
            }
        });
        return xattrs;
    }

    static long decimal(byte[] text) throws EngineException.Invalid {
        if (text.length == 0 || text.length > 18) {
            throw new EngineException.Invalid("invalid tar header: a number of " + text.length + " digits");
        }
        long value = 0;
        for (byte b : text) {
            if (b < '0' || b > '9') {
                throw new EngineException.Invalid("invalid tar header: a number is not decimal");
            }
            value = value * 10 + (b - '0');
        }
        return value;
    }
}
