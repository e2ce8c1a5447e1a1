package carafe.api;

import carafe.engine.Attachment;
import carafe.engine.ExecDetails;
import carafe.engine.Execs;
import carafe.engine.TerminalSize;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.ExecConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// Further processes in running containers.
final class ExecRoutes {

    private final Execs execs;

    ExecRoutes(Execs execs) {
        this.execs = execs;
    }

    void addTo(Routes routes) {
        routes.add("POST /containers/{id}/exec", this::create);
        routes.add("POST /exec/{id}/start", this::start);
        routes.add("POST /exec/{id}/resize", this::resize);
        routes.add("GET /exec/{id}/json", this::inspect);
    }

    private void create(Call call) throws Exception {
        String id = execs.create(call.name("id"), ExecConfig.parse(call.body()));
        call.answer(201, Json.object().put("Id", id).build());
    }

    private void start(Call call) throws Exception {
        Json.Obj body = call.body();
        String id = call.name("id");
        if (body.truth("Detach")) {
            execs.startDetached(id);
            call.answerNothing(200);
            return;
        }
        boolean terminal = execs.inspect(id).config().terminal();
        Attachment attachment;
        try {
            attachment = execs.start(id, size(body));
        } catch (EngineException.NotFound | EngineException.Conflict e) {
            throw e;
        } catch (EngineException e) {
            // Docker takes the connection over before it starts; its clients read the reason from the stream and the
            // exit code from inspect.
            sayInBand(call, terminal, e.getMessage());
            return;
        }
        Streams.serve(call, attachment);
    }

    private static void sayInBand(Call call, boolean terminal, String message) throws IOException {
        byte[] text = (message + "\r\n").getBytes(StandardCharsets.UTF_8);
        try (var stream = call.exchange().upgrade(Streams.headers(call, terminal))) {
            stream.output().write(terminal ? text : Streams.frame(1, text));
            stream.shutdownOutput();
        }
    }

    private static Optional<TerminalSize> size(Json.Obj body) throws EngineException.Invalid {
        var size = body.list("ConsoleSize");
        if (size.size() == 2 && size.get(0) instanceof Json.Num rows && size.get(1) instanceof Json.Num columns) {
            return rows.number().signum() > 0 && columns.number().signum() > 0
                    ? Optional.of(new TerminalSize(rows.number().intValue(), columns.number().intValue()))
                    : Optional.empty();
        }
        return Optional.empty();
    }

    private void resize(Call call) throws Exception {
        execs.resize(call.name("id"), Streams.terminalSize(call));
        call.answerNothing(200);
    }

    private void inspect(Call call) throws Exception {
        ExecDetails exec = execs.inspect(call.name("id"));
        var config = exec.config();
        var command = config.command();
        call.answer(Json.object()
                .put("ID", exec.id())
                .put("Running", exec.running())
                .put("ExitCode", exec.exitCode().map(Json::of).orElse(Json.NULL))
                .put("ProcessConfig", Json.object()
                        .put("tty", config.terminal())
                        .put("entrypoint", command.getFirst())
                        .put("arguments", Json.ofTexts(command.subList(1, command.size())))
                        .put("privileged", config.privileged())
                        .put("user", config.user())
                        .build())
                .put("OpenStdin", config.attach().stdin())
                .put("OpenStderr", config.attach().stderr())
                .put("OpenStdout", config.attach().stdout())
                .put("CanRemove", !exec.running())
                .put("ContainerID", exec.containerId())
                .put("DetachKeys", config.detachKeys())
                .put("Pid", exec.pid())
                .build());
    }
}
