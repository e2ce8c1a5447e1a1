package carafe.api;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.build.BuildEvent;
import carafe.spec.build.BuildOutcome;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// A build's events as they are, one JSON object a line; the last has the outcome or the error.
final class EventStream {

    private final Call call;
    /// Guards `out` and the order of lines.
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable OutputStream out;

    EventStream(Call call) {
        this.call = call;
    }

    void on(BuildEvent event) {
        try {
            write(switch (event) {
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
                case BuildEvent.Note(var text) -> Json.object().put("event", "note").put("text", text);
            });
        } catch (IOException e) {
            // the client is gone; the exchange stops the build
        }
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
                    .put("platform", made.platform().toString()).put("id", made.id()).build()).toList()));
        }
        outcome.result().ifPresent(result -> last.put("descriptor", result.toJson()));
        outcome.index().ifPresent(index -> last.put("index", index));
        if (!outcome.cacheIds().isEmpty()) {
            last.put("caches", Json.ofTexts(outcome.cacheIds()));
        }
        write(last);
        close();
    }

    void fail(EngineException e) throws EngineException, IOException {
        lock.lock();
        try {
            if (out == null) {
                throw e;
            }
        } finally {
            lock.unlock();
        }
        write(Json.object().put("event", "error").put("message", e.getMessage()));
        close();
    }

    private void close() throws IOException {
        lock.lock();
        try {
            if (out != null) {
                out.close();
            }
        } finally {
            lock.unlock();
        }
    }

    private void write(Json.Builder message) throws IOException {
        lock.lock();
        try {
            var open = out;
            if (open == null) {
                open = call.answerStreaming("application/x-ndjson");
                out = open;
            }
            open.write((message.build().print() + "\n").getBytes(StandardCharsets.UTF_8));
            open.flush();
        } finally {
            lock.unlock();
        }
    }
}
