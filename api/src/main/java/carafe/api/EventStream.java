package carafe.api;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.build.BuildEvent;
import carafe.spec.build.BuildOutcome;
import java.io.IOException;
import java.util.Base64;

/// A build's events as they are, one JSON object a line; the last has the outcome or the error.
final class EventStream implements AutoCloseable {

    private final MessageAnswer answer;

    EventStream(Call call) {
        this.answer = new MessageAnswer(call, "application/x-ndjson", "\n");
    }

    void on(BuildEvent event) {
        answer.send((switch (event) {
            case BuildEvent.Planned(var vertices) -> Json.object().put("event", "planned")
                    .put("vertices", Json.ofAll(vertices.stream().map(vertex -> Json.object()
                            .put("stage", vertex.stage()).put("number", vertex.number()).put("total", vertex.total())
                            .put("text", vertex.text()).put("line", vertex.line()).put("from", vertex.from())
                            .build()).toList()));
            case BuildEvent.Started(var vertex) -> of("started", vertex);
            case BuildEvent.Running(var vertex, var container) -> of("running", vertex).put("container", container);
            case BuildEvent.Log(var vertex, var stream, var bytes) -> of("log", vertex).put("stream", stream)
                    .put("bytes", Base64.getEncoder().encodeToString(bytes));
            case BuildEvent.Explained(var vertex, var reason) -> of("explained", vertex).put("reason", reason);
            case BuildEvent.Done(var vertex, var cached, var state) ->
                of("done", vertex).put("cached", cached).put("state", state);
            case BuildEvent.Failed(var vertex, var message, var code, var image) -> of("failed", vertex)
                    .put("message", message).put("exitCode", code).put("image", image);
            case BuildEvent.Warning warning -> Json.object().put("event", "warning").put("rule", warning.rule())
                    .put("description", warning.description()).put("message", warning.message())
                    .put("line", warning.line()).put("place", warning.place()).put("fix", warning.fix());
            case BuildEvent.Resolving(var name) -> Json.object().put("event", "resolving").put("name", name);
            case BuildEvent.Fetching(var name, var layer, var status, var current, var total) ->
                Json.object().put("event", "fetching").put("name", name).put("layer", layer).put("status", status)
                        .put("current", current).put("total", total);
            case BuildEvent.Fetched(var name, var error) ->
                Json.object().put("event", "fetched").put("name", name).put("error", error);
            case BuildEvent.Note(var text) -> Json.object().put("event", "note").put("text", text);
        }).build());
    }

    private static Json.Builder of(String event, int vertex) {
        return Json.object().put("event", event).put("vertex", vertex);
    }

    void end(BuildOutcome outcome) throws IOException {
        var last = outcome.contextWanted() ? Json.object().put("event", "context-wanted")
                : Json.object().put("event", "outcome").put("text", outcome.text());
        outcome.imageId().ifPresent(id -> last.put("image", id));
        if (!outcome.images().isEmpty()) {
            last.put("images", Json.ofAll(outcome.images().stream().map(made -> Json.object()
                    .put("platform", made.platform().toString()).put("id", made.id())
                    .put("annotations", Json.ofMap(made.annotations())).build()).toList()));
        }
        outcome.result().ifPresent(result -> last.put("descriptor", result.toJson()));
        outcome.index().ifPresent(index -> last.put("index", index));
        if (!outcome.cacheIds().isEmpty()) {
            last.put("caches", Json.ofTexts(outcome.cacheIds()));
        }
        answer.send(last.build());
        answer.end();
    }

    void fail(EngineException e) throws EngineException, IOException {
        answer.fail(e, Json.object().put("event", "error").put("message", e.getMessage()).build());
        answer.end();
    }

    @Override
    public void close() {
        answer.close();
    }
}
