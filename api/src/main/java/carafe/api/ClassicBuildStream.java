package carafe.api;

import carafe.engine.transfer.TransferMessage;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.build.BuildEvent;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/// The stream of the classic builder: steps one after the other in the Dockerfile's order, whatever order they really
/// run in. What a step says before its turn waits for it. Of what a quiet build says the end is kept, and told if it fails.
final class ClassicBuildStream implements AutoCloseable {

    private static final int MAX_WAITING_BYTES = 16 << 20;
    private static final int UNTOLD_CHARACTERS = 64 << 10;

    private final MessageAnswer answer;
    private final boolean quiet;
    /// Guards all below.
    private final ReentrantLock lock = new ReentrantLock();
    private List<BuildEvent.Vertex> vertices = List.of();
    private final Map<Integer, List<String>> waiting = new HashMap<>();
    private final Map<Integer, Boolean> finished = new HashMap<>();
    /// The end of what a quiet build did not tell.
    private final StringBuilder untold = new StringBuilder();
    private long waitingBytes;
    private int turn;
    private boolean begun;
    private int exitCode;

    ClassicBuildStream(Call call, boolean quiet) {
        this.answer = new MessageAnswer(call, "application/json", "\r\n");
        this.quiet = quiet;
    }

    void on(BuildEvent event) {
        lock.lock();
        try {
            switch (event) {
                case BuildEvent.Planned(var all) -> vertices = all;
                case BuildEvent.Started _ -> { }
                case BuildEvent.Running(var vertex, var container) ->
                    say(vertex, " ---> Running in " + container.substring(0, 12) + "\n");
                case BuildEvent.Log(var vertex, var _, var bytes) ->
                    say(vertex, new String(bytes, StandardCharsets.UTF_8));
                case BuildEvent.Explained(var vertex, var reason) -> say(vertex, " ---> " + reason + "\n");
                case BuildEvent.Done(var vertex, var cached, var state) -> {
                    if (cached) {
                        say(vertex, " ---> Using cache\n");
                    }
                    say(vertex, " ---> " + state.substring(7, 19) + "\n");
                    finished.put(vertex, true);
                    turns();
                }
                case BuildEvent.Failed(var vertex, var _, var code, var _) -> {
                    exitCode = code;
                    show(vertex);
                }
                case BuildEvent.Warning(var rule, var _, var message, var line, var _, var _) ->
                    tell(" [Warning] " + rule + ": " + message + " (line " + line + ")\n");
                case BuildEvent.Fetching(var _, var layer, var status, var current, var total) -> {
                    if (!quiet) {
                        answer.send(TransferStream.json(layer.isEmpty() ? new TransferMessage.Line(status)
                                : total > 0 ? new TransferMessage.Moving(layer, status, current, total)
                                : new TransferMessage.About(layer, status)));
                    }
                }
                case BuildEvent.Resolving _, BuildEvent.Fetched _ -> { }
                case BuildEvent.Note(var text) -> tell(text + "\n");
            }
        } finally {
            lock.unlock();
        }
    }

    private void say(int vertex, String text) {
        if (vertex == turn) {
            begin();
            tell(text);
        } else {
            waitingBytes += text.length();
            if (waitingBytes <= MAX_WAITING_BYTES) {
                waiting.computeIfAbsent(vertex, _ -> new ArrayList<>()).add(text);
            }
        }
    }

    private void begin() {
        if (!begun && turn < vertices.size()) {
            begun = true;
            tell("Step " + (turn + 1) + "/" + vertices.size() + " : " + vertices.get(turn).text() + "\n");
        }
    }

    private void turns() {
        while (finished.containsKey(turn)) {
            show(turn);
            turn++;
            begun = false;
        }
        if (turn < vertices.size()) {
            begin();
            release(turn);
        }
    }

    /// Shows what a step said so far, out of turn if it must be.
    private void show(int vertex) {
        if (vertex != turn && vertex < vertices.size()) {
            tell("Step " + (vertex + 1) + "/" + vertices.size() + " : " + vertices.get(vertex).text() + "\n");
        } else {
            begin();
        }
        release(vertex);
    }

    private void release(int vertex) {
        for (String text : waiting.getOrDefault(vertex, List.of())) {
            waitingBytes -= text.length();
            tell(text);
        }
        waiting.remove(vertex);
    }

    private void tell(String text) {
        if (!quiet) {
            answer.send(Json.object().put("stream", text).build());
            return;
        }
        untold.append(text);
        if (untold.length() > 2 * UNTOLD_CHARACTERS) {
            untold.delete(0, untold.length() - UNTOLD_CHARACTERS);
        }
    }

    void built(String imageId, List<String> tags) throws EngineException {
        lock.lock();
        try {
            if (quiet) {
                answer.send(Json.object().put("stream", imageId + "\n").build());
                return;
            }
            answer.send(Json.object().put("aux", Json.object().put("ID", imageId).build()).build());
            tell("Successfully built " + imageId.substring(imageId.indexOf(':') + 1, imageId.indexOf(':') + 13) + "\n");
            for (String tag : tags) {
                tell("Successfully tagged " + Reference.parse(tag).withDefaultTag().familiar() + "\n");
            }
        } finally {
            lock.unlock();
        }
    }

    /// Tells the failure: as an answer of its own as long as none has begun, else in the stream.
    void fail(EngineException e) throws EngineException {
        lock.lock();
        try {
            if (!untold.isEmpty()) {
                answer.send(Json.object().put("stream", untold.toString()).build());
            }
            var detail = Json.object();
            Optional.of(exitCode).filter(code -> code != 0).ifPresent(code -> detail.put("code", code));
            answer.fail(e, Json.object().put("errorDetail", detail.put("message", e.getMessage()).build())
                    .put("error", e.getMessage()).build());
        } finally {
            lock.unlock();
        }
    }

    void end() throws IOException {
        answer.end();
    }

    @Override
    public void close() {
        answer.close();
    }
}
