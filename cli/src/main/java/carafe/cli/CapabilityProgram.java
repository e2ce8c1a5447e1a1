package carafe.cli;

import carafe.spec.tar.TarText;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Capabilities as the program `carafe-capabilities` finds them: it is started with the first question and ends with this JVM.
final class CapabilityProgram implements Capabilities {

    /// So much is asked at a time that a pipe holds it: the program is never waited for by somebody it waits for.
    private static final int ASKED_BYTES = 32 << 10;

    private final String program;
    private @Nullable Process process;

    /// `program` is where it lies; empty where nothing is installed: no file has capabilities then.
    CapabilityProgram(String program) {
        this.program = program;
    }

    @Override
    public synchronized List<byte[]> of(String directory, List<String> names) throws IOException {
        if (program.isEmpty() || names.isEmpty()) {
            return names.stream().map(_ -> new byte[0]).toList();
        }
        var running = process;
        if (running == null) {
            running = CallersLocale.in(new ProcessBuilder(program)).redirectError(Redirect.INHERIT).start();
            process = running;
        }
        var found = new ArrayList<byte[]>(names.size());
        var question = new ByteArrayOutputStream();
        int asked = 0;
        for (String name : names) {
            question.writeBytes(TarText.encode(directory + "/" + name));
            question.write(0);
            asked++;
            if (question.size() > ASKED_BYTES || found.size() + asked == names.size()) {
                ask(running, question, asked, found);
                asked = 0;
            }
        }
        return found;
    }

    private void ask(Process running, ByteArrayOutputStream question, int count, List<byte[]> found) throws IOException {
        running.getOutputStream().write(question.toByteArray());
        running.getOutputStream().flush();
        question.reset();
        var answers = running.getInputStream();
        for (int i = 0; i < count; i++) {
            int length = answers.read();
            byte[] value = answers.readNBytes(Math.max(0, length));
            if (length < 0 || value.length < length) {
                throw new EOFException("the capabilities of the context's files cannot be found: " + program + " ended");
            }
            found.add(value);
        }
    }
}
