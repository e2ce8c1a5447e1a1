package carafe.cli;

import carafe.cli.session.Programs;
import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// Programs of this host.
final class OsPrograms implements Programs {

    private static final int MOST_OUTPUT = 1 << 20;
    private static final int SECONDS = 60;
    private static final int SECONDS_TO_END = 5;

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

    @Override
    public Outcome ask(List<String> command, Map<String, String> variables, boolean terminal) throws IOException {
        var builder = CallersLocale.in(new ProcessBuilder(command)).redirectOutput(Redirect.DISCARD)
                .redirectInput(terminal ? Redirect.INHERIT : Redirect.from(new File("/dev/null")));
        builder.environment().putAll(variables);
        var process = builder.start();
        try {
            byte[] said = process.getErrorStream().readNBytes(MOST_OUTPUT);
            if (said.length == MOST_OUTPUT) {
                throw new IOException(command.getFirst() + " says too much");
            }
            return new Outcome(process.waitFor(), new String(said, StandardCharsets.UTF_8));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for " + command.getFirst(), e);
        } finally {
            process.destroyForcibly();
        }
    }

    @Override
    public Beside start(List<String> command) throws IOException {
        var process = CallersLocale.in(new ProcessBuilder(command)).redirectError(Redirect.INHERIT).start();
        boolean started = false;
        try {
            for (int said = process.getInputStream().read(); said != '\n'; said = process.getInputStream().read()) {
                if (said < 0) {
                    throw new IOException(command.getFirst() + " ended at once");
                }
            }
            started = true;
            return () -> end(process);
        } finally {
            if (!started) {
                end(process);
            }
        }
    }

    private static void end(Process process) {
        try (var _ = process.getInputStream()) {
            process.getOutputStream().close();
            process.waitFor(SECONDS_TO_END, TimeUnit.SECONDS);
        } catch (IOException e) {
            return; // it is ended below
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            process.destroyForcibly();
        }
    }
}
