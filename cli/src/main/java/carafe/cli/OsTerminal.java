package carafe.cli;

import carafe.cli.session.Terminal;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The terminal of this process, worked by stty(1): what it costs (some milliseconds) only an interactive start pays.
///
/// The system property `carafe.terminals` may list the streams that are terminals (`02`), as a launcher knows them for
/// nothing; without it the names of /proc/self/fd tell.
final class OsTerminal implements Terminal {

    private static final int STTY_SECONDS = 5;

    private @Nullable String saved;
    private @Nullable Thread hook;

    @Override
    public boolean isTerminal(int stream) {
        String known = System.getProperty("carafe.terminals");
        if (known != null) {
            return known.indexOf('0' + stream) >= 0;
        }
        try {
            String name = Files.readSymbolicLink(Path.of("/proc/self/fd/" + stream)).toString();
            return name.startsWith("/dev/pts/") || name.startsWith("/dev/tty") || name.equals("/dev/console");
        } catch (IOException | UnsupportedOperationException e) {
            return false; // closed
        }
    }

    @Override
    public Optional<Size> size() {
        for (int stream : new int[] {1, 0, 2}) {
            if (isTerminal(stream)) {
                try {
                    var words = stty(stream, "size").strip().split(" ");
                    if (words.length == 2) {
                        var size = new Size(Integer.parseInt(words[0]), Integer.parseInt(words[1]));
                        return size.columns() > 0 ? Optional.of(size) : Optional.empty();
                    }
                } catch (IOException | NumberFormatException e) {
                    return Optional.empty(); // a terminal without a size
                }
            }
        }
        return Optional.empty();
    }

    @Override
    public synchronized Raw raw() throws IOException {
        if (saved == null) {
            saved = stty(0, "-g").strip();
            hook = new Thread(this::restore, "restore terminal");
            Runtime.getRuntime().addShutdownHook(hook);
        }
        stty(0, "raw", "-echo", "-echonl", "-iexten", "cs8");
        return this::restore;
    }

    /// Gives the terminal back as it was found, if it was changed.
    synchronized void restore() {
        if (saved == null) {
            return;
        }
        String before = saved;
        saved = null;
        try {
            stty(0, before);
        } catch (IOException e) {
            return; // the terminal is gone
        }
        if (hook != null && Thread.currentThread() != hook) {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException e) {
                return; // the JVM is ending and runs the hook, which will find nothing to do
            }
        }
    }

    private static String stty(int stream, String... words) throws IOException {
        var command = new String[words.length + 1];
        command[0] = "stty";
        System.arraycopy(words, 0, command, 1, words.length);
        var process = new ProcessBuilder(command)
                .redirectInput(stream == 0 ? Redirect.INHERIT : Redirect.from(Path.of("/proc/self/fd/" + stream).toFile()))
                .redirectError(Redirect.DISCARD)
                .start();
        String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (!process.waitFor(STTY_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
                process.destroyForcibly();
                throw new IOException("the terminal does not answer to stty " + words[0]);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for stty", e);
        }
        return answer;
    }
}
