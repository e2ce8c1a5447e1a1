package carafe.cli.format;

import carafe.cli.template.Subject;
import carafe.cli.template.Values;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// An image under one of its names, as `images` shows it.
public final class ImageRow implements Subject {

    /// The heads of all fields.
    public static final Map<String, String> HEADERS = Map.ofEntries(
            Map.entry("ID", "IMAGE ID"), Map.entry("Repository", "REPOSITORY"), Map.entry("Tag", "TAG"),
            Map.entry("Digest", "DIGEST"), Map.entry("CreatedSince", "CREATED"), Map.entry("CreatedAt", "CREATED AT"),
            Map.entry("Size", "SIZE"), Map.entry("Containers", "CONTAINERS"), Map.entry("VirtualSize", "SIZE"),
            Map.entry("SharedSize", "SHARED SIZE"), Map.entry("UniqueSize", "UNIQUE SIZE"),
            Map.entry("ArtifactType", "ARTIFACT TYPE"));

    private static final String[] FIELDS = {
        "Containers", "CreatedAt", "CreatedSince", "Digest", "ID", "Repository", "SharedSize", "Size", "Tag",
        "UniqueSize", "VirtualSize"
    };
    private static final String[] ARTIFACT_FIELDS = Stream.concat(Stream.of("ArtifactType"), Stream.of(FIELDS))
            .toArray(String[]::new);
    private static final String NONE = "<none>";

    /// How rows are shown.
    public record Style(boolean full, boolean digests, Instant now) {}

    private final Json.Obj image;
    private final String repository;
    private final String tag;
    private final String digest;
    private final Style style;

    private ImageRow(Json.Obj image, String repository, String tag, String digest, Style style) {
        this.image = image;
        this.repository = repository;
        this.tag = tag;
        this.digest = digest;
        this.style = style;
    }

    /// One row for each name of an element of `GET /images/json`; an image without a name is one row.
    public static List<ImageRow> of(Json.Obj image, Style style) throws EngineException.Invalid {
        var names = image.texts("RepoTags").stream().filter(name -> !name.equals(NONE + ":" + NONE)).toList();
        var digests = image.texts("RepoDigests").stream().filter(name -> !name.startsWith(NONE)).toList();
        var rows = new ArrayList<ImageRow>();
        var repositories = new LinkedHashSet<String>();
        for (var name : names) {
            repositories.add(repository(name));
        }
        for (var repository : repositories) {
            for (var name : names) {
                if (repository(name).equals(repository)) {
                    addTagged(rows, image, name, style);
                }
            }
        }
        for (var name : digests) {
            int at = name.indexOf('@');
            if (at > 0 && !repositories.contains(name.substring(0, at))) {
                rows.add(new ImageRow(image, name.substring(0, at), NONE, style.digests ? name.substring(at + 1) : NONE, style));
            }
        }
        if (rows.isEmpty()) {
            rows.add(new ImageRow(image, NONE, NONE, NONE, style));
        }
        return rows;
    }

    private static void addTagged(List<ImageRow> rows, Json.Obj image, String name, Style style)
            throws EngineException.Invalid {
        String repository = repository(name);
        String tag = name.length() > repository.length() ? name.substring(repository.length() + 1) : NONE;
        boolean found = false;
        if (style.digests) {
            for (var digest : image.texts("RepoDigests")) {
                if (digest.startsWith(repository + "@")) {
                    rows.add(new ImageRow(image, repository, tag, digest.substring(repository.length() + 1), style));
                    found = true;
                }
            }
        }
        if (!found) {
            rows.add(new ImageRow(image, repository, tag, NONE, style));
        }
    }

    private static String repository(String name) {
        int colon = name.lastIndexOf(':');
        return colon > name.lastIndexOf('/') ? name.substring(0, colon) : name;
    }

    /// Whether this is no image but an artifact.
    public boolean isArtifact() {
        try {
            return !image.object("Descriptor").text("artifactType").isEmpty();
        } catch (EngineException.Invalid e) {
            return false;
        }
    }

    @Override
    public Object field(String name, List<Object> arguments) {
        try {
            long created = image.number("Created", 0);
            return switch (name) {
                case "ID" -> style.full ? image.text("Id") : Human.shortId(image.text("Id"));
                case "Repository" -> repository;
                case "Tag" -> tag;
                case "Digest" -> digest;
                case "CreatedSince" -> created <= 0 ? "N/A"
                        : Human.duration(style.now.getEpochSecond() - created) + " ago";
                case "CreatedAt" -> Human.instant(Instant.ofEpochSecond(created));
                case "Size" -> Human.size(image.number("Size", 0), 3);
                case "Containers" -> image.number("Containers", -1) < 0 ? "N/A" : String.valueOf(image.number("Containers", 0));
                case "VirtualSize" -> Human.size(image.number("Size", 0), 4);
                case "SharedSize" -> image.number("SharedSize", -1) < 0 ? "N/A" : Human.size(image.number("SharedSize", 0), 4);
                case "UniqueSize" -> image.number("SharedSize", -1) < 0 ? "N/A"
                        : Human.size(image.number("Size", 0) - image.number("SharedSize", 0), 4);
                case "ArtifactType" -> image.object("Descriptor").text("artifactType");
                default -> Values.ABSENT;
            };
        } catch (EngineException.Invalid e) {
            return ""; // the engine sent something else than Docker's documents; the other fields are still good
        }
    }

    @Override
    public String typeName() {
        return "*formatter.imageContext";
    }

    @Override
    public Json asJson() {
        return Rows.json(this, isArtifact() ? ARTIFACT_FIELDS : FIELDS);
    }
}
