package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Engine;
import carafe.cli.client.Frames;
import carafe.cli.client.Target;
import carafe.cli.session.Session;
import carafe.cli.session.Signals;
import carafe.cli.session.Terminal;
import carafe.http.DuplexStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A caller's streams tied to those of a container or an exec: keys and input go in, output comes out, until the other
/// side ends or the keys that detach are typed.
final class Attached implements AutoCloseable {

    private static final int BUFFER = 32 * 1024;

    private final Session session;
    private final DuplexStream stream;
    private final boolean tty;
    private final @Nullable EscapeKeys keys;
    private Terminal.@Nullable Raw raw;
    private Signals.@Nullable Registration resizing;
    private volatile boolean detached;

    /// Takes `stream` over. `keys` detach when `tty`; null means that input is not sent at all.
    Attached(Session session, DuplexStream stream, boolean tty, @Nullable EscapeKeys keys) {
        this.session = session;
        this.stream = stream;
        this.tty = tty;
        this.keys = keys;
    }

    /// Makes the terminal raw and starts to send input.
    void open() throws IOException {
        if (keys == null) {
            return;
        }
        if (tty && session.terminal().isTerminal(0)) {
            raw = session.terminal().raw();
        }
        var sender = new Thread(() -> sendInput(keys), "stdin");
        sender.setDaemon(true);
        sender.start();
    }

    /// Tells the engine the window's size, now and whenever it changes. `target` is the resize endpoint.
    void followSize(Engine engine, String target) {
        if (!tty || !session.terminal().isTerminal(1)) {
            return;
        }
        resize(engine, target);
        resizing = session.signals().on(List.of("WINCH"), signal -> resize(engine, target));
    }

    private void resize(Engine engine, String target) {
        var size = session.terminal().size();
        if (size.isEmpty()) {
            return;
        }
        try {
            engine.post(Target.of(target).with("h", size.get().rows()).with("w", size.get().columns()));
        } catch (EngineError | IOException e) {
            return; // the process has ended already, or will be drawn at its old size
        }
    }

    /// Copies output until it ends; true when the caller detached instead.
    boolean copyOutput() throws IOException {
        return copyOutput(session.out(), session.err());
    }

    /// As [#copyOutput()], to other places.
    boolean copyOutput(OutputStream out, OutputStream err) throws IOException {
        try {
            if (tty) {
                Frames.copyRaw(stream.input(), out);
            } else {
                Frames.copyFramed(stream.input(), out, err);
            }
        } catch (IOException e) {
            if (!detached) {
                throw e;
            }
        }
        return detached;
    }

    private void sendInput(EscapeKeys escape) {
        var typed = new byte[BUFFER];
        var passed = new byte[BUFFER + escape.length()];
        try {
            for (int n = session.in().read(typed); n >= 0; n = session.in().read(typed)) {
                int length = tty ? escape.pass(typed, n, passed) : n;
                stream.output().write(tty ? passed : typed, 0, length < 0 ? -1 - length : length);
                if (length < 0) {
                    detached = true;
                    stream.close();
                    return;
                }
            }
            stream.shutdownOutput();
        } catch (IOException e) {
            return; // the other side no longer reads; what it writes still comes
        }
    }

    /// Gives the terminal back and ends the connection.
    @Override
    public void close() {
        if (resizing != null) {
            resizing.close();
        }
        if (raw != null) {
            raw.close();
        }
        stream.close();
    }
}
