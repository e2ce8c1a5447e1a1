package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Reference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The images of an archive in Docker's own form: `manifest.json` lists for each its configuration, its layers and its
/// names. There is no OCI manifest in it, so one is made, always the same for the same image.
/// Source: Docker image spec 1.2 "Combined Image JSON + Filesystem Changeset Format".
final class DockerArchive {

    static final String TABLE = "manifest.json";

    private static final int MAX_IMAGES = 1000;

    private DockerArchive() {}

    /// The images that `table` lists.
    static List<IncomingImage> images(byte[] table, ArchiveContents contents) throws EngineException {
        if (!(Json.parse(table) instanceof Json.Arr(var elements))) {
            throw new EngineException.Invalid(TABLE + " must be an array");
        }
        if (elements.size() > MAX_IMAGES) {
            throw new EngineException.Invalid("archive has more than " + MAX_IMAGES + " images");
        }
        var images = new ArrayList<IncomingImage>();
        var configs = new HashMap<String, ImageConfig>(); // each is read once, however many elements name it
        for (var element : elements) {
            if (!(element instanceof Json.Obj image)) {
                throw new EngineException.Invalid(TABLE + " must be an array of objects");
            }
            images.add(image(image, contents, configs));
        }
        return images;
    }

    private static IncomingImage image(Json.Obj json, ArchiveContents contents, Map<String, ImageConfig> configs)
            throws EngineException {
        String configName = json.text("Config");
        byte[] configBytes = contents.document(configName).orElseThrow(() -> missing(configName));
        var config = configs.get(configName);
        if (config == null) {
            config = ImageConfig.parse(configBytes);
            configs.put(configName, config);
        }
        var layerNames = json.texts("Layers");
        if (layerNames.size() != config.diffIds().size()) {
            throw new EngineException.Invalid("invalid manifest, layers length mismatch: expected "
                    + config.diffIds().size() + ", got " + layerNames.size());
        }
        var layers = new ArrayList<Descriptor>();
        for (int i = 0; i < layerNames.size(); i++) {
            String name = layerNames.get(i);
            var layer = contents.layer(name).orElseThrow(() -> missing(name));
            IncomingImage.checkLayer(i, config.diffIds().get(i), layer.diffId());
            layers.add(Descriptor.of(MediaTypes.OCI_LAYER, layer.diffId(), layer.tarBytes()));
        }
        var names = new ArrayList<Reference>();
        for (String text : json.texts("RepoTags")) {
            var name = Reference.parse(text);
            if (name.tag().isEmpty() || name.digest().isPresent()) {
                throw new EngineException.Invalid("invalid tag \"" + text + "\"");
            }
            names.add(name);
        }
        var manifest = Manifest.of(Descriptor.of(MediaTypes.OCI_CONFIG, configBytes), layers);
        return new IncomingImage(configBytes, config, manifest.toJson().printBytes(), manifest, names,
                Optional.empty(), false);
    }

    private static EngineException.Invalid missing(String name) {
        return new EngineException.Invalid("archive is incomplete: \"" + name + "\" is missing");
    }
}
