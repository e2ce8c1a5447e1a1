package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Index;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Which images there are and what they are called, at one moment; a change makes a new index. Kept as the `index.json`
/// of the OCI layout: one entry for each image, then one for each image of each name. Artifacts stand among the images:
/// an image's id is its configuration's digest, an artifact's its manifest's.
///
/// @param images    the manifest of each image by the image's id, in the order they came, the one of its last build where
///                  builds made several; its platform is said, or what kind of artifact it is
/// @param names     what each name means
record ImageIndex(Map<Digest, Descriptor> images, Map<Reference, Named> names) {

    /// What a name means: the images it has here, one per platform, the newest first, and the index that a registry
    /// gave for it. `manifests`: those that images have under this name, where the image itself has another one; a build
    /// made them with other annotations.
    record Named(List<Digest> images, Optional<Digest> index, Map<Digest, Descriptor> manifests) {

        Named {
            images = List.copyOf(images);
            manifests = Map.copyOf(manifests);
        }

        static Named only(Digest image) {
            return new Named(List.of(image), Optional.empty(), Map.of());
        }

        /// The same without manifests that `own`, those of the images themselves, say already, or that are of no image of it.
        private Named beside(Map<Digest, Descriptor> own) {
            if (manifests.isEmpty()) {
                return this;
            }
            var others = new HashMap<Digest, Descriptor>();
            manifests.forEach((id, manifest) -> {
                if (images.contains(id) && !manifest.equals(own.get(id))) {
                    others.put(id, manifest);
                }
            });
            return new Named(images, index, others);
        }

        private Named withManifests(Map<Digest, Descriptor> others) {
            return new Named(images, index, others);
        }
    }

    static final ImageIndex EMPTY = new ImageIndex(Map.of(), Map.of());

    private static final String FILE = "index.json";
    private static final String FULL_NAME = "io.containerd.image.name";
    private static final String TAG = "org.opencontainers.image.ref.name";
    private static final String ID = "dev.carafe.image.id";
    private static final String INDEX = "dev.carafe.image.index";

    ImageIndex {
        images = Collections.unmodifiableMap(new LinkedHashMap<>(images));
        var meanings = new LinkedHashMap<>(names);
        var own = images;
        meanings.replaceAll((_, meant) -> meant.beside(own));
        names = Collections.unmodifiableMap(meanings);
    }

    /// Reads the index of the layout in `root`; an empty one when there is none yet.
    static ImageIndex read(Path root) throws IOException, EngineException.Invalid {
        Path file = root.resolve(FILE);
        if (!Files.exists(file)) {
            return EMPTY;
        }
        var images = new LinkedHashMap<Digest, Descriptor>();
        var names = new LinkedHashMap<Reference, Named>();
        for (var element : Json.parseObject(Files.readAllBytes(file)).objects("manifests")) {
            var descriptor = Descriptor.fromJson(element);
            var annotations = descriptor.annotations();
            if (!annotations.containsKey(ID)) {
                continue; // another program's entry
            }
            var id = Digest.parse(annotations.getOrDefault(ID, ""));
            var manifest = descriptor.withAnnotations(Map.of());
            images.putIfAbsent(id, manifest);
            if (annotations.containsKey(FULL_NAME)) {
                String index = annotations.getOrDefault(INDEX, "");
                var meant = new Named(List.of(id),
                        index.isEmpty() ? Optional.empty() : Optional.of(Digest.parse(index)), Map.of(id, manifest));
                names.merge(Reference.parse(annotations.getOrDefault(FULL_NAME, "")), meant, ImageIndex::joined);
            }
        }
        return new ImageIndex(images, names);
    }

    private static Named joined(Named before, Named further) {
        var all = new LinkedHashSet<>(before.images);
        all.addAll(further.images);
        var manifests = new HashMap<>(further.manifests);
        manifests.putAll(before.manifests);
        return new Named(new ArrayList<>(all), before.index, manifests);
    }

