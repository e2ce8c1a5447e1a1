package carafe.e2e;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// A running command with its three streams. Closing it ends the process if it still runs.
final class Session implements AutoCloseable {

    private final Command command;
    private final Process process;
    private final Collected out;
    private final Collected err;
    private int read;

    Session(Command command, boolean terminal) throws IOException {
        this.command = command;
        this.process = command.builder().redirectErrorStream(terminal).start();
        this.out = new Collected(process.getInputStream());
        this.err = new Collected(process.getErrorStream());
    }

    long pid() {
        return process.pid();
    }

    boolean running() {
        return process.isAlive();
    }

    /// What standard output has brought so far.
    String out() {
        return out.text();
    }

    Session write(String text) throws IOException {
        return write(text.getBytes(StandardCharsets.UTF_8));
    }

    Session write(byte[] bytes) throws IOException {
        try {
            process.getOutputStream().write(bytes);
            process.getOutputStream().flush();
        } catch (IOException e) {
            if (process.isAlive()) {
                throw e;
            }
        }
        return this;
    }

    void closeInput() {
        try {
            process.getOutputStream().close();
        } catch (IOException _) {
            // The reader has gone first; its exit code says why.
        }
    }

    /// Waits until standard output has brought `text` behind what an earlier call has found.
    Session expect(String text) throws InterruptedException {
        read = out.awaitText(text, read, Deadline.in(command.deadline()), this::toString);
        return this;
    }

    /// Sends a signal by name ("INT"), to the process alone.
    Session signal(String name) throws IOException, InterruptedException {
        Command.of("kill", "-s", name, Long.toString(pid())).run().good();
        return this;
    }

    /// Waits for the end of the process and of both streams.
    Outcome await() throws InterruptedException {
        return await(command.deadline());
    }

    Outcome await(Duration longest) throws InterruptedException {
        var deadline = Deadline.in(longest);
        if (!process.waitFor(deadline.leftMillis(), TimeUnit.MILLISECONDS)) {
            throw new AssertionError("still running after " + longest.toSeconds() + " s: " + this);
        }
        return new Outcome(command.words(), process.exitValue(), out.all(deadline), err.all(deadline));
    }

    @Override
    public void close() {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }

    @Override
    public String toString() {
        return String.join(" ", command.words()) + "\n--- out\n" + out.text() + "\n--- err\n" + err.text();
    }

    /// A stream read to its end by a thread of its own.
    private static final class Collected {

        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private final Thread reader;

        Collected(InputStream stream) {
            reader = Thread.startVirtualThread(() -> drain(stream));
        }

        private void drain(InputStream stream) {
            var buffer = new byte[64 * 1024];
            try (stream) {
                for (int n = stream.read(buffer); n >= 0; n = stream.read(buffer)) {
                    synchronized (this) {
                        bytes.write(buffer, 0, n);
                        notifyAll();
                    }
                }
            } catch (IOException _) {
                // The process was ended while we read: what came is what there is.
            }
            synchronized (this) {
                notifyAll();
            }
        }

        synchronized String text() {
            return bytes.toString(StandardCharsets.UTF_8);
        }

        synchronized int awaitText(String wanted, int from, Deadline deadline, Supplier<String> story)
                throws InterruptedException {
            while (true) {
                int found = text().indexOf(wanted, from);
                if (found >= 0) {
                    return found + wanted.length();
                }
                if (deadline.passed() || !reader.isAlive()) {
                    throw new AssertionError("never saw \"" + wanted + "\" in the output of " + story.get());
                }
                wait(Math.min(deadline.leftMillis(), 100));
            }
        }

        String all(Deadline deadline) throws InterruptedException {
            reader.join(deadline.leftMillis());
            if (reader.isAlive()) {
                throw new AssertionError("the stream outlives its process; so far it brought: " + text());
            }
            return text();
        }
    }
}
