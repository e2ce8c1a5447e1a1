package carafe.build.source;

import carafe.build.tree.ContextArchive;
import carafe.build.tree.LayerMember;
import carafe.build.tree.LayerTar;
import carafe.build.tree.Node;
import carafe.image.Images;
import carafe.image.LoadProgress;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A directory in OCI layout that was sent as a context: the one image that is meant goes into the store, without name.
/// Source: OCI image-spec, "Image Layout".
final class ImageLayout {

    private static final int MAX_INDEX_BYTES = 4 << 20;
    private static final String REF_NAME = "org.opencontainers.image.ref.name";

    private ImageLayout() {}

    /// Takes in the image called `reference` (a tag, `@` and a digest, `""`: the only one).
    /// @return its id
    static Digest load(ContextArchive layout, String reference, Images images) throws IOException, EngineException {
        var index = Json.parseObject(layout.read("index.json", MAX_INDEX_BYTES).orElseThrow(() ->
                new EngineException.Invalid("the OCI layout has no index.json")));
        var meant = new ArrayList<Json.Obj>();
        for (var manifest : index.objects("manifests")) {
            boolean named = reference.isEmpty() || reference.equals("@" + manifest.text("digest"))
                    || reference.equals(manifest.textMap("annotations").getOrDefault(REF_NAME, ""));
            if (named) {
                meant.add(manifest);
            }
        }
        if (meant.size() != 1) {
            throw new EngineException.Invalid("the OCI layout has " + (meant.isEmpty() ? "no image" : meant.size() + " images")
                    + (reference.isEmpty() ? "" : " called " + reference) + "; name one behind its path, as PATH:TAG or "
                    + "PATH@DIGEST");
        }
        var bare = Json.object().put("mediaType", meant.getFirst().text("mediaType"))
                .put("digest", meant.getFirst().text("digest")).put("size", meant.getFirst().number("size", 0)).build();
        byte[] only = Json.object().put("schemaVersion", 2).put("manifests", Json.ofAll(List.of(bare))).build().printBytes();
        var members = new ArrayList<LayerMember>();
        members.add(file("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}".getBytes(StandardCharsets.UTF_8)));
        members.add(file("index.json", only));
        for (var algorithm : layout.list("blobs")) {
            for (var blob : layout.list(algorithm.path())) {
                if (blob.type() == Node.Type.FILE) {
                    members.add(LayerMember.of(blob, () -> layout.open(blob)));
                }
            }
        }
        try (var tar = new LayerTar(members.iterator())) {
            var loaded = images.load(tar, LoadProgress.SILENT);
            if (loaded.isEmpty()) {
                throw new EngineException.Invalid("the OCI layout has no image for this machine");
            }
            return loaded.getFirst().id();
        }
    }

    private static LayerMember file(String path, byte[] content) {
        var node = new Node(path, Node.Type.FILE, Node.Owner.ROOT, 0644, content.length, new Node.Time(0, 0), "", Map.of());
        return LayerMember.of(node, content);
    }
}
