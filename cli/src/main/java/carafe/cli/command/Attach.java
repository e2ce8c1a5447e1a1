package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;

/// `attach`: the caller's streams tied to a running container.
final class Attach {

    private Attach() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS] CONTAINER",
                "Attach local standard input, output, and error streams to a running container")
                .aliases("container attach", "attach").words(1, 1);
        var flags = command.flags();
        flags.text("detach-keys", "Override the key sequence for detaching a container");
        flags.bool("no-stdin", "Do not attach STDIN");
        flags.bool("sig-proxy", "Proxy all received signals to the process").otherwise("true");
        return command.does(Attach::run);
    }

    private static int run(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        var flags = call.flags();
        var container = call.engine().fetchObject(Target.of("containers", call.word(0), "json"));
        check(container.object("State"));
        String id = container.text("Id");
        boolean tty = container.object("Config").truth("Tty");
        boolean reads = !flags.truth("no-stdin") && container.object("Config").truth("OpenStdin");
        if (tty && reads && !call.session().terminal().isTerminal(0)) {
            throw new Failure(1, "the input device is not a TTY");
        }
        String keys = flags.text("detach-keys").isEmpty() ? call.setting("detachKeys") : flags.text("detach-keys");
        EscapeKeys escape = EscapeKeys.read(keys);
        var target = Target.of("containers", id, "attach").with("stream", "1").when(reads, "stdin")
                .with("stdout", "1").with("stderr", "1").given("detachKeys", keys);
        boolean proxies = flags.truth("sig-proxy") && !tty;
        try (var ended = call.engine().openPost(Target.of("containers", id, "wait"));
                var streams = new Attached(call.session(), call.engine().hijack(target, null), tty, reads ? escape : null);
                var _ = proxies ? new SignalProxy(call.session(), call.engine(), id) : null) {
            streams.open();
            streams.followSize(call.engine(), "containers/" + id + "/resize");
            if (!streams.copyOutput()) {
                return (int) Json.parseObject(ended.readBody(1 << 20)).number("StatusCode", 1);
            }
        }
        throw new Failure(1, "read escape sequence");
    }

    private static void check(Json.Obj state) throws Failure, EngineException.Invalid {
        if (!state.truth("Running")) {
            throw new Failure(1, "You cannot attach to a stopped container, start it first");
        }
        if (state.truth("Paused")) {
            throw new Failure(1, "You cannot attach to a paused container, unpause it first");
        }
        if (state.truth("Restarting")) {
            throw new Failure(1, "You cannot attach to a restarting container, wait until it is running");
        }
    }
}
