package carafe.api;

import carafe.engine.Containers;
import carafe.engine.CreateRequest;
import carafe.engine.ListQuery;
import carafe.engine.RemoveRequest;
import carafe.engine.StopRequest;
import carafe.spec.EngineException;
import carafe.spec.EngineException.Invalid;
import carafe.spec.Json;
import carafe.spec.docker.ContainerConfig;
import carafe.spec.docker.HostConfig;
import carafe.spec.docker.NetworkingConfig;
import java.io.IOException;
import java.util.Optional;

/// Containers: everything that is one question and one answer.
final class ContainerRoutes {

    private final Containers containers;

    ContainerRoutes(Containers containers) {
        this.containers = containers;
    }

    void addTo(Routes routes) {
        routes.add("GET /containers/json", this::list);
        routes.add("POST /containers/create", this::create);
        routes.add("POST /containers/prune", this::prune);
        routes.add("GET /containers/{id}/json", this::inspect);
        routes.add("GET /containers/{id}/top", this::top);
        routes.add("GET /containers/{id}/changes", this::changes);
        routes.add("GET /containers/{id}/stats", new StatsRoute(containers));
        routes.add("POST /containers/{id}/start", this::start);
        routes.add("POST /containers/{id}/stop", this::stop);
        routes.add("POST /containers/{id}/restart", this::restart);
        routes.add("POST /containers/{id}/kill", this::kill);
        routes.add("POST /containers/{id}/pause", this::pause);
        routes.add("POST /containers/{id}/unpause", this::unpause);
        routes.add("POST /containers/{id}/rename", this::rename);
        routes.add("POST /containers/{id}/resize", this::resize);
        routes.add("POST /containers/{id}/update", this::update);
        routes.add("DELETE /containers/{id}", this::remove);
    }

    /// Reads a create request: the container's config at the top level, host and networks inside.
    static CreateRequest createRequest(Call call) throws IOException, EngineException {
        Json.Obj body = call.body();
        if (body.fields().isEmpty()) {
            throw new Invalid("config cannot be empty in order to create a container");
        }
        var networking = NetworkingConfig.parse(body.object("NetworkingConfig"));
        if (call.version().before(44) && networking.endpoints().size() > 1) {
            throw new Invalid("Container cannot be connected to network endpoints: "
                    + String.join(", ", networking.endpoints().keySet()));
        }
        return new CreateRequest(
                call.text("name"),
                call.text("platform"),
                ContainerConfig.parse(body),
                HostConfig.parse(body.object("HostConfig")),
                networking);
    }

    private void create(Call call) throws Exception {
        var made = containers.create(createRequest(call));
        call.answer(201, Json.object().put("Id", made.id()).put("Warnings", Json.ofTexts(made.warnings())).build());
    }

    private void list(Call call) throws Exception {
        long limit = call.number("limit").orElse(0L);
        var query = new ListQuery(
                call.flag("all"), Math.clamp(limit, 0, Integer.MAX_VALUE), call.flag("size"), call.filters());
        call.answer(Json.ofAll(containers.list(query).stream().map(ContainerMessages::summary).toList()));
    }

    private void inspect(Call call) throws Exception {
        call.answer(ContainerMessages.details(containers.inspect(call.name("id"), call.flag("size")), call.version()));
    }

    private void start(Call call) throws Exception {
        call.refuseBody("starting container with non-empty request body was deprecated since API v1.22 and removed in"
                + " v1.24");
        containers.start(call.name("id"));
        call.answerNothing(204);
    }

    private void stop(Call call) throws Exception {
        containers.stop(call.name("id"), stopRequest(call));
        call.answerNothing(204);
    }

    private void restart(Call call) throws Exception {
        containers.restart(call.name("id"), stopRequest(call));
        call.answerNothing(204);
    }

    private static StopRequest stopRequest(Call call) throws Invalid {
        String signal = call.version().before(42) ? "" : call.text("signal");
        return new StopRequest(
                signal.isEmpty() ? Optional.empty() : Optional.of(signal),
                call.number("t").map(seconds -> Math.clamp(seconds, -1, Integer.MAX_VALUE)));
    }

    private void kill(Call call) throws Exception {
        containers.kill(call.name("id"), call.text("signal"));
        call.answerNothing(204);
    }

    private void pause(Call call) throws Exception {
        containers.pause(call.name("id"));
        call.answerNothing(204);
    }

    private void unpause(Call call) throws Exception {
        containers.unpause(call.name("id"));
        call.answerNothing(204);
    }

    private void rename(Call call) throws Exception {
        containers.rename(call.name("id"), call.text("name"));
        call.answerNothing(204);
    }

    private void resize(Call call) throws Exception {
        containers.resize(call.name("id"), Streams.terminalSize(call));
        call.answerNothing(200);
    }

    private void remove(Call call) throws Exception {
        if (call.flag("link")) {
            throw new EngineException.Unsupported("legacy links are not offered, so there is none to remove");
        }
        containers.remove(call.name("id"), new RemoveRequest(call.flag("force"), call.flag("v")));
        call.answerNothing(204);
    }

    private void update(Call call) throws Exception {
        var warnings = containers.update(call.name("id"), call.body());
        call.answer(Json.object().put("Warnings", Json.ofTexts(warnings)).build());
    }

    private void top(Call call) throws Exception {
        var table = containers.top(call.name("id"), call.text("ps_args"));
        call.answer(Json.object()
                .put("Titles", Json.ofTexts(table.titles()))
                .put("Processes", Json.ofAll(table.processes().stream().map(Json::ofTexts).toList()))
                .build());
    }

    private void changes(Call call) throws Exception {
        var changes = containers.changes(call.name("id"));
        call.answer(changes.isEmpty()
                ? Json.NULL
                : Json.ofAll(changes.stream()
                        .map(change -> Json.object()
                                .put("Path", change.path())
                                .put("Kind", change.kind().ordinal())
                                .build())
                        .toList()));
    }

    private void prune(Call call) throws Exception {
        var report = containers.prune(call.filters());
        call.answer(Json.object()
                .put("ContainersDeleted", report.removed().isEmpty() ? Json.NULL : Json.ofTexts(report.removed()))
                .put("SpaceReclaimed", report.reclaimedBytes())
                .build());
    }
}
