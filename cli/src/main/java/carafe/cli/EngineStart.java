package carafe.cli;

import carafe.cli.client.Starter;
import carafe.cli.session.Session;
import carafe.http.Address;
import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Starts the daemon that the system property `carafe.daemon` names, in the background: a session of its own, standard
/// streams to a log file, so that neither the terminal nor its signals reach it.
final class EngineStart implements Starter {

    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Path LOG_DIRECTORY = Path.of("/var/lib/carafe");
    private static final String LOG = "carafed.log";
    private static final int SHOWN_LINES = 5;

    private final Session session;

    EngineStart(Session session) {
        this.session = session;
    }

    @Override
    public boolean start(Address address) throws IOException {
        String daemon = System.getProperty("carafe.daemon", "");
        if (!(address instanceof Address.Unix unix) || daemon.isEmpty() || !Files.isExecutable(Path.of(daemon))) {
            return false;
        }
        if (!session.variable("CARAFE_NO_START").isEmpty() || !mayStart()) {
            return false;
        }
        Files.createDirectories(LOG_DIRECTORY);
        File log = LOG_DIRECTORY.resolve(LOG).toFile();
        long began = System.nanoTime();
        var process = new ProcessBuilder("setsid", daemon)
                .directory(new File("/"))
                .redirectInput(Redirect.from(new File("/dev/null")))
                .redirectOutput(Redirect.appendTo(log))
                .redirectError(Redirect.appendTo(log))
                .start();
        while (!listens(unix.path())) {
            boolean ended = ended(process);
            if (listens(unix.path())) {
                break; // another one was quicker
            }
            if (ended) {
                throw new IOException("the engine did not start (exit code " + process.exitValue() + ")" + last(log));
            }
            if (System.nanoTime() - began > PATIENCE.toNanos()) {
                throw new IOException("the engine did not listen at " + address + " within " + PATIENCE.toSeconds()
                        + " seconds; its log is " + log);
            }
        }
        session.say("started the engine in the background (log: " + log + ")");
        return true;
    }

    /// Only root can make containers; for others the sentence about an engine that is not there is the better one.
    private static boolean mayStart() {
        return "root".equals(System.getProperty("user.name"));
    }

    private static boolean ended(Process process) throws IOException {
        try {
            return process.waitFor(10, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while the engine started", e);
        }
    }

    private static boolean listens(Path socket) {
        try (var channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            return channel.connect(UnixDomainSocketAddress.of(socket));
        } catch (IOException e) {
            return false; // not yet
        }
    }

    private static String last(File log) throws IOException {
        List<String> lines = Files.readAllLines(log.toPath());
        var text = new StringBuilder("; the end of its log, ").append(log).append(':');
        for (var line : lines.subList(Math.max(0, lines.size() - SHOWN_LINES), lines.size())) {
            text.append("\n  ").append(line);
        }
        return text.toString();
    }
}
