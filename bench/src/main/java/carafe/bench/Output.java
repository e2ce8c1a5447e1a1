package carafe.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/// What commands leave behind: bytes to count, directories to remove.
public final class Output {

    private Output() {}

    /// Runs the command to its end, with its errors in the file `errors`; how many bytes it wrote to standard output.
    /// @throws IOException with what it said when it ended with anything but 0
    static long count(ProcessBuilder command, Path errors) throws IOException, InterruptedException {
        var started = command
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectError(errors.toFile())
                .start();
        long total = 0;
        byte[] buffer = new byte[1 << 18];
        try (var out = started.getInputStream()) {
            for (int n = out.read(buffer); n >= 0; n = out.read(buffer)) {
                total += n;
            }
        }
        int status = started.waitFor();
        if (status != 0) {
            throw new IOException(command.command() + " ended with " + status + ": " + Files.readString(errors));
        }
        return total;
    }

    /// Removes a directory with all in it; says so when something stays.
    public static void remove(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            files.sorted(java.util.Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
        } catch (IOException | java.io.UncheckedIOException e) {
            System.err.println("warning: " + directory + " could not be removed: " + e.getMessage());
        }
    }
}
