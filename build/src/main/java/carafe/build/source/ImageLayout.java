package carafe.build.source;

import carafe.build.plan.BaseImages.BaseImage;
import carafe.build.tree.ContextArchive;
import carafe.build.tree.LayerMember;
import carafe.build.tree.LayerTar;
import carafe.build.tree.Node;
import carafe.image.Images;
import carafe.image.LoadProgress;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Platform;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A directory in OCI layout that was sent as a context, and what is meant of it: one image, or for each platform another,
/// which an index lists or several entries of the layout's table are. An image goes into the store, without name, when
/// somebody wants it. One thread's. Source: OCI image-spec, "Image Layout".
final class ImageLayout implements AutoCloseable {

    private static final int MAX_INDEX_BYTES = 4 << 20;
    private static final String REF_NAME = "org.opencontainers.image.ref.name";

    private final String name;
    private final ContextArchive layout;
    private final List<Json.Obj> meant;
    private final Images images;
    private final Map<String, BaseImage> loaded = new HashMap<>();

    private ImageLayout(String name, ContextArchive layout, List<Json.Obj> meant, Images images) {
        this.name = name;
        this.layout = layout;
        this.meant = meant;
        this.images = images;
    }

    /// The context `name`: in `layout`, which it owns if it returns, what is called `reference` (a tag, `@` and a digest, `""`:
    /// the only one).
    /// @throws EngineException.Invalid there is nothing of that name, or a choice
    static ImageLayout open(String name, ContextArchive layout, String reference, Images images)
            throws IOException, EngineException {
        var index = Json.parseObject(layout.read("index.json", MAX_INDEX_BYTES).orElseThrow(() ->
                new EngineException.Invalid("the OCI layout " + name + " has no index.json")));
        var meant = new ArrayList<Json.Obj>();
        for (var entry : index.objects("manifests")) {
            boolean named = reference.isEmpty() || reference.equals("@" + entry.text("digest"))
                    || reference.equals(entry.textMap("annotations").getOrDefault(REF_NAME, ""));
            if (named) {
                meant.add(entry);
            }
        }
        if (meant.isEmpty() || meant.size() > 1 && !eachForAPlatform(meant)) {
            throw new EngineException.Invalid("the OCI layout has " + (meant.isEmpty() ? "no image" : meant.size() + " images")
                    + (reference.isEmpty() ? "" : " called " + reference) + "; name one behind its path, as PATH:TAG or "
                    + "PATH@DIGEST");
        }
        return new ImageLayout(name, layout, meant, images);
    }

    /// Whether each entry is for a platform of its own, as in an index.
    private static boolean eachForAPlatform(List<Json.Obj> entries) throws EngineException.Invalid {
        var platforms = new HashSet<String>();
        for (var entry : entries) {
            Descriptor.fromJson(entry).platform().ifPresent(platform -> platforms.add(platform.toString()));
        }
        return platforms.size() == entries.size();
    }

    /// The image for `platform`; one that is alone is for every platform.
    /// @throws EngineException.NotFound there is none for it
    BaseImage find(Platform platform) throws EngineException {
        boolean alone = meant.size() == 1 && !MediaTypes.isIndex(meant.getFirst().text("mediaType"));
        String key = alone ? "" : platform.toString();
        var known = loaded.get(key);
        if (known == null || images.byId(known.id()).isEmpty()) {
            try {
                known = load(alone ? Optional.empty() : Optional.of(platform));
            } catch (EngineException.NotFound e) {
                throw new EngineException.NotFound("the OCI layout " + name + " has no image for " + platform);
            } catch (IOException e) {
                throw new EngineException.Unavailable("cannot read the OCI layout " + name + ": " + e.getMessage(), e);
            }
            loaded.put(key, known);
        }
        return known;
    }

    private BaseImage load(Optional<Platform> platform) throws IOException, EngineException {
        var entry = meant.size() > 1 && platform.isPresent() ? best(platform.get()) : meant.getFirst();
        var only = Json.object().put("mediaType", entry.text("mediaType")).put("digest", entry.text("digest"))
                .put("size", entry.number("size", 0)).build();
        byte[] table = Json.object().put("schemaVersion", 2).put("manifests", Json.ofAll(List.of(only))).build().printBytes();
        var members = new ArrayList<LayerMember>();
        members.add(file("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}".getBytes(StandardCharsets.UTF_8)));
        members.add(file("index.json", table));
        for (var algorithm : layout.list("blobs")) {
            for (var blob : layout.list(algorithm.path())) {
                if (blob.type() == Node.Type.FILE) {
                    members.add(LayerMember.of(blob, () -> layout.open(blob)));
                }
            }
        }
        try (var tar = new LayerTar(members.iterator())) {
            var found = images.load(tar, platform, LoadProgress.SILENT);
            if (found.isEmpty()) {
                throw new EngineException.Invalid("the OCI layout " + name + " has no image");
            }
            var id = found.getFirst().id();
            var image = images.byId(id).orElseThrow(() -> new EngineException.NotFound("No such image: " + id));
            return new BaseImage(id, image.config());
        }
    }

    /// The entry that is made for `platform`, else of those that run there the one of the newest variant; the blobs of the
    /// others need not be there.
    private Json.Obj best(Platform platform) throws EngineException {
        Optional<Json.Obj> best = Optional.empty();
        String variant = "";
        for (var entry : meant) {
            var made = Descriptor.fromJson(entry).platform();
            if (made.isEmpty() || !made.get().runsOn(platform)) {
                continue;
            }
            var named = Platform.parse(made.get().toString()); // `linux/arm` is v7
            if (named.toString().equals(platform.toString())) {
                return entry;
            }
            if (best.isEmpty() || named.variant().compareTo(variant) > 0) {
                best = Optional.of(entry);
                variant = named.variant();
            }
        }
        return best.orElseThrow(() -> new EngineException.NotFound("there is none"));
    }

    private static LayerMember file(String path, byte[] content) {
        var node = new Node(path, Node.Type.FILE, Node.Owner.ROOT, 0644, content.length, new Node.Time(0, 0), "", Map.of());
        return LayerMember.of(node, content);
    }

    @Override
    public void close() throws IOException {
        layout.close();
    }
}
