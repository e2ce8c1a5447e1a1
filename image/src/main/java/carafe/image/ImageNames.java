package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What people mean by the name of an image, by Docker's rules: 64 hexadecimal digits or a digest are an id; else a
/// name, tag `latest` if none is said and by digest if one is; else a prefix that one id only has.
final class ImageNames {

    private ImageNames() {}

    /// The id of the image that `name` means.
    /// @throws EngineException.Invalid it could not be the name of any image
    /// @throws EngineException.NotFound `No such image: x:tag`
    static Digest resolve(String name, ImageIndex index) throws EngineException {
        var exact = digest(name);
        if (exact.isPresent()) {
            return exact.filter(index.images()::containsKey)
                    .or(() -> index.namesOfIndex(exact.get()).stream().findFirst().flatMap(index::named)).orElseThrow(
                            () -> new EngineException.NotFound("No such image: " + exact.get()));
        }
        var reference = Reference.parse(name).withDefaultTag();
        var named = index.named(stored(reference));
        if (named.isPresent()) {
            return named.get();
        }
        return prefix(name).flatMap(index::byPrefix).orElseThrow(
                () -> new EngineException.NotFound("No such image: " + reference.familiar()));
    }

    /// The id of the image that `name` means on `platform`; an id means that one image.
    /// @throws EngineException.NotFound there is none, or none for the platform
    static Digest resolve(String name, Platform platform, ImageIndex index) throws EngineException {
        var any = resolve(name, index);
        if (isIdPrefix(any, name)) {
            if (!index.runsOn(any, platform)) {
                throw another(name, platform, List.of(any), index);
            }
            return any;
        }
        var reference = meant(name, index).orElse(stored(Reference.parse(name).withDefaultTag()));
        return index.named(reference, platform)
                .orElseThrow(() -> another(reference.familiar(), platform, index.meaning(reference), index));
    }

    private static EngineException.NotFound another(String name, Platform wanted, List<Digest> found, ImageIndex index) {
        var actual = found.stream().flatMap(id -> index.platform(id).stream()).map(Platform::toString).toList();
        return new EngineException.NotFound("image with reference " + name + " was found but does not match the specified"
                + " platform: wanted " + wanted + ", actual: " + String.join(", ", actual));
    }

    /// The name that `name`, which is no image's id, stands for; an index's digest stands for a name that has it.
    static Optional<Reference> meant(String name, ImageIndex index) throws EngineException.Invalid {
        var exact = digest(name);
        return exact.isPresent() ? index.namesOfIndex(exact.get()).stream().findFirst()
                : Optional.of(stored(Reference.parse(name).withDefaultTag())).filter(index.names()::containsKey);
    }

    /// The images that these names mean, with the names that were asked for: a repository without a tag means all of its
    /// tags, an id none. Of images that share a name the one for `platform` is meant, for this machine if none is said.
    static Map<Digest, List<Reference>> resolveAll(List<String> names, Optional<Platform> platform, ImageIndex index)
            throws EngineException {
        var wanted = new LinkedHashMap<Digest, List<Reference>>();
        for (String name : names) {
            var tags = tagsOfRepository(name, index);
            for (var tag : tags) {
                (platform.isPresent() ? index.named(tag, platform.get()) : index.named(tag))
                        .ifPresent(id -> add(wanted.computeIfAbsent(id, _ -> new ArrayList<>()), tag));
            }
            if (tags.isEmpty()) {
                var id = platform.isPresent() ? resolve(name, platform.get(), index) : resolve(name, index);
                var found = wanted.computeIfAbsent(id, _ -> new ArrayList<>());
                if (!isIdPrefix(id, name)) {
                    add(found, meant(name, index).orElse(Reference.parse(name).withDefaultTag()));
                }
            }
        }
        if (wanted.isEmpty() && platform.isPresent()) {
            throw new EngineException.NotFound("No such image: " + String.join(", ", names) + " for " + platform.get());
        }
        return wanted;
    }

    private static void add(List<Reference> to, Reference name) {
        if (!to.contains(name)) {
            to.add(name);
        }
    }

    private static List<Reference> tagsOfRepository(String name, ImageIndex index) {
        try {
            var asked = Reference.parse(name);
            return asked.tag().isPresent() || asked.digest().isPresent() ? List.of()
                    : index.names().keySet().stream().filter(known -> known.tag().isPresent()
                            && known.repository().equals(asked.repository())).toList();
        } catch (EngineException.Invalid e) {
            return List.of(); // an id
        }
    }

    /// The name under which an image is kept that people call `reference`: of tag and digest, the digest counts.
    static Reference stored(Reference reference) {
        return reference.digest().map(reference::withDigest).orElse(reference);
    }

    /// True when `name` says the image `id` by its id or the beginning of it.
    static boolean isIdPrefix(Digest id, String name) {
        return id.toString().startsWith(name) || id.hex().startsWith(name);
    }

    /// True when `name` is a whole digest, an id or that of an index.
    static boolean isDigest(String name) {
        return digest(name).isPresent();
    }

    private static Optional<Digest> digest(String name) {
        if (name.length() < 64) {
            return Optional.empty(); // most names; no exception to pay for
        }
        try {
            return Optional.of(Digest.parse(name.length() == 64 ? "sha256:" + name : name));
        } catch (EngineException.Invalid e) {
            return Optional.empty();
        }
    }

    private static Optional<String> prefix(String name) {
        String hex = name.startsWith("sha256:") ? name.substring("sha256:".length()) : name;
        boolean usable = !hex.isEmpty() && hex.chars().allMatch(c -> c >= '0' && c <= '9' || c >= 'a' && c <= 'f');
        return usable ? Optional.of(hex) : Optional.empty();
    }
}
