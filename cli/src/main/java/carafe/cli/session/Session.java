package carafe.cli.session;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;

/// Everything a command may touch. Whoever makes the Session closes what is in it.
///
/// @param arguments the words behind the command's own name
/// @param environment the caller's variables
/// @param directory the caller's working directory, absolute
/// @param in standard input; blocks
/// @param out standard output: data only; written at once
/// @param err standard error: talk; written at once
public record Session(
        List<String> arguments,
        Map<String, String> environment,
        Path directory,
        InputStream in,
        OutputStream out,
        OutputStream err,
        Terminal terminal,
        Files files,
        Signals signals,
        Programs programs,
        Caller caller,
        Clock clock) {

    public Session {
        arguments = List.copyOf(arguments);
    }

    /// The variable's value; empty text when it is not set.
    public String variable(String name) {
        return environment.getOrDefault(name, "");
    }

    /// Writes `text` to standard output in one piece.
    public void print(String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.UTF_8));
    }

    /// Writes a line to standard output.
    public void println(String line) throws IOException {
        print(line + "\n");
    }

    /// Writes a line to standard error; a broken standard error is nobody's business.
    public void say(String line) {
        try {
            err.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            return; // there is nobody left to tell
        }
    }

    /// The name a user gave, relative to where he is.
    public Path path(String name) {
        return directory.resolve(name);
    }
}
