package carafe.e2e;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A program to run, with its arguments and environment; immutable, each `with` makes another one.
/// The test's own environment is passed on, except what would lead a client to another engine.
record Command(List<String> words, Map<String, String> environment, byte[] stdin, Duration deadline) {

    static Command of(String... words) {
        return of(List.of(words));
    }

    static Command of(List<String> words) {
        return new Command(List.copyOf(words), Map.of(), new byte[0], Deadline.USUAL);
    }

    Command with(String name, String value) {
        var more = new LinkedHashMap<>(environment);
        more.put(name, value);
        return new Command(words, Map.copyOf(more), stdin, deadline);
    }

    Command stdin(String text) {
        return stdin(text.getBytes(StandardCharsets.UTF_8));
    }

    Command stdin(byte[] bytes) {
        return new Command(words, environment, bytes, deadline);
    }

    Command within(Duration longest) {
        return new Command(words, environment, stdin, longest);
    }

    /// The same command with more words at its end.
    Command and(String... more) {
        var all = new ArrayList<>(words);
        all.addAll(List.of(more));
        return new Command(List.copyOf(all), environment, stdin, deadline);
    }

    /// Runs it to its end: standard input is given whole and then closed.
    Outcome run() throws IOException, InterruptedException {
        try (var session = start()) {
            session.write(stdin);
            session.closeInput();
            return session.await(deadline);
        }
    }

    /// Starts it and leaves its streams to the caller.
    Session start() throws IOException {
        return new Session(this, false);
    }

    /// Starts it on a terminal of 33 rows and 77 columns; standard error is then part of standard output.
    Session startOnTerminal() throws IOException {
        var line = new StringBuilder("stty rows 33 cols 77; exec");
        for (String word : words) {
            line.append(" '").append(word.replace("'", "'\\''")).append('\'');
        }
        var script = of("script", "--quiet", "--flush", "--return", "--command", line.toString(), "/dev/null");
        return new Session(new Command(script.words, environment, stdin, deadline).with("TERM", "xterm"), true);
    }

    ProcessBuilder builder() {
        var builder = new ProcessBuilder(words).directory(Path.of("/").toFile());
        var all = builder.environment();
        all.keySet().removeIf(name -> name.startsWith("DOCKER_") || name.startsWith("CARAFE_"));
        all.putAll(environment);
        return builder;
    }
}
