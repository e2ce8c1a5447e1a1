package carafe.hub.distribution;

import carafe.hub.store.Refusal;
import carafe.hub.store.Refusal.Reason;
import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Reference;
import java.util.List;

/// What a path below `/v2/` names. Names are checked here, before anything is looked up or becomes part of a path.
sealed interface Target {

    /// `/v2/` itself.
    record Root() implements Target {}

    /// All repositories.
    record Catalog() implements Target {}

    /// A repository's tags.
    record Tags(String repository) implements Target {}

    /// A blob.
    record Blob(String repository, Digest digest) implements Target {}

    /// Where uploads begin.
    record Uploads(String repository) implements Target {}

    /// One upload.
    record Upload(String repository, String id) implements Target {}

    /// A manifest by tag.
    record Tagged(String repository, String tag) implements Target {}

    /// A manifest by digest.
    record Pinned(String repository, Digest digest) implements Target {}

    /// What refers to a manifest.
    record Referrers(String repository, Digest digest) implements Target {}

    /// Reads the decoded parts of a path behind `v2`.
    /// @throws Refusal NAME_INVALID, DIGEST_INVALID, or UNSUPPORTED for what is no path of the protocol
    static Target parse(List<String> parts) throws Refusal {
        int size = parts.size();
        if (size == 0 || size == 1 && parts.get(0).isEmpty()) {
            return new Root();
        }
        if (size == 1 && parts.get(0).equals("_catalog")) {
            return new Catalog();
        }
        String last = parts.get(size - 1);
        String kind = size >= 3 ? parts.get(size - 2) : "";
        if (size >= 4 && parts.get(size - 3).equals("blobs") && kind.equals("uploads")) {
            String repository = name(parts.subList(0, size - 3));
            return last.isEmpty() ? new Uploads(repository) : new Upload(repository, last);
        }
        return switch (kind) {
            case "tags" -> {
                if (!last.equals("list")) {
                    throw unknown();
                }
                yield new Tags(name(parts.subList(0, size - 2)));
            }
            case "blobs" -> {
                String repository = name(parts.subList(0, size - 2));
                yield last.equals("uploads") ? new Uploads(repository) : new Blob(repository, digest(last));
            }
            case "manifests" -> manifest(name(parts.subList(0, size - 2)), last);
            case "referrers" -> new Referrers(name(parts.subList(0, size - 2)), digest(last));
            default -> throw unknown();
        };
    }

    private static Target manifest(String repository, String reference) throws Refusal {
        if (reference.indexOf(':') >= 0) {
            return new Pinned(repository, digest(reference));
        }
        requireTag(reference);
        return new Tagged(repository, reference);
    }

    /// Refuses what cannot be a tag.
    static void requireTag(String text) throws Refusal {
        if (!Reference.isTag(text)) {
            throw new Refusal(Reason.MANIFEST_INVALID, "that is not a tag: at most 128 of A-Z a-z 0-9 _ . - and neither"
                    + " . nor - in front");
        }
    }

    /// A repository's name from its parts. A part that held an escaped slash is refused like any other wrong character.
    private static String name(List<String> parts) throws Refusal {
        for (String part : parts) {
            if (part.indexOf('/') >= 0) {
                throw badName();
            }
        }
        String name = String.join("/", parts);
        requireName(name);
        return name;
    }

    /// Refuses what cannot be a repository's name.
    static void requireName(String name) throws Refusal {
        if (!Reference.isPath(name)) {
            throw badName();
        }
    }

    private static Refusal badName() {
        return new Refusal(Reason.NAME_INVALID, "that is not a repository's name: lower-case letters and digits, single"
                + " separators . _ __ - between them, parts divided by /, at most 255 characters");
    }

    /// Reads a digest.
    static Digest digest(String text) throws Refusal {
        try {
            return Digest.parse(text);
        } catch (EngineException.Invalid e) {
            throw new Refusal(Reason.DIGEST_INVALID, "that is not a digest of sha256 or sha512: " + e.getMessage());
        }
    }

    private static Refusal unknown() {
        return new Refusal(Reason.UNSUPPORTED, "there is no such path in the registry protocol");
    }
}