    /// Makes this the index of `content`'s layout, durably and at once.
    void write(ContentStore content, CommitSteps steps) throws IOException {
        var entries = new ArrayList<Descriptor>();
        images.forEach((id, manifest) -> entries.add(manifest.withAnnotations(Map.of(ID, id.toString()))));
        names.forEach((name, meant) -> {
            for (var id : meant.images) {
                var annotations = new LinkedHashMap<String, String>();
                annotations.put(ID, id.toString());
                annotations.put(FULL_NAME, name.toString());
                name.tag().ifPresent(tag -> annotations.put(TAG, tag));
                meant.index.ifPresent(index -> annotations.put(INDEX, index.toString()));
                manifest(id, Optional.of(name)).ifPresent(manifest -> entries.add(manifest.withAnnotations(annotations)));
            }
        });
        Durable.replace(content.root().resolve(FILE), content.temporary(), Index.of(entries).toJson().printBytes(),
                steps);
    }

    /// The manifest that an image has, under a name of its if one is said.
    Optional<Descriptor> manifest(Digest id, Optional<Reference> name) {
        return name.map(names::get).map(meant -> meant.manifests.get(id)).or(() -> Optional.ofNullable(images.get(id)));
    }

    /// All manifests that an image has, its own first.
    Set<Descriptor> manifests(Digest id) {
        var all = new LinkedHashSet<Descriptor>();
        Optional.ofNullable(images.get(id)).ifPresent(all::add);
        names.values().forEach(meant -> Optional.ofNullable(meant.manifests.get(id)).ifPresent(all::add));
        return all;
    }

    /// All images' manifests.
    Set<Digest> manifests() {
        var all = new HashSet<Digest>();
        images.values().forEach(manifest -> all.add(manifest.digest()));
        names.values().forEach(meant -> meant.manifests.values().forEach(manifest -> all.add(manifest.digest())));
        return all;
    }

    /// The image that has exactly this name; of several the one for this machine, else the newest.
    Optional<Digest> named(Reference name) {
        return named(name, Platform.host()).or(
                () -> Optional.ofNullable(names.get(name)).map(meant -> meant.images.getFirst()));
    }

    /// The image of this name that runs on `platform`.
    Optional<Digest> named(Reference name, Platform platform) {
        var meant = names.get(name);
        return meant == null ? Optional.empty() : meant.images.stream().filter(id -> runsOn(id, platform)).findFirst();
    }

    /// The images that this name means, the newest first; none when there is no such name.
    List<Digest> meaning(Reference name) {
        var meant = names.get(name);
        return meant == null ? List.of() : meant.images;
    }

    /// The index that this name came with.
    Optional<Digest> indexOf(Reference name) {
        var meant = names.get(name);
        return meant == null ? Optional.empty() : meant.index;
    }

    /// The names that came with the index of this digest.
    List<Reference> namesOfIndex(Digest digest) {
        return names.entrySet().stream().filter(name -> name.getValue().index.equals(Optional.of(digest)))
                .map(Map.Entry::getKey).toList();
    }

    /// The images that have a name together with `id`, itself among them.
    Set<Digest> together(Digest id) {
        var all = new LinkedHashSet<>(List.of(id));
        names.values().stream().filter(meant -> meant.images.contains(id)).forEach(meant -> all.addAll(meant.images));
        return all;
    }

    /// True when what has this id is no image but an artifact.
    boolean isArtifact(Digest id) {
        var manifest = images.get(id);
        return manifest != null && manifest.digest().equals(id);
    }

    /// Whether the image is for `platform`; an artifact is for all.
    boolean runsOn(Digest id, Platform platform) {
        var manifest = images.get(id);
        return isArtifact(id) || manifest != null && manifest.platform().map(made -> made.runsOn(platform)).orElse(false);
    }

    /// The one image whose id begins with `hex`; empty when there is none or a choice.
    Optional<Digest> byPrefix(String hex) {
        Optional<Digest> found = Optional.empty();
        for (var id : images.keySet()) {
            if (id.hex().startsWith(hex)) {
                if (found.isPresent()) {
                    return Optional.empty();
                }
                found = Optional.of(id);
            }
        }
        return found;
    }

    /// The names of an image, sorted.
    List<Reference> namesOf(Digest id) {
        var sorted = new TreeSet<Reference>((a, b) -> a.toString().compareTo(b.toString()));
        names.forEach((name, meant) -> {
            if (meant.images.contains(id)) {
                sorted.add(name);
            }
        });
        return List.copyOf(sorted);
    }

