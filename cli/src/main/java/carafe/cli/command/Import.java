package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.io.InputStream;

/// `import`: an image of the files in a tar.
final class Import {

    private Import() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
                "Import the contents from a tarball to create a filesystem image")
                .aliases("image import", "import").words(1, 2);
        var flags = command.flags();
        flags.list("c,change", "Apply Dockerfile instruction to the created image");
        flags.text("m,message", "Set commit message for imported image");
        flags.text("platform", "Set platform if server is multi-platform capable");
        return command.does(Import::run);
    }

    private static int run(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        String source = call.word(0);
        String name = call.words().size() > 1 ? call.word(1) : "";
        int colon = name.lastIndexOf(':');
        boolean tagged = colon > name.lastIndexOf('/');
        boolean address = source.startsWith("http://") || source.startsWith("https://");
        var target = Target.of("images/create").with("fromSrc", address ? source : "-")
                .given("repo", tagged ? name.substring(0, colon) : name)
                .given("tag", tagged ? name.substring(colon + 1) : "")
                .given("message", call.flags().text("message")).given("platform", call.flags().text("platform"));
        call.flags().list("change").forEach(change -> target.with("changes", change));
        try (InputStream archive = address ? InputStream.nullInputStream()
                        : source.equals("-") ? call.session().in()
                        : call.session().files().read(call.session().path(source));
                var answer = call.engine().upload(target, archive);
                var messages = Json.stream(answer.body())) {
            Pulling.showAll(call, messages);
        }
        return 0;
    }
}
