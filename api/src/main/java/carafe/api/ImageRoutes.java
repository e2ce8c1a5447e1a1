package carafe.api;

import carafe.engine.ImageCatalog;
import carafe.engine.ImageManifest;
import carafe.engine.ImageSummary;
import carafe.engine.ImportRequest;
import carafe.engine.LoadListener;
import carafe.engine.transfer.ReferrerList;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.Timestamps;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Reference;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// Images: load, list, inspect, history, tag, remove.
final class ImageRoutes {

    private final ImageCatalog images;
    private final TransferRoutes transfers;

    ImageRoutes(ImageCatalog images, TransferRoutes transfers) {
        this.images = images;
        this.transfers = transfers;
    }

    void addTo(Routes routes) {
        routes.add("GET /images/json", this::list);
        routes.add("GET /carafe/v1/images/referrers", this::referrers);
        routes.add("POST /images/load", this::load);
        routes.add("POST /images/create", this::create);
        routes.add("GET /images/{name*}/json", this::inspect);
        routes.add("GET /images/{name*}/history", this::history);
        routes.add("POST /images/{name*}/tag", this::tag);
        routes.add("DELETE /images/{name*}", this::remove);
    }

    private void list(Call call) throws Exception {
        boolean manifests = call.flag("manifests") && !call.version().before(47);
        var lines = new ArrayList<Json>();
        for (var image : images.list(call.filters())) {
            var line = summary(image, -1, call.version());
            lines.add(manifests ? line.with("Manifests", manifests(image.id())) : line);
        }
        call.answer(Json.ofAll(lines));
    }

    private Json manifests(Digest id) throws EngineException {
        return Json.ofAll(images.manifests(id).stream().map(ImageRoutes::manifest).toList());
    }

    private static Json manifest(ImageManifest each) {
        var here = each.image();
        var descriptor = each.manifest();
        long documents = here.map(ImageManifest.Here::documentBytes).orElse(0L);
        var json = Json.object().put("ID", descriptor.digest().toString()).put("Descriptor", descriptor.toJson())
                .put("Available", here.isPresent())
                .put("Size", Json.object().put("Content", documents)
                        .put("Total", documents + here.map(ImageManifest.Here::fileBytes).orElse(0L)).build());
        if (each.attests().isPresent()) {
            return json.put("Kind", "attestation")
                    .put("AttestationData", Json.object().put("For", each.attests().get().toString()).build()).build();
        }
        var platform = here.map(ImageManifest.Here::platform).or(descriptor::platform);
        if (platform.isEmpty()) {
            return json.put("Kind", "unknown").build();
        }
        var image = Json.object().put("Platform", RegistryRoutes.platform(platform.get()))
                .put("Containers", Json.ofTexts(here.map(ImageManifest.Here::containers).orElse(List.of())))
                .put("Size", Json.object().put("Unpacked", here.map(ImageManifest.Here::fileBytes).orElse(0L)).build());
        return json.put("Kind", "image").put("ImageData", image.build()).build();
    }

    /// One line of a list; `sharedBytes` is -1 where nobody asked.
    static Json.Obj summary(ImageSummary image, long sharedBytes, ApiVersion version) {
        var json = Json.object()
                .put("Id", image.id().toString())
                .put("ParentId", "")
                .put("RepoTags", names(image.tags()))
                .put("RepoDigests", names(image.digests()))
                .put("Created", image.created().map(Instant::getEpochSecond).orElse(0L))
                .put("Size", image.sizeBytes())
                .put("SharedSize", sharedBytes)
                .put("Labels", Json.ofMap(image.labels()))
                .put("Containers", image.containers());
        image.artifact().ifPresent(descriptor -> json.put("Descriptor", descriptor.toJson()));
        if (version.before(44)) {
            json.put("VirtualSize", image.sizeBytes());
        }
        return json.build();
    }

    private static Json names(List<Reference> references) {
        return Json.ofTexts(references.stream().map(Reference::familiar).toList());
    }

    private void inspect(Call call) throws Exception {
        boolean manifests = call.flag("manifests") && !call.version().before(48);
        var platform = ImageFileRoutes.platform(call);
        if (manifests && platform.isPresent()) {
            throw new EngineException.Invalid("conflicting options: manifests and platform options cannot both be set");
        }
        var image = images.inspect(call.name("name"), platform);
        var config = image.config();
        var json = Json.object()
                .put("Id", image.id().toString())
                .put("RepoTags", names(image.tags()))
                .put("RepoDigests", names(image.digests()))
                .put("Comment", config.comment())
                .put("Created", Timestamps.print(config.created()))
                .put("Author", config.author())
                .put("Config", image.document().object("config"))
                .put("Architecture", config.platform().architecture());
        if (!config.platform().variant().isEmpty()) {
            json.put("Variant", config.platform().variant());
        }
        json.put("Os", config.platform().os()).put("Size", image.sizeBytes());
        if (call.version().before(52)) {
            json.put("Parent", "").put("DockerVersion", config.dockerVersion());
            json.put("GraphDriver", Json.object().put("Data", Json.NULL).put("Name", "overlay").build());
        }
        if (call.version().before(44)) {
            json.put("VirtualSize", image.sizeBytes());
        }
        json.put("ContainerConfig", containerConfig(image.document()));
        image.artifact().ifPresent(artifact -> json.put("Descriptor", artifact.descriptor().toJson())
                .put("Manifest", artifact.manifest()));
        if (manifests) {
            json.put("Manifests", manifests(image.id()));
        }
        call.answer(json.put("RootFS", Json.object()
                        .put("Type", "layers")
                        .put("Layers", Json.ofTexts(config.diffIds().stream().map(Digest::toString).toList()))
                        .build())
                .put("Metadata", Json.object().put("LastTagTime", Timestamps.ZERO).build())
                .build());
    }