    /// The indexes that names came from.
    Set<Digest> indexes() {
        var all = new HashSet<Digest>();
        names.values().forEach(meant -> meant.index.ifPresent(all::add));
        return all;
    }

    /// This index with a further image, unless it has it; `manifest` says its platform.
    ImageIndex withImage(Digest id, Descriptor manifest) {
        return images.containsKey(id) ? this : withManifest(id, manifest);
    }

    /// This index with an image that has this manifest, whether it has the image or not; the names that it has keep the one
    /// that it had before.
    ImageIndex withManifest(Digest id, Descriptor manifest) {
        var more = new LinkedHashMap<>(images);
        var before = more.put(id, manifest.withAnnotations(Map.of()));
        if (before == null) {
            return new ImageIndex(more, names);
        }
        var kept = new LinkedHashMap<>(names);
        kept.replaceAll((_, meant) -> {
            var manifests = new HashMap<>(meant.manifests);
            manifests.putIfAbsent(id, before);
            return meant.withManifests(manifests);
        });
        return new ImageIndex(more, kept);
    }

    /// This index with an image that has this manifest under one of its names.
    ImageIndex withManifest(Reference name, Digest id, Descriptor manifest) {
        var more = new LinkedHashMap<>(names);
        more.computeIfPresent(name, (_, meant) -> {
            var manifests = new HashMap<>(meant.manifests);
            manifests.put(id, manifest.withAnnotations(Map.of()));
            return meant.withManifests(manifests);
        });
        return new ImageIndex(images, more);
    }

    /// This index with names that had one of these manifests having their images' own.
    ImageIndex withoutManifests(Set<Digest> lost) {
        var left = new LinkedHashMap<>(names);
        left.replaceAll((_, meant) -> {
            var manifests = new HashMap<>(meant.manifests);
            manifests.values().removeIf(manifest -> lost.contains(manifest.digest()));
            return meant.withManifests(manifests);
        });
        return new ImageIndex(images, left);
    }

    /// This index with `name` given to the image `id`, which it has, and to no other.
    ImageIndex withName(Reference name, Digest id) {
        return withMeaning(name, Named.only(id));
    }

    /// This index with `name` meaning the image `id`, or all that `like` means where that is one of its names.
    ImageIndex withNameAs(Reference name, Digest id, Optional<Reference> like) {
        var meant = like.map(names::get).orElse(Named.only(id));
        boolean same = named(name).equals(Optional.of(id)) && (like.isEmpty() || meant.equals(names.get(name)));
        return same ? this : withMeaning(name, meant);
    }

    /// This index with `name` given to the image `id`, which it has and which is of the index with the digest `from`;
    /// images of other platforms that are of the same index keep the name too.
    ImageIndex withName(Reference name, Digest id, Digest from) {
        var all = new ArrayList<Digest>(List.of(id));
        var before = names.get(name);
        var manifests = new HashMap<Digest, Descriptor>();
        if (before != null && before.index.equals(Optional.of(from))) {
            manifests.putAll(before.manifests);
            manifests.remove(id);
            before.images.stream().filter(other -> !platform(other).equals(platform(id))).forEach(all::add);
        }
        return withMeaning(name, new Named(all, Optional.of(from), manifests));
    }

    /// What the image is made for.
    Optional<Platform> platform(Digest id) {
        return Optional.ofNullable(images.get(id)).flatMap(Descriptor::platform);
    }

    private ImageIndex withMeaning(Reference name, Named meant) {
        var more = new LinkedHashMap<>(names);
        more.put(name, meant);
        return new ImageIndex(images, more);
    }

    /// This index without these names.
    ImageIndex withoutNames(Collection<Reference> gone) {
        var fewer = new LinkedHashMap<>(names);
        fewer.keySet().removeAll(gone);
        return new ImageIndex(images, fewer);
    }

    /// This index without the image and all its names.
    ImageIndex withoutImage(Digest id) {
        var fewer = new LinkedHashMap<>(images);
        fewer.remove(id);
        var named = new LinkedHashMap<Reference, Named>();
        names.forEach((name, meant) -> {
            var left = meant.images.stream().filter(other -> !other.equals(id)).toList();
            if (!left.isEmpty()) {
                named.put(name, new Named(left, meant.index, meant.manifests));
            }
        });
        return new ImageIndex(fewer, named);
    }
}
