package carafe.cli;

import carafe.cli.client.Endpoints;
import carafe.cli.command.Warmth;
import carafe.cli.credential.Credentials;
import carafe.cli.session.Programs;
import carafe.cli.session.Session;
import carafe.cli.warm.CommandRequest;
import carafe.cli.warm.FarProcess;
import carafe.http.Exchange;
import carafe.http.Handler;
import carafe.http.Headers;
import carafe.spec.EngineException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/// Commands that run in this JVM, which is warm, for processes elsewhere on the host (docs/adr/0047-warm-commands.md). Whatever a
/// JVM of the caller's own would do otherwise is refused, and that process becomes such a JVM: another user's command
/// (files are opened here with the rights of this process), one of another installation, below another root, in other
/// mounts, with another umask or time zone, and what [Warmth] does not name.
public final class WarmCommands implements Handler {

    /// Where they are asked for.
    public static final String PATH = "/carafe/v1/command";

    private static final int AT_ONCE = 32;
    private static final int LARGE_AT_ONCE = 4;
    private static final Path TIME_ZONE = Path.of("/etc/localtime");

    private final CommandRequest.Place place;
    private final String zone = System.getenv().getOrDefault("TZ", "");
    private final Optional<FileTime> zoneChanged = changed(TIME_ZONE);
    private final Semaphore all = new Semaphore(AT_ONCE);
    private final Semaphore large = new Semaphore(LARGE_AT_ONCE);

    /// `code` is the file with the commands, which another installation has elsewhere.
    public WarmCommands(Path code) throws IOException {
        var file = Files.readAttributes(code, "unix:dev,ino,size,lastModifiedTime");
        long nanos = ((FileTime) Objects.requireNonNull(file.get("lastModifiedTime"))).to(TimeUnit.NANOSECONDS);
        String stamp = "%s:%s:%s:%d.%09d".formatted(file.get("dev"), file.get("ino"), file.get("size"),
                Math.floorDiv(nanos, 1_000_000_000L), Math.floorMod(nanos, 1_000_000_000L));
        var root = Files.readAttributes(Path.of("/"), "unix:dev,ino");
        this.place = new CommandRequest.Place(stamp, umask(),
                Files.readSymbolicLink(Path.of("/proc/self/ns/mnt")).toString(), root.get("dev") + ":" + root.get("ino"));
    }

    private static String umask() throws IOException {
        try (var lines = Files.lines(Path.of("/proc/self/status"))) {
            return lines.filter(line -> line.startsWith("Umask:")).map(line -> line.substring(6).strip()).findFirst().orElse("");
        }
    }

    private static Optional<FileTime> changed(Path file) {
        try {
            return Optional.of(Files.getLastModifiedTime(file, LinkOption.NOFOLLOW_LINKS));
        } catch (IOException e) {
            return Optional.empty(); // not there: UTC
        }
    }

    @Override
    public void handle(Exchange exchange) throws Exception {
        CommandRequest request;
        try {
            request = CommandRequest.parse(exchange.readBody(CommandRequest.MAX_BYTES));
        } catch (EngineException.Invalid e) {
            refuse(exchange, 400, String.valueOf(e.getMessage()));
            return;
        }
        String why = cold(exchange, request);
        if (!why.isEmpty()) {
            refuse(exchange, 409, why);
            return;
        }
        var places = Warmth.isLarge(request.arguments()) ? large : all;
        if (!places.tryAcquire()) {
            refuse(exchange, 409, "many commands run here already");
            return;
        }
        try (var process = new FarProcess(exchange.upgrade(Headers.NONE), request.terminals(), request.size())) {
            run(process, request);
        } finally {
            places.release();
        }
    }

    /// Why the command has to run in a JVM of its own; empty when it may run here.
    private String cold(Exchange exchange, CommandRequest request) throws IOException {
        var peer = exchange.peer();
        var own = new OsCaller().ids();
        if (peer.isEmpty() || peer.get().uid() != own.uid() || peer.get().gid() != own.gid()) {
            return "files would be opened with other rights";
        }
        if (!request.place().equals(place)) {
            return "the command is another program than this engine's, or sees other files";
        }
        if (!Warmth.takes(request.arguments())) {
            return "the command is not one of those that run here";
        }
        if (Warmth.needsCredentials(request.arguments()) && asksPrograms(request)) {
            return "a program of the caller's keeps credentials";
        }
        boolean zoned = request.environment().getOrDefault("TZ", "").equals(zone) && changed(TIME_ZONE).equals(zoneChanged);
        return zoned ? "" : "the time zone is another one";
    }

    private static void refuse(Exchange exchange, int status, String why) throws IOException {
        exchange.respond(status, Headers.of("Content-Type", "text/plain; charset=utf-8"),
                (why + "\n").getBytes(StandardCharsets.UTF_8));
    }

    private static boolean asksPrograms(CommandRequest request) {
        try {
            return Credentials.needPrograms(new OsFiles(),
                    Endpoints.configDirectory("", request.environment(), request.directory()));
        } catch (IOException e) {
            return false; // the command says what is wrong with the file
        }
    }

    private void run(FarProcess process, CommandRequest request) throws IOException {
        var session = new Session(request.arguments(), request.environment(), request.directory(), process.in(),
                process.out(), process.err(), process, new OsFiles(), process, NO_PROGRAMS, new OsCaller(), Clock.systemUTC());
        var command = Thread.currentThread();
        var listener = Thread.ofVirtual().name("process of a command").start(() -> {
            process.listen();
            command.interrupt(); // what it waits for ends, and with it what an engine does for it
        });
        int code = Main.perform(session, _ -> false);
        try {
            process.end(code);
        } finally {
            process.close();
            join(listener);
        }
    }

    private static void join(Thread listener) {
        boolean ended = false;
        while (!ended) {
            try {
                listener.join();
                ended = true;
            } catch (InterruptedException e) {
                continue; // its last word
            }
        }
        Thread.interrupted();
    }

    /// Credentials are asked of programs with the caller's PATH and terminal: such a command does not get here.
    private static final Programs NO_PROGRAMS = (command, _) -> {
        throw new IOException("cannot start " + command.getFirst() + " for a command that runs in the engine;"
                + " CARAFE_WARM=0 makes it run by itself");
    };
}
