package carafe.spec.oci;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The description of an image: its platform, what its containers run, the digests of its layers' tars (lowest first)
/// and how it was made. Its digest is the image's id, so stored bytes are never printed anew from this record.
/// Source: OCI image-spec config.md; Docker image spec 1.3.
public record ImageConfig(Platform platform, Optional<Instant> created, String author, String comment,
        String dockerVersion, RunConfig run, List<Digest> diffIds, List<History> history) {

    /// The longest configuration that is read, in bytes.
    public static final int MAX_BYTES = 8 << 20;

    private static final int MAX_HISTORY = 10_000;

    public ImageConfig {
        diffIds = List.copyOf(diffIds);
        history = List.copyOf(history);
    }

    /// Reads the configuration in `bytes`.
    public static ImageConfig parse(byte[] bytes) throws EngineException.Invalid {
        if (bytes.length > MAX_BYTES) {
            throw new EngineException.Invalid("image configuration is larger than " + MAX_BYTES + " bytes");
        }
        var json = Json.parseObject(bytes);
        var rootfs = json.object("rootfs");
        if (json.find("rootfs").isEmpty()) {
            throw new EngineException.Invalid("image configuration has no \"rootfs\"");
        }
        String type = rootfs.text("type", "layers");
        if (!type.equals("layers")) {
            throw new EngineException.Invalid("unsupported rootfs type \"" + type + "\"");
        }
        var diffIds = new ArrayList<Digest>();
        for (String text : rootfs.texts("diff_ids")) {
            diffIds.add(Digest.parse(text));
        }
        if (diffIds.size() > Manifest.MAX_LAYERS) {
            throw new EngineException.Invalid("image has more than " + Manifest.MAX_LAYERS + " layers");
        }
        var history = new ArrayList<History>();
        for (var element : json.objects("history")) {
            history.add(History.fromJson(element));
        }
        if (history.size() > MAX_HISTORY) {
            throw new EngineException.Invalid("image has more than " + MAX_HISTORY + " history entries");
        }
        return new ImageConfig(Platform.fromJson(json), readTime(json, "created"), json.text("author"),
                json.text("comment"), json.text("docker_version"), RunConfig.fromJson(json.object("config")), diffIds,
                history);
    }

    /// This description as a document.
    public Json.Obj toJson() {
        var builder = Json.object();
        created.ifPresent(time -> builder.put("created", time.toString()));
        putText(builder, "author", author);
        putText(builder, "comment", comment);
        putText(builder, "docker_version", dockerVersion);
        builder.putAll(platform.toJson());
        builder.put("config", run.toJson());
        builder.put("rootfs", Json.object().put("type", "layers")
                .put("diff_ids", Json.ofTexts(diffIds.stream().map(Digest::toString).toList())).build());
        builder.put("history", Json.ofAll(history.stream().map(History::toJson).toList()));
        return builder.build();
    }

    static Optional<Instant> readTime(Json.Obj json, String key) throws EngineException.Invalid {
        String text = json.text(key);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(OffsetDateTime.parse(text).toInstant());
        } catch (DateTimeException e) {
            throw new EngineException.Invalid("\"" + key + "\" must be a time of RFC 3339, not \""
                    + (text.length() > 60 ? text.substring(0, 60) + "…" : text) + "\"");
        }
    }

    static void putText(Json.Builder builder, String key, String text) {
        if (!text.isEmpty()) {
            builder.put(key, text);
        }
    }

    static void putTexts(Json.Builder builder, String key, List<String> texts) {
        if (!texts.isEmpty()) {
            builder.put(key, Json.ofTexts(texts));
        }
    }
}
