package carafe.api;

import carafe.engine.BuiltArchive;
import carafe.engine.CommitRequest;
import carafe.engine.Containers;
import carafe.engine.Download;
import carafe.engine.ImageCatalog;
import carafe.engine.ImageRemoval;
import carafe.spec.EngineException;
import carafe.spec.EngineException.Invalid;
import carafe.spec.Json;
import carafe.spec.build.BlobForm;
import carafe.spec.oci.Platform;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Images and containers as files: save, commit, export, and what pruning images takes away.
final class ImageFileRoutes {

    private static final String TAR = "application/x-tar";
    private static final String MANIFEST = "Carafe-Manifest";

    private final ImageCatalog images;
    private final Containers containers;

    ImageFileRoutes(ImageCatalog images, Containers containers) {
        this.images = images;
        this.containers = containers;
    }

    void addTo(Routes routes) {
        routes.add("GET /images/get", call -> save(call, call.query().all("names")));
        routes.add("GET /images/{name*}/get", call -> save(call, List.of(call.name("name"))));
        routes.add("POST /build/export", this::export);
        routes.add("GET /build/files", call -> send(call, images.files(call.text("image"))));
        routes.add("POST /images/prune", this::prune);
        routes.add("POST /commit", this::commit);
        routes.add("GET /containers/{id}/export", call -> send(call, containers.export(call.name("id"))));
    }

    private void save(Call call, List<String> names) throws Exception {
        if (names.isEmpty()) {
            throw new Invalid("no images to save: the query has no \"names\"");
        }
        send(call, images.save(names, platform(call)));
    }

    /// What a build's client says of what was made, and wants an archive of.
    private void export(Call call) throws Exception {
        var body = call.body();
        var index = body.object("index");
        var ofManifests = new HashMap<String, Map<String, String>>();
        for (String id : body.object("manifestAnnotations").fields().keySet()) {
            ofManifests.put(id, body.object("manifestAnnotations").textMap(id));
        }
        var level = body.find("compressionLevel").isEmpty() ? "" : Long.toString(body.number("compressionLevel", 0));
        var form = BlobForm.of(body.text("compression"), BlobForm.Compression.UNCOMPRESSED, level, body.truth("dockerTypes"));
        var exporter = Thread.currentThread();
        call.exchange().onClientGone(exporter::interrupt); // nothing is written while layers are compressed
        try {
            var made = images.save(new BuiltArchive(body.texts("images"),
                    index.fields().isEmpty() ? Optional.empty() : Optional.of(index.printBytes()), body.texts("names"),
                    body.textMap("annotations"), ofManifests, form));
            var about = made.about();
            try (var archive = made.archive(); var out = call.answerStreaming(TAR, Map.of(MANIFEST, Json.object()
                    .put("mediaType", about.mediaType()).put("digest", about.digest().toString()).put("size", about.size())
                    .build().print()))) {
                archive.write(out);
            }
        } finally {
            Thread.interrupted(); // the answer's end is not to be cut by a late word of the client's going
        }
    }

    /// The one platform that an archive is wanted for: `os/arch/variant`, or as Docker's clients say it, a document.
    static Optional<Platform> platform(Call call) throws Invalid {
        var said = call.query().all("platform");
        if (said.size() > 1) {
            throw new Invalid("one platform at a time can be given, not " + said.size());
        }
        if (said.isEmpty() || said.getFirst().isEmpty()) {
            return Optional.empty();
        }
        String text = said.getFirst();
        if (!text.startsWith("{")) {
            return Optional.of(Platform.parse(text));
        }
        var json = Json.parseObject(text.getBytes(StandardCharsets.UTF_8));
        String variant = json.text("variant");
        return Optional.of(Platform.parse(json.text("os") + "/" + json.text("architecture")
                + (variant.isEmpty() ? "" : "/" + variant)));
    }

    /// A failure after the first byte tears the body, which clients notice.
    private static void send(Call call, Download download) throws Exception {
        try (download; var out = call.answerStreaming(TAR)) {
            download.write(out);
        }
    }

    private void commit(Call call) throws Exception {
        if (call.text("container").isEmpty()) {
            throw new Invalid("container is not given");
        }
        boolean pause = call.text("pause").isEmpty() || call.flag("pause");
        String id = images.commit(new CommitRequest(call.text("container"), call.text("repo"), call.text("tag"),
                call.text("author"), call.text("comment"), pause, call.body(), call.query().all("changes")));
        call.answer(201, Json.object().put("Id", id).build());
    }

    private void prune(Call call) throws Exception {
        var pruned = images.prune(call.filters());
        var removed = pruned.removals().stream().map(ImageFileRoutes::message).toList();
        call.answer(Json.object().put("ImagesDeleted", removed.isEmpty() ? Json.NULL : Json.ofAll(removed))
                .put("SpaceReclaimed", pruned.reclaimedBytes()).build());
    }

    static Json message(ImageRemoval removal) {
        return switch (removal) {
            case ImageRemoval.Untagged(String name) -> Json.object().put("Untagged", name).build();
            case ImageRemoval.Deleted(String id) -> Json.object().put("Deleted", id).build();
        };
    }
}
