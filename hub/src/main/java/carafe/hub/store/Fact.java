package carafe.hub.store;

import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import java.time.Instant;
import java.util.Optional;

/// One thing that became true of a repository, as its journal keeps it: one line of words. The last one counts.
sealed interface Fact {

    /// A blob can be pulled from the repository.
    record Linked(Digest blob, long size, Instant at) implements Fact {}

    /// It no longer can.
    record Unlinked(Digest blob) implements Fact {}

    /// A manifest or index can be pulled; `subject` is what it refers to.
    record Stored(Digest manifest, String mediaType, long size, Instant at, Optional<Digest> subject)
            implements Fact {}

    /// It no longer can.
    record Removed(Digest manifest) implements Fact {}

    /// A tag names a manifest; `cached` when it was taken over from an upstream.
    record Tagged(String tag, Digest manifest, Instant at, boolean cached) implements Fact {}

    /// The tag is gone.
    record Untagged(String tag) implements Fact {}

    /// The line of this fact, without its end.
    default String print() {
        return switch (this) {
            case Linked(var blob, long size, var at) -> "blob " + blob + " " + size + " " + at.toEpochMilli();
            case Unlinked(var blob) -> "no-blob " + blob;
            case Stored(var manifest, var type, long size, var at, var subject) -> "manifest " + manifest + " " + type
                    + " " + size + " " + at.toEpochMilli() + subject.map(digest -> " " + digest).orElse("");
            case Removed(var manifest) -> "no-manifest " + manifest;
            case Tagged(var tag, var manifest, var at, boolean cached) ->
                "tag " + tag + " " + manifest + " " + at.toEpochMilli() + (cached ? " cached" : "");
            case Untagged(var tag) -> "no-tag " + tag;
        };
    }

    /// Reads a line.
    /// @throws EngineException.Invalid it is none
    static Fact parse(String line) throws EngineException.Invalid {
        String[] words = line.split(" ", -1);
        try {
            return switch (words[0]) {
                case "blob" -> new Linked(Digest.parse(words[1]), Long.parseLong(words[2]), time(words[3]));
                case "no-blob" -> new Unlinked(Digest.parse(words[1]));
                case "manifest" -> new Stored(Digest.parse(words[1]), words[2], Long.parseLong(words[3]), time(words[4]),
                        words.length > 5 ? Optional.of(Digest.parse(words[5])) : Optional.empty());
                case "no-manifest" -> new Removed(Digest.parse(words[1]));
                case "tag" -> new Tagged(words[1], Digest.parse(words[2]), time(words[3]), words.length > 4);
                case "no-tag" -> new Untagged(words[1]);
                default -> throw new EngineException.Invalid("not a fact: " + words[0]);
            };
        } catch (ArrayIndexOutOfBoundsException | NumberFormatException e) {
            throw new EngineException.Invalid("a fact is broken: " + line);
        }
    }

    private static Instant time(String millis) {
        return Instant.ofEpochMilli(Long.parseLong(millis));
    }
}
