package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Frames;
import carafe.cli.client.Target;
import carafe.cli.format.Moments;
import carafe.spec.EngineException;
import java.io.IOException;

/// `logs`: what a container has written.
final class Logs {

    private Logs() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS] CONTAINER", "Fetch the logs of a container")
                .aliases("container logs", "logs").words(1, 1);
        var flags = command.flags();
        flags.bool("details", "Show extra details provided to logs");
        flags.bool("f,follow", "Follow log output");
        flags.text("since", "Show logs since timestamp (e.g. \"2013-01-02T13:23:37Z\") or relative (e.g. \"42m\" for 42"
                + " minutes)");
        flags.text("n,tail", "Number of lines to show from the end of the logs").otherwise("all");
        flags.bool("t,timestamps", "Show timestamps");
        flags.text("until", "Show logs before a timestamp (e.g. \"2013-01-02T13:23:37Z\") or relative (e.g. \"42m\" for 42"
                + " minutes)");
        return command.does(Logs::run);
    }

    private static int run(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        var flags = call.flags();
        var container = call.engine().fetchObject(Target.of("containers", call.word(0), "json"));
        var target = Target.of("containers", container.text("Id"), "logs")
                .when(flags.truth("details"), "details").when(flags.truth("follow"), "follow")
                .with("stderr", "1").with("stdout", "1")
                .with("tail", flags.text("tail")).when(flags.truth("timestamps"), "timestamps");
        for (var name : new String[] {"since", "until"}) {
            target.given(name, moment(call, name, "invalid value for \"" + name + "\": "));
        }
        try (var answer = call.engine().open(target)) {
            if (container.object("Config").truth("Tty")) {
                Frames.copyRaw(answer.body(), call.session().out());
            } else {
                Frames.copyFramed(answer.body(), call.session().out(), call.session().err());
            }
        }
        return 0;
    }

    /// A flag's moment in seconds; empty when it was not given.
    static String moment(Call call, String name, String refusal) throws Failure {
        String typed = call.flags().text(name);
        if (typed.isEmpty()) {
            return "";
        }
        return Moments.seconds(typed, call.session().clock())
                .orElseThrow(() -> new Failure(1, refusal + "failed to parse value as time or duration: \"" + typed + "\""));
    }
}
