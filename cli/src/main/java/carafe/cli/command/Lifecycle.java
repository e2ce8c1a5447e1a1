package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.flag.Values;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;

/// The commands that do one thing to each container named: stop, restart, kill, pause, unpause, rm, wait, rename.
final class Lifecycle {

    private static final String EACH = "CONTAINER [CONTAINER...]";

    private Lifecycle() {}

    /// What is done to one container; the answer is printed unless it is empty.
    @FunctionalInterface
    interface One {
        String on(String container) throws Failure, EngineError, EngineException.Invalid, IOException;
    }

    /// Does `one` to each word, goes on after an engine's error, and ends with 1 if there was any.
    static int each(Call call, One one) throws Failure, EngineException.Invalid, IOException {
        int code = 0;
        for (var word : call.words()) {
            try {
                String done = one.on(word);
                if (!done.isEmpty()) {
                    call.session().println(done);
                }
            } catch (EngineError e) {
                call.session().say(e.sentence());
                code = 1;
            }
        }
        return code;
    }

    private static Command.Builder command(String path, String words, String summary) {
        String name = path.substring(path.lastIndexOf(' ') + 1);
        return Command.of(path, words, summary).aliases("container " + name, name).words(1, Command.ANY);
    }

    static Command stop(String path) {
        return stopping(command(path, "[OPTIONS] " + EACH, "Stop one or more running containers"), "stop");
    }

    static Command restart(String path) {
        return stopping(command(path, "[OPTIONS] " + EACH, "Restart one or more containers"), "restart");
    }

    private static Command stopping(Command.Builder command, String verb) {
        command.flags().text("s,signal", "Signal to send to the container");
        command.flags().integer("t,timeout", 0, "Seconds to wait before killing the container");
        command.flags().add("time", "int", "").hidden().checked(Values::integer);
        return command.does(call -> each(call, word -> {
            var flags = call.flags();
            String timeout = flags.given("timeout") ? flags.text("timeout") : flags.text("time");
            call.engine().post(Target.of("containers", word, verb).given("signal", flags.text("signal")).given("t", timeout));
            return word;
        }));
    }

    static Command kill(String path) {
        var command = command(path, "[OPTIONS] " + EACH, "Kill one or more running containers");
        command.flags().text("s,signal", "Signal to send to the container");
        return command.does(call -> each(call, word -> {
            call.engine().post(Target.of("containers", word, "kill").given("signal", call.flags().text("signal")));
            return word;
        }));
    }

    static Command pause(String path) {
        return command(path, EACH, "Pause all processes within one or more containers").does(call -> each(call, word -> {
            call.engine().post(Target.of("containers", word, "pause"));
            return word;
        }));
    }

    static Command unpause(String path) {
        return command(path, EACH, "Unpause all processes within one or more containers").does(call -> each(call, word -> {
            call.engine().post(Target.of("containers", word, "unpause"));
            return word;
        }));
    }

    static Command await(String path) {
        return command(path, EACH, "Block until one or more containers stop, then print their exit codes")
                .does(call -> each(call, word -> {
                    try (var answer = call.engine().openPost(Target.of("containers", word, "wait"))) {
                        var end = Json.parseObject(answer.readBody(1 << 20));
                        String error = end.object("Error").text("Message");
                        if (!error.isEmpty()) {
                            throw new Failure(1, error);
                        }
                        return Long.toString(end.number("StatusCode", 0));
                    }
                }));
    }

    static Command remove(String path) {
        var command = Command.of(path, "[OPTIONS] " + EACH, "Remove one or more containers")
                .aliases("container rm", "container remove", "rm").words(1, Command.ANY);
        command.flags().bool("f,force", "Force the removal of a running container (uses SIGKILL)");
        command.flags().bool("l,link", "Remove the specified link");
        command.flags().bool("v,volumes", "Remove anonymous volumes associated with the container");
        return command.does(call -> each(call, word -> {
            var flags = call.flags();
            String name = word.startsWith("/") ? word.substring(1) : word;
            if (name.isEmpty()) {
                throw new Failure(1, "container name cannot be empty");
            }
            try {
                call.engine().delete(Target.of("containers", name).when(flags.truth("force"), "force")
                        .when(flags.truth("link"), "link").when(flags.truth("volumes"), "v"));
            } catch (EngineError e) {
                if (!flags.truth("force") || !e.isNotFound()) {
                    throw e;
                }
                call.session().say(e.sentence());
                return "";
            }
            return word;
        }));
    }

    static Command rename(String path) {
        return Command.of(path, "CONTAINER NEW_NAME", "Rename a container")
                .aliases("container rename", "rename").words(2, 2).does(call -> {
                    call.engine().post(Target.of("containers", call.word(0), "rename").with("name", call.word(1)));
                    return 0;
                });
    }
}
