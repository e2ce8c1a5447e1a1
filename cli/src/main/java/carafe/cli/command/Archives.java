package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import java.io.IOException;
import java.nio.file.Path;

/// An archive that the engine sends, into a file or to standard output. A file is replaced only by a whole archive.
final class Archives {

    private Archives() {}

    /// Fetches `target` into the file named `output`, or to standard output if that is empty, which must be no terminal.
    static void fetch(Call call, Target target, String output) throws Failure, EngineError, IOException {
        var session = call.session();
        if (output.isEmpty()) {
            if (session.terminal().isTerminal(1)) {
                throw new Failure(1, "cowardly refusing to save to a terminal. Use the -o flag or redirect");
            }
            try (var answer = call.engine().open(target)) {
                answer.body().transferTo(session.out());
            }
            return;
        }
        Path file = session.path(output);
        if (session.files().isDirectory(file)) {
            throw new Failure(1, "failed to save image: " + output + " is a directory");
        }
        if (session.files().isSpecial(file)) { // which the whole archive would take the place of
            throw new Failure(1, "invalid output path: \"" + output + "\" must be a directory or a regular file: got a device");
        }
        Path part = Path.of(file + ".part");
        boolean whole = false;
        try (var answer = call.engine().open(target)) {
            session.files().remove(part);
            try (var out = session.files().create(part)) {
                answer.body().transferTo(out);
            }
            session.files().rename(part, file);
            whole = true;
        } finally {
            if (!whole) {
                session.files().remove(part);
            }
        }
    }
}
