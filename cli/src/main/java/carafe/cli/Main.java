package carafe.cli;

import carafe.cli.client.Starter;
import carafe.cli.command.Carafe;
import carafe.cli.session.Session;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;

/// `carafe` as a process of its own.
public final class Main {

    private Main() {}

    /// Runs the command and ends the process with its exit code, whatever threads still read. The system property
    /// `carafe.daemon` names the program that is an engine, to be started where none runs.
    public static void main(String[] arguments) {
        var terminal = new OsTerminal();
        var session = session(List.of(arguments), terminal);
        int code = perform(session, new EngineStart(session, System.getProperty("carafe.daemon", ""), EngineStart.DATA));
        terminal.restore();
        Runtime.getRuntime().halt(code);
    }

    /// The exit code of what `session` asks for; a fault of ours is told and ends with 1.
    static int perform(Session session, Starter starter) {
        try {
            return Carafe.run(session, starter);
        } catch (RuntimeException | Error e) {
            session.say("carafe has a bug: " + e);
            for (var frame : e.getStackTrace()) {
                session.say("    at " + frame);
            }
            return 1;
        }
    }

    /// What the process has, for the words `arguments`.
    static Session session(List<String> arguments, OsTerminal terminal) {
        return new Session(
                arguments,
                CallersLocale.environment(),
                Path.of("").toAbsolutePath(),
                new FileInputStream(FileDescriptor.in),
                new FileOutputStream(FileDescriptor.out),
                new FileOutputStream(FileDescriptor.err),
                terminal,
                new OsFiles(new CapabilityProgram(System.getProperty("carafe.capabilities", ""))),
                new OsSignals(),
                new OsPrograms(),
                new OsCaller(),
                Clock.systemUTC());
    }
}
