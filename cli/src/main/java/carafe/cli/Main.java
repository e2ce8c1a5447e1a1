package carafe.cli;

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
        int code = 1;
        try {
            code = Carafe.run(session, new EngineStart(session, System.getProperty("carafe.daemon", ""), EngineStart.DATA));
        } catch (RuntimeException | Error e) {
            session.say("carafe has a bug: " + e);
            for (var frame : e.getStackTrace()) {
                session.say("    at " + frame);
            }
        } finally {
            terminal.restore();
        }
        Runtime.getRuntime().halt(code);
    }

    /// What the process has, for the words `arguments`.
    static Session session(List<String> arguments, OsTerminal terminal) {
        return new Session(
                arguments,
                System.getenv(),
                Path.of("").toAbsolutePath(),
                new FileInputStream(FileDescriptor.in),
                new FileOutputStream(FileDescriptor.out),
                new FileOutputStream(FileDescriptor.err),
                terminal,
                new OsFiles(),
                new OsSignals(),
                new OsPrograms(),
                new OsCaller(),
                Clock.systemUTC());
    }
}
