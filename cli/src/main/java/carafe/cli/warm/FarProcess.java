package carafe.cli.warm;

import carafe.cli.session.Signals;
import carafe.cli.session.Terminal;
import carafe.http.DuplexStream;
import carafe.http.QueuedOutput;
import carafe.spec.EngineException;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The process that gave a command, at the other end of a connection: its standard streams, terminal and signals. It
/// reads its standard input only when that is read here, and nothing of it twice.
public final class FarProcess implements Terminal, Signals, AutoCloseable {

    private static final int STDOUT = 1;
    private static final int STDERR = 2;
    private static final int WANTED = 3;
    private static final int TAKEN = 4;
    private static final int RAW = 5;
    private static final int END = 6;
    private static final int FILE = 7;
    private static final int ALONE = 8;

    private static final int INPUT = 1;
    private static final int SIGNAL = 2;
    private static final int SIZE = 3;
    private static final int DONE = 4;
    static final int WORDS = 5;

    private static final int HEADER = 5;
    private static final int WAITING_BYTES = 256 << 10;
    private static final int MOST_SIGNALS = 64;
    private static final int MOST_ANSWERS = 1024; // of a directory with a hundred thousands of files
    static final int PIECE = 64 << 10;

    private final DuplexStream stream;
    private final String terminals;
    private final QueuedOutput sender;
    private final Map<Integer, Deque<Handler>> handlers = new HashMap<>(); // guarded by itself, as is `signalThread`
    private final LinkedBlockingQueue<Runnable> caught = new LinkedBlockingQueue<>(MOST_SIGNALS);
    private final LinkedBlockingQueue<Optional<byte[]>> done = new LinkedBlockingQueue<>(); // an empty one is the end
    private volatile boolean asked; // something may be done with files
    private final FarInput input = new FarInput(this::want);
    private volatile Terminal.Size size;
    private volatile boolean unheard; // nothing that it sends is taken any more
    private @Nullable Thread signalThread;

    private record Handler(int number, String name, Consumer<String> action) {}

    /// Owns `stream`. `terminals` lists those of 0, 1, 2 that are terminals, of the size `size`.
    public FarProcess(DuplexStream stream, String terminals, Terminal.Size size) {
        this.stream = stream;
        this.sender = new QueuedOutput("to the process of a command", WAITING_BYTES, stream::output);
        this.terminals = terminals;
        this.size = size;
    }

    /// Takes what the process sends, until it is gone or this is closed.
    public void listen() {
        try (var in = new DataInputStream(stream.input())) {
            while (true) {
                int kind = in.read();
                int length = kind < 0 ? 0 : in.readInt();
                if (kind < 0 || length < 0 || length > PIECE) {
                    return;
                }
                byte[] bytes = in.readNBytes(length);
                switch (kind) {
                    case INPUT -> input.add(bytes);
                    case SIGNAL -> signal(bytes[0]);
                    case DONE -> {
                        if (!asked || done.size() > MOST_ANSWERS) {
                            return;
                        }
                        done.add(Optional.of(bytes));
                    }
                    case SIZE -> size = new Terminal.Size(
                            (bytes[0] & 0xFF) << 8 | bytes[1] & 0xFF, (bytes[2] & 0xFF) << 8 | bytes[3] & 0xFF);
                    default -> {
                        return;
                    }
                }
            }
        } catch (IOException | IndexOutOfBoundsException e) {
            return; // it is gone, or talks nonsense: either way there is nobody
        } finally {
            unheard = true;
            input.end();
            done.add(Optional.empty());
        }
    }

    /// Asks for something to be done with files.
    void wish(byte what, byte[] bytes, int length) throws IOException {
        asked = true;
        send(FILE, ByteBuffer.allocate(1 + length).put(what).put(bytes, 0, length).array());
    }

    /// All that was wished for is known.
    void contented() {
        asked = false;
    }

    /// What became of a wish, as soon as it is known.
    byte[] answer() throws IOException {
        try {
            var answer = done.take();
            if (answer.isEmpty()) {
                done.add(answer);
                throw new IOException("the process of the command is gone");
            }
            return answer.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while a file was read", e);
        }
    }

    private static byte[] frame(int kind, byte[] from, int offset, int length) {
        byte[] frame = new byte[HEADER + length];
        frame[0] = (byte) kind;
        ByteBuffer.wrap(frame).putInt(1, length);
        System.arraycopy(from, offset, frame, HEADER, length);
        return frame;
    }

