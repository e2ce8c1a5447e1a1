package carafe.cli.format;

import carafe.cli.template.Subject;
import carafe.cli.template.Values;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.List;
import java.util.Map;

/// Something that refers to an image.
public final class ReferrerRow implements Subject {

    /// The heads of all fields.
    public static final Map<String, String> HEADERS = Map.of("ArtifactType", "ARTIFACT TYPE", "Digest", "DIGEST",
            "Size", "MANIFEST SIZE", "CreatedAt", "CREATED AT", "Subject", "SUBJECT", "Here", "HERE", "Names", "NAMES");

    /// The fields of the default table.
    public static final List<String> COLUMNS = List.of("ArtifactType", "Digest", "CreatedAt", "Here");

    private final Json.Obj found;

    /// `found` is an element of what the engine answers.
    public ReferrerRow(Json.Obj found) {
        this.found = found;
    }

    @Override
    public Object field(String name, List<Object> arguments) {
        try {
            var descriptor = found.object("descriptor");
            return switch (name) {
                case "ArtifactType" -> descriptor.text("artifactType");
                case "Digest" -> descriptor.text("digest");
                case "Size" -> Human.size(descriptor.number("size", 0), 3);
                case "CreatedAt" -> descriptor.object("annotations").text("org.opencontainers.image.created", "N/A");
                case "Subject" -> found.text("subject");
                case "Here" -> found.truth("here") ? "yes" : "no";
                case "Names" -> String.join(",", found.texts("names"));
                default -> Values.ABSENT;
            };
        } catch (EngineException.Invalid e) {
            return ""; // the engine sent something else than we know; the other fields are still good
        }
    }

    @Override
    public String typeName() {
        return "*formatter.referrerContext";
    }

    @Override
    public Json asJson() {
        return Rows.json(this, "ArtifactType", "CreatedAt", "Digest", "Here", "Names", "Size", "Subject");
    }
}
