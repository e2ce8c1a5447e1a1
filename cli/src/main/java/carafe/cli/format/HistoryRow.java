package carafe.cli.format;

import carafe.cli.template.Subject;
import carafe.cli.template.Values;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/// A step of an image's history.
public final class HistoryRow implements Subject {

    /// The heads of all fields.
    public static final Map<String, String> HEADERS = Map.of(
            "ID", "IMAGE", "CreatedSince", "CREATED", "CreatedAt", "CREATED AT", "CreatedBy", "CREATED BY",
            "Size", "SIZE", "Comment", "COMMENT");

    /// The fields of the default table.
    public static final List<String> COLUMNS = List.of("ID", "CreatedSince", "CreatedBy", "Size", "Comment");

    private static final int COMMAND = 45;

    /// How rows are shown.
    public record Style(boolean full, boolean human, Instant now) {}

    private final Json.Obj layer;
    private final Style style;

    /// `layer` is an element of `GET /images/{name}/history`.
    public HistoryRow(Json.Obj layer, Style style) {
        this.layer = layer;
        this.style = style;
    }

    @Override
    public Object field(String name, List<Object> arguments) {
        try {
            long created = layer.number("Created", 0);
            return switch (name) {
                case "ID" -> style.full ? layer.text("Id") : Human.shortId(layer.text("Id"));
                case "CreatedAt" -> Instant.ofEpochSecond(created).toString();
                case "CreatedSince" -> !style.human ? Instant.ofEpochSecond(created).toString()
                        : created <= 0 ? "N/A" : Human.duration(style.now.getEpochSecond() - created) + " ago";
                case "CreatedBy" -> {
                    String by = layer.text("CreatedBy").replace('\t', ' ');
                    yield style.full ? by : Human.ellipsis(by, COMMAND);
                }
                case "Size" -> style.human ? Human.size(layer.number("Size", 0), 3) : Long.toString(layer.number("Size", 0));
                case "Comment" -> layer.text("Comment");
                default -> Values.ABSENT;
            };
        } catch (EngineException.Invalid e) {
            return ""; // the engine sent something else than Docker's documents; the other fields are still good
        }
    }

    @Override
    public String typeName() {
        return "*image.historyContext";
    }

    @Override
    public Json asJson() {
        return Rows.json(this, "Comment", "CreatedAt", "CreatedBy", "CreatedSince", "ID", "Size");
    }
}
