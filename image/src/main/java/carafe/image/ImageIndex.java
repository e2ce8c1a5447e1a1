package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Index;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/// Which images there are and what they are called, at one moment; a change makes a new index. Kept as the `index.json`
/// of the OCI layout, one entry per name, one for an image without a name.
///
/// @param images    the manifest of each image by the image's id, in the order they came
/// @param names     the image of each name
record ImageIndex(Map<Digest, Descriptor> images, Map<Reference, Digest> names) {

    static final ImageIndex EMPTY = new ImageIndex(Map.of(), Map.of());

    private static final String FILE = "index.json";
    private static final String FULL_NAME = "io.containerd.image.name";
    private static final String TAG = "org.opencontainers.image.ref.name";
    private static final String ID = "dev.carafe.image.id";

    ImageIndex {
        images = Collections.unmodifiableMap(new LinkedHashMap<>(images));
        names = Collections.unmodifiableMap(new LinkedHashMap<>(names));
    }

    /// Reads the index of the layout in `root`; an empty one when there is none yet.
    static ImageIndex read(Path root) throws IOException, EngineException.Invalid {
        Path file = root.resolve(FILE);
        if (!Files.exists(file)) {
            return EMPTY;
        }
        var images = new LinkedHashMap<Digest, Descriptor>();
        var names = new LinkedHashMap<Reference, Digest>();
        for (var element : Json.parseObject(Files.readAllBytes(file)).objects("manifests")) {
            var descriptor = Descriptor.fromJson(element);
            var annotations = descriptor.annotations();
            if (!annotations.containsKey(ID)) {
                continue; // another program's entry
            }
            var id = Digest.parse(annotations.getOrDefault(ID, ""));
            images.putIfAbsent(id, descriptor.withAnnotations(Map.of()));
            if (annotations.containsKey(FULL_NAME)) {
                names.put(Reference.parse(annotations.getOrDefault(FULL_NAME, "")), id);
            }
        }
        return new ImageIndex(images, names);
    }

    /// Makes this the index of `content`'s layout, durably and at once.
    void write(ContentStore content, CommitSteps steps) throws IOException {
        var named = new LinkedHashMap<Digest, List<Reference>>();
        names.forEach((name, id) -> named.computeIfAbsent(id, _ -> new ArrayList<>()).add(name));
        var entries = new ArrayList<Descriptor>();
        images.forEach((id, manifest) -> {
            for (var name : named.getOrDefault(id, List.of())) {
                var annotations = new LinkedHashMap<String, String>();
                annotations.put(ID, id.toString());
                annotations.put(FULL_NAME, name.toString());
                name.tag().ifPresent(tag -> annotations.put(TAG, tag));
                entries.add(manifest.withAnnotations(annotations));
            }
            if (!named.containsKey(id)) {
                entries.add(manifest.withAnnotations(Map.of(ID, id.toString())));
            }
        });
        Durable.replace(content.root().resolve(FILE), content.temporary(), Index.of(entries).toJson().printBytes(),
                steps);
    }

    /// The image that has exactly this name.
    Optional<Digest> named(Reference name) {
        return Optional.ofNullable(names.get(name));
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
        names.forEach((name, owner) -> {
            if (owner.equals(id)) {
                sorted.add(name);
            }
        });
        return List.copyOf(sorted);
    }

    /// This index with a further image, unless it has it.
    ImageIndex withImage(Digest id, Descriptor manifest) {
        if (images.containsKey(id)) {
            return this;
        }
        var more = new LinkedHashMap<>(images);
        more.put(id, manifest.withAnnotations(Map.of()));
        return new ImageIndex(more, names);
    }

    /// This index with `name` given to the image `id`, which it has.
    ImageIndex withName(Reference name, Digest id) {
        var more = new LinkedHashMap<>(names);
        more.put(name, id);
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
        var named = new LinkedHashMap<>(names);
        named.values().removeIf(id::equals);
        return new ImageIndex(fewer, named);
    }
}
