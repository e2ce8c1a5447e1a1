package carafe.api;

import carafe.engine.Builds;
import carafe.spec.EngineException.Invalid;
import carafe.spec.EngineException.Unsupported;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.build.BuildListener;
import carafe.spec.build.BuildOutcome;
import carafe.spec.build.BuildRequest;
import carafe.spec.build.CacheFilters;
import carafe.spec.build.CachePrune;
import carafe.spec.build.CacheUse;
import carafe.spec.docker.AuthConfig;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.List;

/// Builds: the classic door that every Docker client knows, a richer one of our own beside it, and the cache.
final class BuildRoutes {

    /// A body that begins with a document of our own (its length, four bytes, then JSON) before the tar.
    static final String OWN_TYPE = "application/vnd.carafe.build";

    private static final int MAX_DOCUMENT_BYTES = 8 << 20;

    private final Builds builds;
    private final RunningBuilds running = new RunningBuilds();

    BuildRoutes(Builds builds) {
        this.builds = builds;
    }

    void addTo(Routes routes) {
        routes.add("POST /build", this::build);
        routes.add("POST /build/cancel", this::cancel);
        routes.add("POST /build/prune", this::prune);
        routes.add("GET /build/cache", this::cache);
        routes.add("POST /build/cache/export", this::exportMounts);
        routes.add("POST /build/cache/import", this::importMounts);
    }

    private void build(Call call) throws Exception {
        if (call.text("version").equals("2")) {
            throw new Unsupported("BuildKit's protocol is not spoken yet; build with DOCKER_BUILDKIT=0 or `carafe build`");
        }
        var body = call.exchange().body();
        if (call.exchange().headers().first("Content-Type").orElse("").startsWith(OWN_TYPE)) {
            own(call, body);
            return;
        }
        var credentials = AuthConfig.fromConfigHeader(call.exchange().headers().first("X-Registry-Config").orElse(""));
        classic(call, BuildParameters.read(call), credentials, body);
    }

    private void classic(Call call, BuildRequest request, List<AuthConfig> credentials, InputStream body)
            throws Exception {
        try (var stream = new ClassicBuildStream(call, call.flag("q"))) {
            try {
                var outcome = watched(call, request, credentials, body, stream::on);
                stream.built(outcome.imageId().orElse(""), request.tags());
            } catch (EngineException e) {
                stream.fail(e);
            }
            stream.end();
        }
    }

    private void own(Call call, InputStream body) throws Exception {
        var document = document(body);
        var request = BuildParameters.read(document);
        var credentials = BuildParameters.credentials(document);
        try (var stream = new EventStream(call)) {
            try {
                stream.end(watched(call, request, credentials, body, stream::on));
            } catch (EngineException e) {
                stream.fail(e);
            }
        }
    }

    private static Json.Obj document(InputStream body) throws IOException, Invalid {
        byte[] head = body.readNBytes(4);
        int length = head.length < 4 ? -1
                : (head[0] & 0xFF) << 24 | (head[1] & 0xFF) << 16 | (head[2] & 0xFF) << 8 | head[3] & 0xFF;
        if (length < 2 || length > MAX_DOCUMENT_BYTES) {
            throw new Invalid("the build's document is missing or longer than " + MAX_DOCUMENT_BYTES + " bytes");
        }
        return Json.parseObject(body.readNBytes(length));
    }

    /// Ends the builds that were begun with this `buildid`. As with Docker, it is no error when none runs any more.
    private void cancel(Call call) throws Exception {
        String id = call.text("id");
        if (id.isEmpty()) {
            throw new Invalid("build ID not provided");
        }
        running.cancel(id);
        call.answerNothing(200);
    }

    /// Builds, and stops when the client goes away or the build is cancelled.
    private BuildOutcome watched(Call call, BuildRequest request, List<AuthConfig> credentials, InputStream body,
            BuildListener listener) throws EngineException, IOException {
        var builder = Thread.currentThread();
        call.exchange().onClientGone(builder::interrupt);
        var build = running.begin(call.text("buildid"));
        try {
            return builds.build(request, credentials, body, listener);
        } catch (InterruptedException | EngineException e) {
            if (build.isCancelled()) {
                throw new EngineException.Unavailable("the build was cancelled", e);
            }
            if (e instanceof EngineException failed) {
                throw failed;
            }
            throw new IOException("the client went away; the build was stopped", e);
        } finally {
            build.end();
            Thread.interrupted(); // the answer's end is not to be cut by a late word of the client's going
        }
    }

    private void prune(Call call) throws Exception {
        long reserved = space(call, "reserved-space");
        var space = new CachePrune.Space(reserved > 0 ? reserved : space(call, "keep-storage"),
                space(call, "max-used-space"), space(call, "min-free-space"));
        var pruned = builds.prune(CacheFilters.prune(call.filters(), space, call.flag("all"), Instant.now()));
        call.answer(Json.object().put("CachesDeleted", pruned.ids().isEmpty() ? Json.NULL : Json.ofTexts(pruned.ids()))
                .put("SpaceReclaimed", pruned.bytes()).build());
    }

    private static long space(Call call, String parameter) throws Invalid {
        long bytes = call.number(parameter).orElse(0L);
        if (bytes < 0) {
            throw new Invalid("invalid value \"" + bytes + "\" for parameter " + parameter + ": space is never negative");
        }
        return bytes;
    }

    /// All that is kept, or what filters say, which are those of prune.
    private void cache(Call call) throws Exception {
        var now = Instant.now();
        var wanted = CacheFilters.prune(call.filters(), CachePrune.Space.NONE, true, now);
        call.answer(records(builds.cache().stream().filter(use -> wanted.has(use, now)).toList()));
    }

    /// What builds keep, in the words of Docker's disk usage.
    static Json records(List<CacheUse> uses) {
        return Json.ofAll(uses.stream()
                .map(use -> Json.object().put("ID", use.id()).put("Type", use.kind())
                        .put("Description", use.description())
                        .put("InUse", use.inUse()).put("Shared", use.shared()).put("Size", use.bytes())
                        .put("CreatedAt", use.created().toString()).put("LastUsedAt", use.lastUsed().toString())
                        .put("UsageCount", use.uses()).build())
                .toList());
    }

    private void exportMounts(Call call) throws Exception {
        call.answer(Json.object().put("Id", builds.exportMounts(call.query().all("id"))).build());
    }

    private void importMounts(Call call) throws Exception {
        call.answer(Json.object().put("Mounts", Json.ofTexts(builds.importMounts(call.text("image")))).build());
    }
}