    private void referrers(Call call) throws Exception {
        call.answer(referrers(images.referrers(call.text("name"))));
    }

    /// What refers to an image, as an index of OCI's form lists it, each with what is known of it here, and in words what
    /// was left off.
    static Json referrers(ReferrerList list) {
        return Json.object().put("referrers", Json.ofAll(list.found().stream()
                .map(each -> Json.object()
                        .put("descriptor", each.descriptor().toJson())
                        .put("subject", each.subject().toString())
                        .put("names", names(each.names()))
                        .put("here", each.here())
                        .build())
                .toList())).put("left", list.left()).build();
    }

    /// The configuration of the container that an image was committed from, where its builder kept it: clients of those
    /// days look for volumes there.
    private static Json containerConfig(Json.Obj image) throws EngineException.Invalid {
        return Json.object().put("Volumes", Json.NULL).putAll(image.object("container_config")).build();
    }

    private void history(Call call) throws Exception {
        var steps = images.history(call.name("name")).stream()
                .map(step -> Json.object()
                        .put("Id", step.id())
                        .put("Created", step.created().map(Instant::getEpochSecond).orElse(0L))
                        .put("CreatedBy", step.createdBy())
                        .put("Tags", step.tags().isEmpty() ? Json.NULL : Json.ofTexts(step.tags()))
                        .put("Size", step.sizeBytes())
                        .put("Comment", step.comment())
                        .build())
                .toList();
        call.answer(Json.ofAll(steps));
    }

    private void tag(Call call) throws Exception {
        images.tag(call.name("name"), call.text("repo"), call.text("tag"));
        call.answerNothing(201);
    }

    private void remove(Call call) throws Exception {
        var removed = images.remove(call.name("name"), call.flag("force")).stream()
                .map(ImageFileRoutes::message).toList();
        call.answer(Json.ofAll(removed));
    }

    private void load(Call call) throws Exception {
        try (var loading = new LoadAnswer(call)) {
            try {
                images.load(call.exchange().body(), ImageFileRoutes.platform(call), loading);
            } catch (EngineException e) {
                loading.fail(e);
            }
            loading.answer.end();
        }
    }

    private void create(Call call) throws Exception {
        if (!call.text("fromSrc").isEmpty()) {
            importRoot(call);
            return;
        }
        transfers.pull(call);
    }

    private void importRoot(Call call) throws Exception {
        var request = new ImportRequest(call.text("fromSrc"), call.text("repo"), call.text("tag"), call.text("message"),
                call.text("platform"), call.query().all("changes"));
        String id = images.importRoot(call.exchange().body(), request);
        call.answer(Json.object().put("status", id).build());
    }

    /// The answer to a load: Docker's messages of how far each layer is.
    private static final class LoadAnswer implements LoadListener, AutoCloseable {
        private static final long STEP_BYTES = 1 << 20;

        private final MessageAnswer answer;
        private final boolean quiet;
        private long lastShown;

        LoadAnswer(Call call) {
            this.answer = new MessageAnswer(call, "application/json", "\r\n");
            this.quiet = call.text("quiet").isEmpty() || call.flag("quiet"); // as Docker: no first word before the last
        }

        @Override
        public void message(String sentence) {
            answer.send(Json.object().put("stream", sentence + "\n").build());
        }

        @Override
        public void layer(String id, long doneBytes, long totalBytes) {
            if (quiet || doneBytes != totalBytes && Math.abs(doneBytes - lastShown) < STEP_BYTES) {
                return;
            }
            lastShown = doneBytes;
            answer.send(Json.object()
                    .put("status", "Loading layer")
                    .put("progressDetail", Json.object().put("current", doneBytes).put("total", totalBytes).build())
                    .put("id", id)
                    .build());
        }

        void fail(EngineException e) throws EngineException {
            answer.fail(e, Json.object()
                    .put("errorDetail", Json.object().put("message", e.getMessage()).build())
                    .put("error", e.getMessage())
                    .build());
        }

        @Override
        public void close() {
            answer.close();
        }
    }
}
