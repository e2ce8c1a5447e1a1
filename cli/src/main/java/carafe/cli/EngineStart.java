package carafe.cli;

import carafe.cli.client.Starter;
import carafe.cli.session.Session;
import carafe.http.Address;
import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.ProcessBuilder.Redirect;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Starts the daemon in the background: a session of its own, standard
/// streams to a log file, so that neither the terminal nor its signals reach it.
final class EngineStart implements Starter {

    /// Where an engine of this host keeps its data, and its log when it was started here.
    static final Path DATA = Path.of("/var/lib/carafe");

    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final String LOG = "carafed.log";
    private static final int SHOWN_LINES = 5;
    private static final int SHOWN_BYTES = 4096;

    private final Session session;
    private final String daemon;
    private final Path data;

    /// `daemon` is the program to start, empty when none is installed; `data` gets its log.
    EngineStart(Session session, String daemon, Path data) {
        this.session = session;
        this.daemon = daemon;
        this.data = data;
    }

    @Override
    public boolean start(Address address) throws IOException {
        if (!(address instanceof Address.Unix unix) || daemon.isEmpty() || !Files.isExecutable(Path.of(daemon))) {
            return false;
        }
        if (!session.variable("CARAFE_NO_START").isEmpty() || !mayStart()) {
            return false;
        }
        Files.createDirectories(data, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        File log = data.resolve(LOG).toFile();
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
        byte[] end;
        try (var file = new RandomAccessFile(log, "r")) {
            end = new byte[(int) Math.min(file.length(), SHOWN_BYTES)];
            file.seek(file.length() - end.length);
            file.readFully(end);
        }
        List<String> lines = new String(end, StandardCharsets.UTF_8).lines().toList();
        var text = new StringBuilder("; the end of its log, ").append(log).append(':');
        for (var line : lines.subList(Math.max(0, lines.size() - SHOWN_LINES), lines.size())) {
            text.append("\n  ").append(line);
        }
        return text.toString();
    }
}
