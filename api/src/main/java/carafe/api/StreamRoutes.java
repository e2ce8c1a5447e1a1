package carafe.api;

import carafe.engine.AttachRequest;
import carafe.engine.ByteSource;
import carafe.engine.Containers;
import carafe.engine.Engine;
import carafe.engine.EventQuery;
import carafe.engine.Events;
import carafe.engine.LogQuery;
import carafe.engine.WaitCondition;
import carafe.engine.Waiting;
import carafe.spec.EngineException.Invalid;
import carafe.spec.Json;
import carafe.spec.docker.Event;
import carafe.spec.docker.Timestamps;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// Requests that stay open: attach, logs, wait, events. A client that goes away ends what it waited for.
final class StreamRoutes {

    private final Containers containers;
    private final Events events;

    StreamRoutes(Engine engine) {
        this.containers = engine.containers();
        this.events = engine.events();
    }

    void addTo(Routes routes) {
        routes.add("POST /containers/{id}/attach", this::attach);
        routes.add("GET /containers/{id}/logs", this::logs);
        routes.add("POST /containers/{id}/wait", this::await);
        routes.add("GET /events", this::events);
    }

    private void attach(Call call) throws Exception {
        var request = new AttachRequest(call.flag("stdin"), call.flag("stdout"), call.flag("stderr"),
                call.flag("logs"), call.flag("stream"), call.text("detachKeys"));
        Streams.serve(call, containers.attach(call.name("id"), request));
    }

    private void logs(Call call) throws Exception {
        var streams = new LogQuery.Streams(call.flag("stdout"), call.flag("stderr"));
        if (!streams.stdout() && !streams.stderr()) {
            throw new Invalid("Bad parameters: you must choose at least one stream");
        }
        var query = new LogQuery(
                streams, tail(call), Timestamps.parse(call.text("since")), Timestamps.parse(call.text("until")),
                new LogQuery.Show(call.flag("timestamps"), call.flag("details"), call.flag("follow")));
        String id = call.name("id");
        boolean terminal = containers.inspect(id, false).container().config().streams().terminal();
        try (ByteSource source = containers.logs(id, query)) {
            call.exchange().onClientGone(source::close);
            try (var out = call.answerStreaming(Streams.contentType(call, terminal))) {
                Streams.copy(source, out, true);
            }
        }
    }

    private static Optional<Long> tail(Call call) throws Invalid {
        String text = call.text("tail");
        if (text.isEmpty() || text.equals("all")) {
            return Optional.empty();
        }
        try {
            long lines = Long.parseLong(text);
            return lines < 0 ? Optional.empty() : Optional.of(lines);
        } catch (NumberFormatException e) {
            return Optional.empty(); // as Docker: whatever is no number means all
        }
    }

    private void await(Call call) throws Exception {
        WaitCondition condition = switch (call.text("condition")) {
            case "", "not-running" -> WaitCondition.NOT_RUNNING;
            case "next-exit" -> WaitCondition.NEXT_EXIT;
            case "removed" -> WaitCondition.REMOVED;
            default -> throw new Invalid("invalid condition: \"" + call.text("condition") + "\"");
        };
        try (Waiting waiting = containers.await(call.name("id"), condition)) {
            call.exchange().onClientGone(waiting::close);
            try (var out = call.answerStreaming("application/json")) {
                Waiting.Result result = waiting.await();
                var json = Json.object().put("StatusCode", result.exitCode());
                if (!result.error().isEmpty()) {
                    json.put("Error", Json.object().put("Message", result.error()).build());
                }
                out.write((json.build().print() + "\n").getBytes(StandardCharsets.UTF_8));
            }
        }
    }

    private void events(Call call) throws Exception {
        var query = new EventQuery(
                Timestamps.parse(call.text("since")), Timestamps.parse(call.text("until")), call.filters());
        boolean legacy = call.version().before(52);
        String type = legacy ? "application/json" : "application/jsonl";
        try (var stream = events.subscribe(query)) {
            call.exchange().onClientGone(stream::close);
            try (var out = call.answerStreaming(type)) {
                for (Optional<Event> next = stream.next(); next.isPresent(); next = stream.next()) {
                    out.write((next.get().json(legacy).print() + "\n").getBytes(StandardCharsets.UTF_8));
                    out.flush();
                }
            }
        } catch (IOException e) {
            if (!call.exchange().clientGone()) {
                throw e;
            }
        }
    }
}
