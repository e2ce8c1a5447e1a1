package carafe.cli;

import carafe.cli.client.EndpointException;
import carafe.cli.client.Endpoints;
import carafe.cli.client.Starter;
import carafe.cli.command.Warmth;
import carafe.cli.credential.Credentials;
import carafe.cli.session.Caller;
import carafe.cli.session.Programs;
import carafe.cli.session.Session;
import carafe.cli.warm.CommandRequest;
import carafe.cli.warm.FarFiles;
import carafe.cli.warm.FarProcess;
import carafe.http.Address;
import carafe.http.DuplexStream;
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
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/// Commands that run in this JVM, which is warm, for processes elsewhere on the host (docs/adr/0047-warm-commands.md).
/// Their files are opened by those processes, but for the contexts of builds, which are looked through here where that is
/// the same.
/// What a JVM of the caller's own would do otherwise is refused, and that process becomes such a JVM: a command of another
/// installation or time zone, one that asks programs for credentials, and what [Warmth] does not name.
public final class WarmCommands implements Handler {

    /// Where they are asked for.
    public static final String PATH = "/carafe/v1/command";

    private static final int AT_ONCE = 32;
    private static final int LARGE_AT_ONCE = 4;
    private static final Path TIME_ZONE = Path.of("/etc/localtime");

    /// Programs have the caller's rights, PATH and terminal: a command that runs some does not get here.
    private static final class NoPrograms implements Programs {
        @Override
        public Outcome run(List<String> command, String input) throws IOException {
            throw refused(command);
        }

        @Override
        public Outcome ask(List<String> command, Map<String, String> variables, boolean terminal) throws IOException {
            throw refused(command);
        }

        @Override
        public Beside start(List<String> command) throws IOException {
            throw refused(command);
        }

        private static IOException refused(List<String> command) {
            return new IOException("cannot start " + command.getFirst() + " for a command that runs in the engine;"
                    + " CARAFE_WARM=0 makes it run by itself");
        }
    }

    private final String code;
    private final int user;
    private final List<Path> sockets;
    private final Capabilities capabilities;
    private final Lister lister;
    private final String zone = System.getenv().getOrDefault("TZ", "");
    private final Optional<FileTime> zoneChanged = changed(TIME_ZONE);
    private final Semaphore all = new Semaphore(AT_ONCE);
    private final Semaphore large = new Semaphore(LARGE_AT_ONCE);

    /// `jar` is the file with the commands, which another installation has elsewhere; `sockets` are the engine's;
    /// `capabilities` finds those of contexts' files, which `lister` lists.
    public WarmCommands(Path jar, List<Path> sockets, Capabilities capabilities, Lister lister) throws IOException {
        this.sockets = List.copyOf(sockets);
        this.capabilities = capabilities;
        this.lister = lister;
        var file = Files.readAttributes(jar, "unix:dev,ino,size,lastModifiedTime");
        long nanos = ((FileTime) Objects.requireNonNull(file.get("lastModifiedTime"))).to(TimeUnit.NANOSECONDS);
        this.code = "%s:%s:%s:%d.%09d".formatted(file.get("dev"), file.get("ino"), file.get("size"),
                Math.floorDiv(nanos, 1_000_000_000L), Math.floorMod(nanos, 1_000_000_000L));
        this.user = new OsCaller().ids().uid();
    }

    /// Where this process is; only builds ask.
    private static CommandRequest.Place place() throws IOException {
        var root = Files.readAttributes(Path.of("/"), "unix:dev,ino");
        return new CommandRequest.Place(umask(), Files.readSymbolicLink(Path.of("/proc/self/ns/mnt")).toString(),
                root.get("dev") + ":" + root.get("ino"));
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
        var caller = exchange.peer();
        if (caller.isEmpty()) {
            refuse(exchange, 409, "the command is given on another host");
        } else {
            handle(exchange, new Caller.Ids(caller.get().uid(), caller.get().gid()));
        }
    }

