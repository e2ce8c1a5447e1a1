package carafe.cli.format;

import carafe.cli.template.Subject;
import carafe.cli.template.Values;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/// One thing that builds keep, as `builder du` shows it, in buildx's words.
public final class CacheRow implements Subject {

    /// The heads of all fields.
    public static final Map<String, String> HEADERS = Map.of("ID", "ID", "Reclaimable", "RECLAIMABLE", "Size", "SIZE",
            "LastUsedAt", "LAST ACCESSED", "CreatedAt", "CREATED AT", "Shared", "SHARED", "Description", "DESCRIPTION",
            "UsageCount", "USAGE COUNT", "Type", "TYPE");

    /// The fields of the default table.
    public static final List<String> COLUMNS = List.of("ID", "Reclaimable", "Size", "LastUsedAt");

    private static final String[] FIELDS = {"CreatedAt", "Description", "ID", "LastUsedAt", "Reclaimable", "Shared", "Size",
        "Type", "UsageCount"};
    private static final int DIGITS = 4;

    private final Json.Obj record;
    private final Instant now;

    /// An element of `GET /build/cache`.
    public CacheRow(Json.Obj record, Instant now) {
        this.record = record;
        this.now = now;
    }

    private String text(String key) {
        try {
            return record.text(key);
        } catch (EngineException.Invalid e) {
            return "";
        }
    }

    private boolean truth(String key) {
        try {
            return record.truth(key);
        } catch (EngineException.Invalid e) {
            return false;
        }
    }

    private long number(String key) {
        try {
            return record.number(key, 0);
        } catch (EngineException.Invalid e) {
            return 0;
        }
    }

    private String age(String key) {
        try {
            return text(key).isEmpty() ? ""
                    : Human.duration(now.getEpochSecond() - Instant.parse(text(key)).getEpochSecond()) + " ago";
        } catch (java.time.DateTimeException e) {
            return text(key);
        }
    }

    @Override
    public Object field(String name, List<Object> arguments) {
        return switch (name) {
            case "ID", "Type", "Description", "CreatedAt" -> text(name);
            case "Reclaimable" -> Boolean.toString(!truth("InUse"));
            case "Shared" -> Boolean.toString(truth(name));
            case "Size" -> Human.size(number(name), DIGITS);
            case "LastUsedAt" -> age(name);
            case "UsageCount" -> Long.toString(number(name));
            default -> Values.ABSENT;
        };
    }

    @Override
    public String typeName() {
        return "*commands.cacheRecord";
    }

    @Override
    public Json asJson() {
        return Rows.json(this, FIELDS);
    }

    /// All of it, a line for each field.
    public String details() {
        return Table.align("ID:\t" + text("ID") + "\nCreated at:\t" + text("CreatedAt") + "\nReclaimable:\t" + !truth("InUse")
                + "\nShared:\t" + truth("Shared") + "\nSize:\t" + Human.size(number("Size"), DIGITS)
                + "\nDescription:\t" + text("Description") + "\nUsage count:\t" + number("UsageCount")
                + "\nLast used:\t" + age("LastUsedAt") + "\nType:\t" + text("Type") + "\n");
    }

    /// What `rows` take together; what others count already is told apart.
    public static String summary(List<CacheRow> rows) {
        long shared = 0;
        long own = 0;
        long idle = 0;
        for (var row : rows) {
            long bytes = row.number("Size");
            shared += row.truth("Shared") ? bytes : 0;
            own += row.truth("Shared") ? 0 : bytes;
            idle += row.truth("Shared") || row.truth("InUse") ? 0 : bytes;
        }
        String split = shared == 0 ? ""
                : "Shared:\t" + Human.size(shared, DIGITS) + "\nPrivate:\t" + Human.size(own, DIGITS) + "\n";
        return Table.align(split + "Reclaimable:\t" + Human.size(idle, DIGITS) + "\nTotal:\t" + Human.size(shared + own, DIGITS)
                + "\n");
    }
}
