package carafe.spec.build;

import carafe.spec.EngineException;
import carafe.spec.oci.Platform;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What a build's result is annotated with: `key` and `value` at one place, of one platform's image if that is said.
public record BuildAnnotation(Place place, Optional<Platform> platform, String key, String value) {

    private static final Pattern PLACE = Pattern.compile("([a-z-]*)(?:\\[([A-Za-z0-9_/-]+)])?");

    /// Where annotations stand. Source: BuildKit docs/annotations.md.
    public enum Place {
        /// In the image's manifest.
        MANIFEST("manifest"),
        /// At the manifest's entry in the index, or in the table of an archive where there is none.
        MANIFEST_DESCRIPTOR("manifest-descriptor"),
        /// In the index over several platforms' images.
        INDEX("index"),
        /// At the index's entry in the table of an archive.
        INDEX_DESCRIPTOR("index-descriptor");

        private final String word;

        Place(String word) {
            this.word = word;
        }

        /// Whether only an index has it.
        public boolean needsIndex() {
            return this == INDEX || this == INDEX_DESCRIPTOR;
        }
    }

    /// Reads `[PLACE[\[PLATFORM\]][,PLACE...]:]KEY=VALUE` as buildx's `--annotation` has it; a manifest's if no place is said.
    /// @throws EngineException.Invalid it is written otherwise, or names a place that is none
    public static List<BuildAnnotation> parse(String text) throws EngineException.Invalid {
        int equals = text.indexOf('=');
        String name = equals < 0 ? text : text.substring(0, equals);
        int colon = name.indexOf(':');
        String key = name.substring(colon + 1);
        if (equals < 0 || key.isEmpty()) {
            throw new EngineException.Invalid("invalid annotation \"" + text + "\", expected key=value");
        }
        var all = new ArrayList<BuildAnnotation>();
        for (String where : (colon < 0 ? "" : name.substring(0, colon)).split(",", -1)) {
            var read = PLACE.matcher(where);
            if (!read.matches()) {
                throw new EngineException.Invalid("invalid annotation type \"" + where
                        + "\", expected type and optional platform in square brackets");
            }
            all.add(new BuildAnnotation(place(read.group(1)), platform(read), key, text.substring(equals + 1)));
        }
        return all;
    }

    /// Reads all of `texts`.
    public static List<BuildAnnotation> parseAll(Collection<String> texts) throws EngineException.Invalid {
        var all = new ArrayList<BuildAnnotation>();
        for (String text : texts) {
            all.addAll(parse(text));
        }
        return all;
    }

    private static Optional<Platform> platform(Matcher read) throws EngineException.Invalid {
        var text = Optional.ofNullable(read.group(2));
        return text.isEmpty() ? Optional.empty() : Optional.of(Platform.parse(text.get()));
    }

    private static Place place(String word) throws EngineException.Invalid {
        for (var place : Place.values()) {
            if (place.word.equals(word)) {
                return place;
            }
        }
        if (word.isEmpty()) {
            return Place.MANIFEST;
        }
        throw new EngineException.Invalid("unknown annotation type \"" + word + "\": manifest, manifest-descriptor, index and"
                + " index-descriptor are known");
    }

    /// Those among `all` for `place` of the image for `platform`; one for a platform goes before one for all.
    public static Map<String, String> at(Place place, Platform platform, List<BuildAnnotation> all) {
        var found = new LinkedHashMap<String, String>();
        for (boolean own : new boolean[] {false, true}) {
            for (var each : all) {
                boolean meant = each.platform.isPresent() == own
                        && each.platform.map(Platform::toString).orElse(platform.toString()).equals(platform.toString());
                if (each.place == place && meant) {
                    found.put(each.key, each.value);
                }
            }
        }
        return found;
    }
}
