package carafe.cli;

import carafe.cli.session.Programs;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Programs of this host.
final class OsPrograms implements Programs {

    private static final int MOST_OUTPUT = 1 << 20;
    private static final int SECONDS = 60;

    @Override
    public Outcome run(List<String> command, String input) throws IOException {
        var process = CallersLocale.in(new ProcessBuilder(command)).redirectError(Redirect.INHERIT).start();
        try {
            try (var in = process.getOutputStream()) {
                in.write(input.getBytes(StandardCharsets.UTF_8));
            } catch (IOException e) {
                // it does not read, which its exit code may explain
            }
            byte[] output = process.getInputStream().readNBytes(MOST_OUTPUT);
            if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
                throw new IOException(command.getFirst() + " does not end");
            }
            return new Outcome(process.exitValue(), new String(output, StandardCharsets.UTF_8));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for " + command.getFirst(), e);
        } finally {
            process.destroyForcibly();
        }
    }
}
