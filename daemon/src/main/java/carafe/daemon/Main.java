package carafe.daemon;

import carafe.spec.EngineException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;

/// `carafed`: reads flags and configuration, starts the daemon, ends it at SIGTERM or SIGINT. Containers go on.
public final class Main {

    private Main() {}

    /// Exit status 0 after a signal, 1 when the start failed (one sentence on standard error).
    public static void main(String[] arguments) throws InterruptedException {
        int status = run(List.of(arguments), System.out, System.err);
        System.exit(status);
    }

    private static int run(List<String> arguments, PrintStream out, PrintStream err) throws InterruptedException {
        try {
            if (!arguments.isEmpty() && arguments.getFirst().equals("hub")) {
                var hub = new HubCommand(out, () -> Runtime.getRuntime().halt(0));
                return hub.run(arguments.subList(1, arguments.size()));
            }
            var reader = new ConfigReader(arguments);
            if (reader.asks(Option.HELP)) {
                printHelp(out);
                return 0;
            }
            var installation = Installation.at(Path.of(System.getProperty("carafe.home", ".")));
            if (reader.asks(Option.VERSION)) {
                out.println("Carafe version " + installation.version() + ", build " + installation.commit());
                return 0;
            }
            var config = reader.read();
            if (reader.asks(Option.VALIDATE)) {
                out.println("configuration OK");
                return 0;
            }
            return serve(config, installation);
        } catch (EngineException.Invalid e) {
            err.println("error: " + e.getMessage());
            boolean hub = !arguments.isEmpty() && arguments.getFirst().equals("hub");
            err.println(hub ? "  try:  carafe hub --help" : "  try:  carafed --help");
            return 1;
        } catch (EngineException e) {
            err.println("error: " + e.getMessage());
            return 1;
        }
    }

    private static int serve(DaemonConfig config, Installation installation)
            throws EngineException, InterruptedException {
        if (!"root".equals(System.getProperty("user.name"))) {
            throw new EngineException.Forbidden("the daemon makes namespaces, mounts and control groups and needs root;"
                    + " start it as root, and let members of a group use its socket with --group");
        }
        LogSetup.install(config.debug());
        // The JVM runs the hook at SIGTERM and SIGINT, also when they come during the start, which is then let come to
        // its end: half a daemon would leave its files. halt makes the status 0, a signal's would be 143.
        var started = new CompletableFuture<Optional<Daemon>>();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> started.join().ifPresent(daemon -> {
            daemon.close();
            Runtime.getRuntime().halt(0);
        })));
        try {
            started.complete(Optional.of(Daemon.start(config, installation)));
        } finally {
            started.complete(Optional.empty()); // does nothing after a start that worked
        }
        new CountDownLatch(1).await();
        return 0;
    }

    private static void printHelp(PrintStream out) {
        out.println("Usage:  carafed [OPTIONS]");
        out.println();
        out.println("The daemon of carafe, a container engine.");
        out.println();
        out.println("Options:");
        for (Option option : Option.values()) {
            if (option.flag.isEmpty()) {
                continue;
            }
            String shorthand = option.shorthand == '\0' ? "    " : "-" + option.shorthand + ", ";
            String kind = option.kind.name().toLowerCase(java.util.Locale.ROOT);
            String value = option.kind == Option.Kind.TRUTH ? "" : " " + kind;
            out.printf("  %s--%-24s %s%n", shorthand, option.flag + value, option.help);
        }
    }
}
