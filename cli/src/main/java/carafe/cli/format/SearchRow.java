package carafe.cli.format;

import carafe.cli.template.Subject;
import carafe.cli.template.Values;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.List;
import java.util.Map;

/// A repository that a search found.
public final class SearchRow implements Subject {

    /// The heads of all fields.
    public static final Map<String, String> HEADERS = Map.of("Name", "NAME", "Description", "DESCRIPTION", "StarCount",
            "STARS", "IsOfficial", "OFFICIAL", "IsAutomated", "AUTOMATED");

    /// The fields of the default table.
    public static final List<String> COLUMNS = List.of("Name", "Description", "StarCount", "IsOfficial");

    private static final int DESCRIPTION = 45;

    private final Json.Obj found;
    private final boolean full;

    /// `found` is an element of `GET /images/search`; `full` leaves descriptions as long as they are.
    public SearchRow(Json.Obj found, boolean full) {
        this.found = found;
        this.full = full;
    }

    @Override
    public Object field(String name, List<Object> arguments) {
        try {
            return switch (name) {
                case "Name" -> found.text("name");
                case "Description" -> {
                    String text = found.text("description").replace('\n', ' ').replace('\r', ' ');
                    yield full ? text : Human.ellipsis(text, DESCRIPTION);
                }
                case "StarCount" -> Long.toString(found.number("star_count", 0));
                case "IsOfficial" -> found.truth("is_official") ? "[OK]" : "";
                case "IsAutomated" -> found.truth("is_automated") ? "[OK]" : "";
                default -> Values.ABSENT;
            };
        } catch (EngineException.Invalid e) {
            return ""; // the engine sent something else than Docker's documents; the other fields are still good
        }
    }

    @Override
    public String typeName() {
        return "*registry.searchContext";
    }

    @Override
    public Json asJson() {
        return Rows.json(this, "Description", "IsAutomated", "IsOfficial", "Name", "StarCount");
    }
}
