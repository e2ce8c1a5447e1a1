package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.create.CreateException;
import carafe.cli.create.Variables;
import carafe.cli.session.Terminal;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.util.List;

/// `exec`: a command inside of a running container.
final class Exec {

    private Exec() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS] CONTAINER COMMAND [ARG...]", "Execute a command in a running container")
                .aliases("container exec", "exec").words(2, Command.ANY);
        var flags = command.flags().stopAtFirstWord();
        flags.bool("d,detach", "Detached mode: run command in the background");
        flags.text("detach-keys", "Override the key sequence for detaching a container");
        flags.list("e,env", "Set environment variables");
        flags.list("env-file", "Read in a file of environment variables");
        flags.bool("i,interactive", "Keep STDIN open even if not attached");
        flags.bool("privileged", "Give extended privileges to the command");
        flags.bool("t,tty", "Allocate a pseudo-TTY");
        flags.text("u,user", "Username or UID (format: \"<name|uid>[:<group|gid>]\")");
        flags.text("w,workdir", "Working directory inside the container");
        return command.does(Exec::run);
    }

    private static int run(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        var flags = call.flags();
        boolean detached = flags.truth("detach");
        boolean tty = flags.truth("tty");
        boolean reads = flags.truth("interactive") && !detached;
        if (tty && reads && !call.session().terminal().isTerminal(0)) {
            throw new Failure(1, "the input device is not a TTY");
        }
        String keys = flags.text("detach-keys").isEmpty() ? call.setting("detachKeys") : flags.text("detach-keys");
        EscapeKeys escape = EscapeKeys.read(keys);
        Json size = tty && call.session().terminal().isTerminal(1) ? size(call) : Json.NULL;
        var created = call.engine().post(Target.of("containers", call.word(0), "exec"), body(call, reads, keys, size));
        String id = created.text("Id");
        if (id.isEmpty()) {
            throw new Failure(1, "exec ID empty");
        }
        var start = Json.object().put("Detach", detached).put("Tty", tty);
        if (size instanceof Json.Arr) {
            start.put("ConsoleSize", size);
        }
        if (detached) {
            call.engine().tell(Target.of("exec", id, "start"), start.build());
            return 0;
        }
        try (var streams = new Attached(call.session(), call.engine().hijack(Target.of("exec", id, "start"), start.build()),
                tty, reads ? escape : null)) {
            streams.open();
            streams.followSize(call.engine(), "exec/" + id + "/resize");
            if (streams.copyOutput()) {
                return 0;
            }
        } catch (EngineError e) {
            throw new Failure(Run.code(e.getMessage()) == 125 ? 1 : Run.code(e.getMessage()), e.sentence());
        }
        return (int) call.engine().fetchObject(Target.of("exec", id, "json")).number("ExitCode", 0);
    }

    private static Json body(Call call, boolean reads, String keys, Json size) throws Failure {
        var flags = call.flags();
        var body = Json.object()
                .put("User", flags.text("user"))
                .put("Privileged", flags.truth("privileged"))
                .put("Tty", flags.truth("tty"))
                .put("AttachStdin", reads)
                .put("AttachStdout", !flags.truth("detach"))
                .put("AttachStderr", !flags.truth("detach"))
                .put("DetachKeys", keys)
                .put("WorkingDir", flags.text("workdir"))
                .put("Cmd", Json.ofTexts(call.words().subList(1, call.words().size())));
        if (size instanceof Json.Arr) {
            body.put("ConsoleSize", size);
        }
        try {
            return body.put("Env", Json.ofTexts(
                    Variables.environment(flags.list("env-file"), flags.list("env"), call.session()))).build();
        } catch (CreateException e) {
            throw new Failure(1, e.getMessage());
        }
    }

    private static Json size(Call call) {
        var size = call.session().terminal().size();
        return size.isEmpty() ? Json.NULL : pair(size.get());
    }

    /// Rows and columns as the API writes them.
    static Json pair(Terminal.Size size) {
        return Json.ofAll(List.of(Json.of(size.rows()), Json.of(size.columns())));
    }
}
