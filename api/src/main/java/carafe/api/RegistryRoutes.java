package carafe.api;

import carafe.engine.transfer.ImageTransfers;
import carafe.spec.EngineException.Invalid;
import carafe.spec.Json;
import carafe.spec.docker.AuthConfig;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;

/// What is asked of registries through the engine: login, search, what a name means there; and, beside Docker's API,
/// tags, manifests and small blobs for the commands of our own client.
final class RegistryRoutes {

    private static final int FOUND = 25;

    private final ImageTransfers transfers;

    RegistryRoutes(ImageTransfers transfers) {
        this.transfers = transfers;
    }

    void addTo(Routes routes) {
        routes.add("POST /auth", this::login);
        routes.add("GET /images/search", this::search);
        routes.add("GET /distribution/{name*}/json", this::inspect);
        routes.add("GET /carafe/v1/registry/tags", this::tags);
        routes.add("GET /carafe/v1/registry/referrers", this::referrers);
        routes.add("GET /carafe/v1/registry/manifest", this::manifest);
        routes.add("GET /carafe/v1/registry/blob", this::blob);
        routes.add("POST /carafe/v1/registry/manifest", this::put);
    }

    private void login(Call call) throws Exception {
        switch (transfers.login(AuthConfig.fromJson(call.body()))) {
            case ImageTransfers.Login.Accepted(String identity) -> call.answer(Json.object()
                    .put("IdentityToken", identity)
                    .put("Status", "Login Succeeded")
                    .build());
            case ImageTransfers.Login.Refused(String sentence) ->
                call.answer(401, Json.object().put("message", sentence).build());
        }
    }

    private void search(Call call) throws Exception {
        String term = call.text("term");
        if (term.isBlank()) {
            throw new Invalid("a search needs a term");
        }
        long limit = call.number("limit").orElse((long) FOUND);
        if (limit < 0 || limit > 100) {
            throw new Invalid("limit " + limit + " is outside the range of [1, 100]");
        }
        var filters = call.filters();
        long stars = 0;
        for (String least : filters.of("stars")) {
            if (!least.matches("[0-9]{1,9}")) {
                throw new Invalid("invalid filter 'stars=" + least + "'");
            }
            stars = Math.max(stars, Long.parseLong(least));
        }
        boolean asksOfficial = !filters.of("is-official").isEmpty();
        boolean official = filters.truth("is-official", false);
        var found = new ArrayList<Json>();
        for (var each : transfers.search(term, limit == 0 ? FOUND : (int) limit, TransferRoutes.auth(call))) {
            if (each.stars() >= stars && (!asksOfficial || each.official() == official)) {
                found.add(Json.object()
                        .put("star_count", each.stars())
                        .put("is_official", each.official())
                        .put("name", each.name())
                        .put("is_automated", each.automated())
                        .put("description", each.description())
                        .build());
            }
        }
        call.answer(Json.ofAll(found));
    }

    private void inspect(Call call) throws Exception {
        var seen = transfers.inspect(Reference.parse(call.name("name")), TransferRoutes.auth(call));
        call.answer(Json.object()
                .put("Descriptor", seen.descriptor().toJson())
                .put("Platforms", Json.ofAll(seen.platforms().stream().map(RegistryRoutes::platform).toList()))
                .build());
    }

    static Json platform(Platform platform) {
        var json = Json.object().put("architecture", platform.architecture()).put("os", platform.os());
        if (!platform.variant().isEmpty()) {
            json.put("variant", platform.variant());
        }
        return json.build();
    }

    private void tags(Call call) throws Exception {
        call.answer(Json.object()
                .put("tags", Json.ofTexts(transfers.tags(Reference.parse(call.text("name")), TransferRoutes.auth(call))))
                .build());
    }

    private void referrers(Call call) throws Exception {
        call.answer(ImageRoutes.referrers(
                transfers.referrers(Reference.parse(call.text("name")), TransferRoutes.auth(call))));
    }

    /// The document as a text, so that its bytes survive.
    private void manifest(Call call) throws Exception {
        var document = transfers.document(Reference.parse(call.text("name")), TransferRoutes.auth(call));
        call.answer(Json.object()
                .put("mediaType", document.mediaType())
                .put("document", new String(document.bytes(), StandardCharsets.UTF_8))
                .build());
    }

    private void blob(Call call) throws Exception {
        var blob = Descriptor.of(call.text("type"), Digest.parse(call.text("digest")), call.number("size").orElse(0L));
        byte[] bytes = transfers.blob(Reference.parse(call.text("name")), blob, TransferRoutes.auth(call));
        call.answer(Json.object().put("document", new String(bytes, StandardCharsets.UTF_8)).build());
    }

    private void put(Call call) throws Exception {
        var body = call.body();
        var parts = new ArrayList<Reference>();
        for (String part : body.texts("parts")) {
            var reference = Reference.parse(part);
            if (reference.digest().isEmpty()) {
                throw new Invalid("a part of an index is named by its digest: " + part);
            }
            parts.add(reference);
        }
        var document = new ImageTransfers.RemoteDocument(body.text("mediaType"),
                body.text("document").getBytes(StandardCharsets.UTF_8));
        var sent = transfers.put(Reference.parse(call.text("name")), document, parts, TransferRoutes.auth(call));
        call.answer(Json.object().put("digest", sent.digest().toString()).put("size", sent.size()).build());
    }
}
