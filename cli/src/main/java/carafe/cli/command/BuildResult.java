package carafe.cli.command;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.build.BlobForm;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;

/// What a build made: the id of the image for the engine's own platform, the images of all platforms, the descriptor
/// of the image's manifest or of the index of several, and that index, empty where there is none.
record BuildResult(String image, List<Made> images, Json.Obj descriptor, Json.Obj index) {

    BuildResult {
        images = List.copyOf(images);
    }

    /// The image for a platform, as `linux/arm64`, and what its manifest is annotated with.
    record Made(String platform, String id, Json.Obj annotations) {

        /// The directory that buildx has for its files.
        String directory() {
            return platform.replace('/', '_');
        }
    }

    /// Reads the engine's last event.
    static BuildResult of(Json.Obj outcome) throws EngineException.Invalid {
        var images = new ArrayList<Made>();
        for (var each : outcome.objects("images")) {
            images.add(new Made(each.text("platform"), each.text("id"), each.object("annotations")));
        }
        return new BuildResult(outcome.text("image"), images, outcome.object("descriptor"), outcome.object("index"));
    }

    /// Whether images of several platforms are held together by an index.
    boolean isIndex() throws EngineException.Invalid {
        return descriptor.text("mediaType").contains("index");
    }

    /// What it is called by programs: the image's id, the index's digest.
    String name() throws EngineException.Invalid {
        return isIndex() ? descriptor.text("digest") : image;
    }

    /// The same as a registry has it, whose layers are compressed.
    BuildResult pushed(Optional<Json.Obj> there) throws EngineException.Invalid {
        if (there.isEmpty()) {
            return this;
        }
        var aux = there.get();
        return new BuildResult(image, images, Json.object().putAll(descriptor).put("digest", aux.text("Digest"))
                .put("size", aux.number("Size", 0)).build(), index);
    }

    /// The same as an archive has it, whose manifest or index `there` describes.
    BuildResult archived(Json.Obj there) {
        return new BuildResult(image, images, Json.object().putAll(descriptor).putAll(there).build(), index);
    }

    /// What the engine is asked to make an archive of, in which it is called `tags` and its layers have this form.
    Json.Obj archive(List<String> tags, BlobForm form) throws EngineException.Invalid {
        var ids = new LinkedHashSet<>(List.of(image));
        var annotations = Json.object();
        for (var each : images.reversed()) { // of platforms that came to the same image the first is the one that was made
            annotations.put(each.id, each.annotations);
        }
        images.forEach(each -> ids.add(each.id));
        var asked = Json.object().put("images", Json.ofTexts(List.copyOf(ids))).put("index", index)
                .put("names", Json.ofTexts(tags)).put("annotations", descriptor.object("annotations"))
                .put("manifestAnnotations", annotations.build()).put("compression", form.word())
                .put("dockerTypes", form.docker());
        form.level().ifPresent(level -> asked.put("compressionLevel", level));
        return asked.build();
    }

    /// What is told of it, under the names that buildx has.
    Json.Obj metadata(List<String> tags) throws EngineException.Invalid {
        var told = Json.object();
        if (!image.isEmpty() && !isIndex()) {
            told.put("containerimage.config.digest", image);
        }
        if (!descriptor.text("digest").isEmpty()) {
            told.put("containerimage.descriptor", descriptor).put("containerimage.digest", descriptor.text("digest"));
        }
        if (!tags.isEmpty()) {
            told.put("image.name", String.join(",", tags.stream().map(ImageName::full).toList()));
        }
        return told.build();
    }
}
