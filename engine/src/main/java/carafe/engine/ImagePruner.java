package carafe.engine;

import carafe.image.Image;
import carafe.image.Images;
import carafe.spec.EngineException;
import carafe.spec.docker.Filters;
import carafe.spec.oci.Digest;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Chooses the images and artifacts that a clean-up takes: those without a name (`dangling`, the default) or all that no
/// container uses and no subject keeps, older than `until`, with labels, and not used for a time (`unused-for`, ours: `720h`).
final class ImagePruner {

    private static final Set<String> KEYS = Set.of("dangling", "label", "label!", "until", "unused-for");
    private static final Duration KEPT_INGESTS = Duration.ofHours(24);

    private final Images images;
    private final LiveImages door;
    private final Clock clock;

    ImagePruner(Images images, LiveImages door, Clock clock) {
        this.images = images;
        this.door = door;
        this.clock = clock;
    }

    ImagePrune prune(Filters filters) throws EngineException {
        filters.allowOnly(KEYS);
        boolean danglingOnly = filters.truth("dangling", true);
        var until = ContainerFilter.until(filters, clock.instant());
        var usedSince = usedSince(filters);
        long before = door.layerBytes();
        var removals = new ArrayList<ImageRemoval>();
        var all = new LinkedHashMap<Digest, Image>();
        images.list().forEach(image -> all.put(image.id(), image));
        for (var image : all.values()) {
            boolean goes = (!danglingOnly || image.tags().isEmpty() && image.digests().isEmpty())
                    && isMeant(image, filters, until) && isIdle(image.id(), usedSince);
            for (var id : images.together(image.id())) { // it takes those along, or leaves them without its name
                var other = all.get(id);
                goes &= other != null && isMeant(other, filters, until);
            }
            if (goes) {
                removals.addAll(removed(image.id(), image.tags().size() + image.digests().size() > 0));
            }
        }
        for (var artifact : images.artifacts().list()) {
            boolean named = !artifact.tags().isEmpty() || !artifact.digests().isEmpty();
            boolean goes = (!danglingOnly || !named) && !images.artifacts().isKept(artifact)
                    && (until.isEmpty() || artifact.created().orElse(Instant.EPOCH).isBefore(until.get()))
                    && filters.allowsLabels("label", Map.of())
                    && (filters.of("label!").isEmpty() || !filters.allowsLabels("label!", Map.of()))
                    && isUnusedSince(artifact.id(), usedSince);
            if (goes) {
                removals.addAll(removed(artifact.id(), named));
            }
        }
        images.sweep(clock.instant().minus(KEPT_INGESTS));
        return new ImagePrune(removals, Math.max(0, before - door.layerBytes()));
    }

    private static boolean isMeant(Image image, Filters filters, Optional<Instant> until) throws EngineException {
        var labels = image.config().run().labels();
        return (until.isEmpty() || image.config().created().orElse(Instant.EPOCH).isBefore(until.get()))
                && filters.allowsLabels("label", labels)
                && (filters.of("label!").isEmpty() || !filters.allowsLabels("label!", labels));
    }

    /// Whether neither the image nor one that has a name together with it is used, or was since `moment`.
    private boolean isIdle(Digest id, Optional<Instant> moment) throws EngineException {
        for (var each : images.together(id)) {
            if (door.isUsed(each) || !isUnusedSince(each, moment)) {
                return false;
            }
        }
        return true;
    }

    private boolean isUnusedSince(Digest id, Optional<Instant> moment) throws EngineException {
        return moment.isEmpty() || images.lastUsed(id).orElse(Instant.EPOCH).isBefore(moment.get());
    }

    private Optional<Instant> usedSince(Filters filters) throws EngineException.Invalid {
        Optional<Instant> moment = Optional.empty();
        for (String text : filters.of("unused-for")) {
            moment = Optional.of(clock.instant().minus(duration(text)));
        }
        return moment;
    }

    private static Duration duration(String text) throws EngineException.Invalid {
        try {
            boolean days = text.endsWith("d");
            return days ? Duration.ofDays(Long.parseLong(text.substring(0, text.length() - 1)))
                    : Duration.parse("PT" + text);
        } catch (java.time.format.DateTimeParseException | NumberFormatException e) {
            throw new EngineException.Invalid("invalid duration \"" + text + "\": write 30d, 12h or 90m");
        }
    }

    private List<ImageRemoval> removed(Digest id, boolean force) throws EngineException {
        try {
            return door.remove(id.toString(), force);
        } catch (EngineException.Conflict | EngineException.NotFound e) {
            return List.of(); // a container was made of it meanwhile, or somebody was quicker
        }
    }
}
