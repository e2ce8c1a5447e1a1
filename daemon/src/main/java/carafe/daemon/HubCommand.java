package carafe.daemon;

import carafe.hub.Hub;
import carafe.hub.HubConfig;
import carafe.hub.access.Users;
import carafe.image.CommitSteps;
import carafe.spec.EngineException;
import carafe.spec.EngineException.Invalid;
import carafe.spec.Failpoints;
import carafe.spec.Json;
import java.io.Console;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;

/// `carafe hub`: runs the hub alone, checks its configuration and its content, makes lines for its users.
final class HubCommand {

    private static final int FILE_LIMIT = 1 << 20;
    private static final int PASSWORD_LIMIT = 1024;

    private final PrintStream out;
    private final Runnable atEnd;

    /// Talks to `out`; `atEnd` ends the process after a signal.
    HubCommand(PrintStream out, Runnable atEnd) {
        this.out = out;
        this.atEnd = atEnd;
    }

    /// Does what the words behind `hub` say; the exit status.
    int run(List<String> words) throws EngineException, InterruptedException {
        String verb = words.isEmpty() ? "" : words.getFirst();
        switch (verb) {
            case "serve" -> serve(config(words));
            case "check" -> {
                config(words);
                out.println("configuration OK");
            }
            case "verify" -> {
                var rest = new ArrayList<>(words);
                boolean repair = rest.remove("--repair");
                return new HubVerify(out).run(config(rest), repair);
            }
            case "password" -> {
                if (words.size() != 2 || words.get(1).indexOf(':') >= 0) {
                    throw new Invalid("\"carafe hub password\" takes one user name, without a colon");
                }
                out.println(Users.line(words.get(1), password()));
            }
            case "", "-h", "--help", "help" -> help();
            default -> throw new Invalid("\"" + verb + "\" is not a hub command; those are serve, check, verify and password");
        }
        return 0;
    }

    private void help() {
        out.println("Usage:  carafe hub COMMAND");
        out.println();
        out.println("The registry of carafe: push images here and pull them anywhere.");
        out.println();
        out.println("Commands:");
        out.println("  serve --config FILE   Run the hub until it gets a signal");
        out.println("  check --config FILE   Check the configuration");
        out.println("  verify --config FILE [--repair]");
        out.println("                        Read all content and compare it with its digests; set damaged content aside");
        out.println("                        and fetch it anew from upstreams");
        out.println("  password USER         Read a password and print the user's line for the users file");
    }

    private static HubConfig config(List<String> words) throws Invalid {
        String file = "/etc/carafe/hub.json";
        if (words.size() == 3 && words.get(1).equals("--config")) {
            file = words.get(2);
        } else if (words.size() == 2 && words.get(1).startsWith("--config=")) {
            file = words.get(1).substring("--config=".length());
        } else if (words.size() > 1) {
            throw new Invalid("\"carafe hub " + words.getFirst() + "\" takes --config FILE, not \""
                    + String.join(" ", words.subList(1, words.size())) + "\"");
        }
        return HubConfig.parse(read(Path.of(file)));
    }

    /// The document in `file`.
    static Json.Obj read(Path file) throws Invalid {
        try {
            if (Files.size(file) > FILE_LIMIT) {
                throw new Invalid("configuration file " + file + " is larger than 1 MiB");
            }
            return Json.parseObject(Files.readAllBytes(file));
        } catch (IOException e) {
            throw new Invalid("configuration file " + file + " cannot be read: " + PidFile.reason(e));
        } catch (Invalid e) {
            throw new Invalid("configuration file " + file + ": " + e.getMessage());
        }
    }

    private void serve(HubConfig config) throws EngineException, InterruptedException {
        LogSetup.install(false);
        // A signal that comes during the start is heard when the start has come to its end.
        var started = new CompletableFuture<Optional<Hub>>();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> started.join().ifPresent(hub -> {
            hub.close();
            atEnd.run();
        })));
        try {
            started.complete(Optional.of(Hub.start(config, surroundings("unknown", Optional.empty()))));
            NativeCryptography.installSoon(config.data());
        } finally {
            started.complete(Optional.empty()); // does nothing after a start that worked
        }
        new CountDownLatch(1).await();
    }

    /// What a hub stands on in this process.
    static Hub.Surroundings surroundings(String version, Optional<String> group) throws Invalid {
        String terms = System.getenv("CARAFE_FAILPOINTS");
        var failpoints = terms == null ? Failpoints.none() : Failpoints.parse(terms);
        CommitSteps steps = failpoints.active() ? step -> failpoints.pass("hub: " + step) : CommitSteps.REAL;
        return new Hub.Surroundings(
                mirrored -> RegistryUpstream.dial(mirrored, "carafe-hub/" + version), Clock.systemUTC(), group, steps);
    }

    private static String password() throws Invalid {
        Console console = System.console();
        if (console != null && console.isTerminal()) {
            char[] typed = console.readPassword("Password: ");
            return typed == null ? "" : new String(typed);
        }
        return line(System.in);
    }

    private static String line(InputStream in) throws Invalid {
        try {
            String text = new String(in.readNBytes(PASSWORD_LIMIT), StandardCharsets.UTF_8);
            String line = text.lines().findFirst().orElse("");
            if (line.isEmpty()) {
                throw new Invalid("the password is read from standard input, which is empty");
            }
            return line;
        } catch (IOException e) {
            throw new Invalid("the password cannot be read: " + e.getMessage());
        }
    }
}
