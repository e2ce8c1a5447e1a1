package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.util.ArrayList;

/// `start`: containers that exist already, one of them attached if wanted.
final class Start {

    private Start() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS] CONTAINER [CONTAINER...]", "Start one or more stopped containers")
                .aliases("container start", "start").words(1, Command.ANY);
        var flags = command.flags();
        flags.bool("a,attach", "Attach STDOUT/STDERR and forward signals");
        flags.text("detach-keys", "Override the key sequence for detaching a container");
        flags.bool("i,interactive", "Attach container's STDIN");
        return command.does(Start::run);
    }

    private static int run(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        if (call.flags().truth("attach") || call.flags().truth("interactive")) {
            if (call.words().size() > 1) {
                throw new Failure(1, "you cannot start and attach multiple containers at once");
            }
            return attached(call);
        }
        var failed = new ArrayList<String>();
        for (var word : call.words()) {
            try {
                call.engine().post(Target.of("containers", word, "start"));
                call.session().println(word);
            } catch (EngineError e) {
                call.session().say(e.sentence());
                failed.add(word);
            }
        }
        if (!failed.isEmpty()) {
            throw new Failure(1, "Error: failed to start containers: " + String.join(", ", failed));
        }
        return 0;
    }

    private static int attached(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        var container = call.engine().fetchObject(Target.of("containers", call.word(0), "json"));
        String id = container.text("Id");
        boolean tty = container.object("Config").truth("Tty");
        boolean reads = call.flags().truth("interactive") && container.object("Config").truth("OpenStdin");
        boolean removed = container.object("HostConfig").truth("AutoRemove");
        String keys = call.flags().text("detach-keys").isEmpty() ? call.setting("detachKeys") : call.flags().text("detach-keys");
        EscapeKeys escape = EscapeKeys.read(keys);
        var target = Target.of("containers", id, "attach").with("stream", "1").when(reads, "stdin")
                .with("stdout", "1").with("stderr", "1").given("detachKeys", keys);
        try (var streams = new Attached(call.session(), call.engine().hijack(target, null), tty, reads ? escape : null);
                var ended = call.engine().openPost(Target.of("containers", id, "wait")
                        .with("condition", removed ? "removed" : "next-exit"));
                var _ = tty ? null : new SignalProxy(call.session(), call.engine(), id)) {
            streams.open();
            call.engine().post(Target.of("containers", id, "start"));
            streams.followSize(call.engine(), "containers/" + id + "/resize");
            return streams.copyOutput() ? 0
                    : (int) Json.parseObject(ended.readBody(1 << 20)).number("StatusCode", 1);
        }
    }
}