    private void handle(Exchange exchange, Caller.Ids caller) throws IOException {
        try {
            if (!CommandRequest.code(exchange.readBody(CommandRequest.MAX_CODE_BYTES)).equals(code)) {
                refuse(exchange, 409, "the command is another program than this engine's");
                return;
            }
            try (var stream = exchange.upgrade(Headers.NONE)) {
                serve(stream, CommandRequest.read(stream.input()), caller);
            }
        } catch (EngineException.Invalid e) {
            if (!exchange.answered()) {
                refuse(exchange, 400, String.valueOf(e.getMessage()));
            }
        }
    }

    private void serve(DuplexStream stream, CommandRequest request, Caller.Ids caller) throws IOException {
        var places = Warmth.isLarge(request.arguments()) ? large : all;
        try (var process = new FarProcess(stream, request.terminals(), request.size())) {
            if (!takes(request, caller) || !places.tryAcquire()) {
                process.runAlone();
                return;
            }
            try {
                run(process, request, caller);
            } finally {
                places.release();
            }
        }
    }

    /// Whether a JVM of the command's own would do nothing otherwise.
    private boolean takes(CommandRequest request, Caller.Ids caller) throws IOException {
        boolean zoned = request.environment().getOrDefault("TZ", "").equals(zone) && changed(TIME_ZONE).equals(zoneChanged);
        return zoned && Warmth.takes(request.arguments())
                && (!Warmth.isLarge(request.arguments()) || caller.uid() == user && request.place().equals(place()));
    }

    private static void refuse(Exchange exchange, int status, String why) throws IOException {
        exchange.respond(status, Headers.of("Content-Type", "text/plain; charset=utf-8"),
                (why + "\n").getBytes(StandardCharsets.UTF_8));
    }

    private void run(FarProcess process, CommandRequest request, Caller.Ids caller) throws IOException {
        var files = new FarFiles(process);
        var session = new Session(request.arguments(), request.environment(), request.directory(), process.in(),
                process.out(), process.err(), process,
                Warmth.isLarge(request.arguments()) ? new SharedFiles(new OsFiles(capabilities, lister), files) : files,
                process, new NoPrograms(), () -> caller, Clock.systemUTC());
        // Files may block it for long, which a virtual thread would pass on to its carrier.
        var command = Thread.ofPlatform().daemon().name("command").start(() -> perform(process, session));
        try {
            process.listen();
        } finally {
            command.interrupt(); // what it waits for ends, and with it what an engine does for it
        }
    }

    private void perform(FarProcess process, Session session) {
        try {
            if (!means(session) || Warmth.needsCredentials(session.arguments()) && asksPrograms(session)) {
                process.runAlone();
            } else {
                process.take();
                process.end(Main.perform(session, new ThisEngine(sockets.getFirst())));
            }
        } catch (IOException e) {
            return; // it is gone
        } finally {
            process.close();
        }
    }

    /// Starts none, and lets none other be asked: connections are made with the rights of this process.
    private record ThisEngine(Path socket) implements Starter {
        @Override
        public boolean start(Address address) {
            return false;
        }

        @Override
        public Optional<Address> only() {
            return Optional.of(new Address.Unix(socket));
        }
    }

    /// Whether it is this engine that the command would speak to.
    private boolean means(Session session) {
        try {
            var address = Endpoints.choose(Endpoints.Wanted.NOTHING, session).address();
            if (address instanceof Address.Unix(Path path)) {
                for (Path socket : sockets) {
                    if (Files.isSameFile(socket, path)) {
                        return true;
                    }
                }
            }
            return false;
        } catch (EndpointException | IOException e) {
            return false;
        }
    }

    private static boolean asksPrograms(Session session) {
        try {
            return Credentials.needPrograms(session.files(),
                    Endpoints.configDirectory("", session.environment(), session.directory()));
        } catch (IOException e) {
            return false; // the command says what is wrong with the file
        }
    }
}
