package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;

/// `commit`: an image of what a container is now.
final class Commit {

    private Commit() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
                "Create a new image from a container's changes")
                .aliases("container commit", "commit").words(1, 2);
        var flags = command.flags();
        flags.text("a,author", "Author (e.g., \"John Hannibal Smith <hannibal@a-team.com>\")");
        flags.list("c,change", "Apply Dockerfile instruction to the created image");
        flags.text("m,message", "Commit message");
        flags.bool("p,pause", "Pause container during commit").otherwise("true");
        return command.does(Commit::run);
    }

    private static int run(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        var flags = call.flags();
        String name = call.words().size() > 1 ? call.word(1) : "";
        int colon = name.lastIndexOf(':');
        boolean tagged = colon > name.lastIndexOf('/');
        var target = Target.of("commit").with("container", call.word(0))
                .given("repo", tagged ? name.substring(0, colon) : name)
                .given("tag", tagged ? name.substring(colon + 1) : "")
                .given("author", flags.text("author")).given("comment", flags.text("message"))
                .with("pause", flags.truth("pause") ? "1" : "0");
        flags.list("change").forEach(change -> target.with("changes", change));
        var answer = call.engine().post(target, Json.object().build());
        call.session().println(answer.text("Id", answer.text("ID")));
        return 0;
    }
}
