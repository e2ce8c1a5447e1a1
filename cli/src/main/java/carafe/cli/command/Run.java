package carafe.cli.command;

import carafe.cli.client.Engine;
import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.create.ContainerFlags;
import carafe.cli.create.CreateRequest;
import carafe.http.ClientResponse;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// `run`: create, attach, wait, start, in this order, so that no output and no exit code can be missed.
final class Run {

    private static final int OURS = 125;
    private static final int LARGEST_ANSWER = 1 << 20;

    private final Call call;
    private final Engine engine;
    private final boolean detached;
    private final Explaining explaining;

    private Run(Call call, Explaining explaining) throws Failure {
        this.call = call;
        this.engine = call.engine();
        this.detached = call.flags().truth("detach");
        this.explaining = explaining;
    }

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS] IMAGE [COMMAND] [ARG...]",
                "Create and run a new container from an image")
                .aliases("container run", "run")
                .words(1, Command.ANY);
        var flags = command.flags();
        ContainerFlags.add(flags);
        flags.bool("d,detach", "Run container in background and print container ID");
        flags.text("detach-keys", "Override the key sequence for detaching a container");
        flags.bool("sig-proxy", "Proxy received signals to the process").otherwise("true");
        flags.text("pull", "Pull image before running (\"always\", \"missing\", \"never\")").otherwise("missing");
        Explaining.flags(flags);
        return command.does(Run::run);
    }

    private static int run(Call call) throws Failure, EngineException.Invalid, IOException {
        var flags = call.flags();
        if (flags.truth("detach") && !flags.list("attach").isEmpty()) {
            throw new Failure(1, "conflicting options: cannot specify both --attach and --detach");
        }
        var explaining = Explaining.of(call);
        var creating = Creating.read(call, flags.truth("detach"));
        if (explaining.isDry()) {
            return explaining.dryRun(creating);
        }
        boolean reads = creating.request().attachIn();
        if (flags.truth("tty") && reads && !call.session().terminal().isTerminal(0)) {
            throw new Failure(1, "the input device is not a TTY");
        }
        var run = new Run(call, explaining);
        try {
            return run.perform(creating);
        } catch (EngineError e) {
            throw run.failure(e);
        }
    }

    private int perform(Creating creating) throws Failure, EngineError, EngineException.Invalid, IOException {
        CreateRequest request = creating.request();
        String keys = call.flags().text("detach-keys").isEmpty() ? call.setting("detachKeys") : call.flags().text("detach-keys");
        EscapeKeys escape = EscapeKeys.read(keys);
        String id = creating.create();
        boolean attached = request.attachIn() || request.attachOut() || request.attachErr();
        if (!attached) {
            return background(id);
        }
        var target = Target.of("containers", id, "attach").with("stream", "1")
                .when(request.attachIn(), "stdin").when(request.attachOut(), "stdout").when(request.attachErr(), "stderr")
                .given("detachKeys", keys);
        if (!request.attachOut() && !request.attachErr()) {
            call.session().println(id);
        }
        int code = attached(id, target, escape, request.attachIn());
        explaining.print();
        return code;
    }

    private int attached(String id, Target target, EscapeKeys escape, boolean reads)
            throws Failure, EngineError, EngineException.Invalid, IOException {
        boolean proxies = call.flags().truth("sig-proxy");
        boolean tty = call.flags().truth("tty");
        try (var streams = new Attached(call.session(), engine.hijack(target, null), tty, reads ? escape : null);
                var ended = engine.openPost(Target.of("containers", id, "wait")
                        .with("condition", call.flags().truth("rm") ? "removed" : "next-exit"));
                var _ = proxies ? new SignalProxy(call.session(), engine, id) : null) {
            streams.open();
            try {
                engine.post(Target.of("containers", id, "start"));
            } catch (EngineError e) {
                if (call.flags().truth("rm")) {
                    ended.readBody(LARGEST_ANSWER); // it goes away by itself
                }
                throw e;
            }
            explaining.fetch(id);
            streams.followSize(engine, "containers/" + id + "/resize");
            return streams.copyOutput() ? 0 : exitCode(ended);
        }
    }

    private int background(String id) throws Failure, EngineError, EngineException.Invalid, IOException {
        engine.post(Target.of("containers", id, "start"));
        explaining.fetch(id);
        call.session().println(id);
        explaining.print();
        return 0;
    }

    private int exitCode(ClientResponse ended) throws EngineException.Invalid, IOException {
        var answer = Json.parseObject(ended.readBody(LARGEST_ANSWER));
        String error = answer.object("Error").text("Message");
        if (!error.isEmpty()) {
            call.session().say("Error waiting for container: " + error);
            return OURS;
        }
        return (int) answer.number("StatusCode", OURS);
    }

    private Failure failure(EngineError error) {
        return new Failure(code(error.getMessage()),
                Help.PROGRAM + ": " + error.sentence() + Help.hint(call.command()));
    }

    /// 127 for an executable that is missing, 126 for one that cannot run, as Docker reads it from the sentence.
    static int code(@Nullable String message) {
        String text = String.valueOf(message).toLowerCase(Locale.ROOT);
        if (text.contains("executable file not found") || text.contains("no such file or directory")
                || text.contains("system cannot find the file specified")) {
            return 127;
        }
        return text.contains("permission denied") || text.contains("is a directory") || text.contains("exec format error")
                ? 126 : OURS;
    }
}