    private void send(int kind, byte... bytes) throws IOException {
        try {
            sender.add(frame(kind, bytes, 0, bytes.length));
        } catch (IOException e) {
            throw gone(e);
        }
    }

    private static IOException gone(IOException cause) {
        return new IOException("the process of the command is gone", cause);
    }

    private void want() throws IOException {
        send(WANTED);
    }

    /// Standard input; one thread reads it.
    public InputStream in() {
        return input;
    }

    /// Standard output.
    public OutputStream out() {
        return out(STDOUT);
    }

    /// Standard error.
    public OutputStream err() {
        return out(STDERR);
    }

    private OutputStream out(int kind) {
        return new FarOutput(kind);
    }

    private final class FarOutput extends OutputStream {
        private final int kind;

        FarOutput(int kind) {
            this.kind = kind;
        }

        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] from, int offset, int length) throws IOException {
            try {
                for (int at = 0; at < length; at += PIECE) {
                    sender.addInTurn(frame(kind, from, offset + at, Math.min(PIECE, length - at)));
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while the process of the command does not read", e);
            } catch (IOException e) {
                throw gone(e);
            }
        }
    }

    @Override
    public boolean isTerminal(int stream) {
        return terminals.indexOf('0' + stream) >= 0;
    }

    @Override
    public Optional<Terminal.Size> size() {
        var now = size;
        return now.columns() > 0 ? Optional.of(now) : Optional.empty();
    }

    @Override
    public Raw raw() throws IOException {
        send(RAW, (byte) 1);
        return () -> {
            try {
                send(RAW, (byte) 0);
            } catch (IOException e) {
                return; // it is gone, and restored its terminal when it went
            }
        };
    }

    @Override
    public Registration on(List<String> names, Consumer<String> handler) {
        var registered = new ArrayList<Handler>();
        synchronized (handlers) {
            for (String name : names) {
                try {
                    int number = carafe.spec.docker.Signals.number(name);
                    var each = new Handler(number, name, handler);
                    handlers.computeIfAbsent(number, _ -> new ArrayDeque<>()).push(each);
                    registered.add(each);
                } catch (EngineException.Invalid e) {
                    continue; // no signal of Linux
                }
            }
            if (signalThread == null) {
                signalThread = Thread.ofVirtual().name("signals of a command").start(this::handle);
            }
        }
        tellTaken();
        return () -> {
            synchronized (handlers) {
                for (var ended : registered) {
                    var stack = handlers.getOrDefault(ended.number(), new ArrayDeque<>());
                    stack.removeIf(each -> each == ended);
                    if (stack.isEmpty()) {
                        handlers.remove(ended.number());
                    }
                }
            }
            tellTaken();
        };
    }

    private void tellTaken() {
        long taken = 0;
        synchronized (handlers) {
            for (int number : handlers.keySet()) {
                taken |= 1L << number - 1;
            }
        }
        try {
            send(TAKEN, ByteBuffer.allocate(Long.BYTES).putLong(taken).array());
        } catch (IOException e) {
            return; // it is gone
        }
    }

    private void signal(int number) {
        synchronized (handlers) {
            var stack = handlers.get(number);
            if (stack != null) {
                var handler = stack.getFirst();
                caught.offer(() -> handler.action().accept(handler.name())); // as in the kernel, some of many are enough
            }
        }
    }

    private void handle() {
        try {
            while (true) {
                var handler = caught.take();
                try {
                    handler.run();
                } catch (RuntimeException e) { // the next signal is to be heard all the same
                    out(STDERR).write(("carafe has a bug: " + e + "\n").getBytes(StandardCharsets.UTF_8));
                }
            }
        } catch (IOException e) {
            return; // it is gone
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // the command is over
        }
    }

    /// Tells the process that its command runs here from now on.
    public void take() {
        tellTaken();
    }

    /// Makes the process do all by itself, as if it had not asked; nothing may have happened until now.
    public void runAlone() throws IOException {
        send(ALONE);
    }

    /// Ends the process with an exit code; it has what was written before.
    public void end(int code) throws IOException {
        send(END, ByteBuffer.allocate(Integer.BYTES).putInt(code).array());
    }

    /// Lets the process go, which gets what was sent before, unless it is gone or does not listen any more.
    @Override
    public void close() {
        if (unheard) {
            stream.close();
        }
        sender.end();
        synchronized (handlers) {
            if (signalThread != null) {
                signalThread.interrupt();
            }
        }
        input.end();
        done.add(Optional.empty());
        stream.close();
    }
}
