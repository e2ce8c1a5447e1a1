package carafe.cli.command;

import carafe.cli.client.Engine;
import carafe.cli.client.EngineError;
import carafe.cli.client.Endpoints;
import carafe.cli.client.Starter;
import carafe.cli.client.Unreachable;
import carafe.cli.flag.FlagException;
import carafe.cli.flag.Flags;
import carafe.cli.session.Session;
import carafe.spec.EngineException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The command `carafe`: finds the command in the words, runs it, answers the exit code.
public final class Carafe {

    /// This program's version.
    public static final String VERSION = "0.1.0";

    private static final int USAGE = 125;

    private final Session session;
    private final Starter starter;

    private Carafe(Session session, Starter starter) {
        this.session = session;
        this.starter = starter;
    }

    /// Runs what the session's arguments say; `starter` is asked when no engine answers. Never throws for what the user
    /// or the engine did wrong.
    public static int run(Session session, Starter starter) {
        return new Carafe(session, starter).run();
    }

    private int run() {
        var global = globalFlags();
        try {
            global.parse(session.arguments());
        } catch (FlagException e) {
            session.say(e.getMessage() + "\n\nUsage:  carafe [OPTIONS] COMMAND [ARG...]\n\n"
                    + "Run 'carafe --help' for more information");
            return USAGE;
        }
        String level = global.text("log-level");
        if (!" debug info warn error fatal ".contains(" " + level + " ")) {
            session.say("Unable to parse logging level: " + level);
            return 1;
        }
        try {
            if (global.truth("version")) {
                session.println("Carafe version " + VERSION + ", API " + Engine.NEWEST);
                return 0;
            }
            if (global.truth("help") || global.words().isEmpty()) {
                String help = Help.top(global.usages(Help.columns(session) - 1));
                (global.truth("help") ? session.out() : session.err())
                        .write(help.getBytes(StandardCharsets.UTF_8));
                return 0;
            }
            return dispatch(global);
        } catch (IOException e) {
            session.say(String.valueOf(e.getMessage()));
            return 1;
        }
    }

    private int dispatch(Flags global) throws IOException {
        List<String> words = global.words();
        boolean helpWanted = words.getFirst().equals("help") && words.size() > 1;
        if (words.getFirst().equals("help")) {
            words = words.subList(1, words.size());
        }
        if (words.isEmpty()) {
            session.print(Help.top(global.usages(Help.columns(session) - 1)));
            return 0;
        }
        String group = Catalog.group(words.getFirst()) == null ? "" : words.getFirst();
        int at = group.isEmpty() ? 0 : 1;
        if (at == words.size() || at == 1 && (words.get(1).equals("--help") || words.get(1).equals("-h"))) {
            String help = Help.group(group, String.valueOf(Catalog.group(group)));
            session.print(help);
            return 0;
        }
        String name = words.get(at);
        Command command = Catalog.find(group, name);
        if (command == null) {
            session.say(helpWanted ? "unknown help topic: " + String.join(" ", words) : Help.unknown(group, name));
            return 1;
        }
        if (helpWanted) {
            session.print(Help.of(command, Help.columns(session)));
            return 0;
        }
        return perform(command, words.subList(at + 1, words.size()), wanted(global));
    }

    private int perform(Command command, List<String> words, Endpoints.Wanted wanted) throws IOException {
        var flags = command.flags();
        if (!flags.exists("help")) {
            flags.bool("h,help", "Print usage").hidden();
        }
        try {
            flags.parse(words);
        } catch (FlagException e) {
            session.say(Help.flagMistake(String.valueOf(e.getMessage()), command));
            return USAGE;
        }
        if (flags.truth("help")) {
            session.print(Help.of(command, Help.columns(session)));
            return 0;
        }
        String mistake = Help.countMistake(command, flags.words().size());
        if (!mistake.isEmpty()) {
            session.say(mistake);
            return 1;
        }
        try (var call = new Call(session, command, wanted, starter)) {
            return command.action().run(call);
        } catch (Failure e) {
            return ended(e.exitCode(), e.getMessage());
        } catch (EngineError e) {
            return ended(1, e.sentence());
        } catch (EngineException.Invalid e) {
            return ended(1, "the engine's answer cannot be understood: " + e.getMessage());
        } catch (Unreachable e) {
            return ended(1, e.getMessage());
        }
    }

    private int ended(int code, @Nullable String message) {
        if (message != null && !message.isEmpty()) {
            session.say(message);
        }
        return code;
    }

    private static Endpoints.Wanted wanted(Flags global) {
        return new Endpoints.Wanted(
                global.list("host"),
                global.text("context"),
                global.text("config"),
                new Endpoints.Tls(global.truth("tls"), global.truth("tlsverify"), global.text("tlscacert"),
                        global.text("tlscert"), global.text("tlskey")));
    }

    private Flags globalFlags() {
        String home = session.variable("HOME");
        String directory = (home.isEmpty() ? "/root" : home) + "/.docker";
        var flags = new Flags().stopAtFirstWord();
        flags.text("config", "Location of client config files").shown('"' + directory + '"');
        flags.text("c,context", "Name of the context to use to connect to the daemon (overrides CARAFE_HOST and"
                + " DOCKER_HOST env vars)");
        flags.bool("D,debug", "Enable debug mode");
        flags.list("H,host", "Daemon socket to connect to");
        flags.text("l,log-level", "Set the logging level (\"debug\", \"info\", \"warn\", \"error\", \"fatal\")")
                .otherwise("info");
        flags.bool("tls", "Use TLS; implied by --tlsverify");
        flags.text("tlscacert", "Trust certs signed only by this CA").shown('"' + directory + "/ca.pem\"");
        flags.text("tlscert", "Path to TLS certificate file").shown('"' + directory + "/cert.pem\"");
        flags.text("tlskey", "Path to TLS key file").shown('"' + directory + "/key.pem\"");
        flags.bool("tlsverify", "Use TLS and verify the remote");
        flags.bool("v,version", "Print version information and quit");
        flags.bool("h,help", "Print usage").hidden();
        return flags;
    }
}
