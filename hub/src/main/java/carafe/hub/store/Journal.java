package carafe.hub.store;

import carafe.image.CommitSteps;
import carafe.spec.EngineException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A repository's facts on disk: a file of lines `CHECKSUM FACT`, only ever appended to, synced once a change. A crash
/// leaves at most a torn end, which the next reader cuts off; a broken line before that is damage and is refused.
/// When most lines no longer count the file is written anew beside itself and renamed. Not for several threads.
final class Journal {

    private static final Logger LOG = LoggerFactory.getLogger(Journal.class);
    private static final int CHECKSUM = 8;
    private static final int FEW_LINES = 1000;

    private final Path file;
    private final CommitSteps steps;
    private long length;
    private long lines;
    private boolean unsure;

    private Journal(Path file, CommitSteps steps) {
        this.file = file;
        this.steps = steps;
    }

    /// What a journal held when it was opened.
    record Opened(Journal journal, List<Fact> facts) {}

    /// Opens the journal in `file`, which need not exist until the first fact.
    /// @throws IOException also when it is damaged
    static Opened open(Path file, CommitSteps steps) throws IOException {
        var journal = new Journal(file, steps);
        return new Opened(journal, journal.read());
    }

    private List<Fact> read() throws IOException {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            return List.of();
        }
        var facts = new ArrayList<Fact>();
        int from = 0;
        for (int at = 0; at < bytes.length; at++) {
            if (bytes[at] != '\n') {
                continue;
            }
            String line = new String(bytes, from, at - from, StandardCharsets.UTF_8);
            if (!sound(line)) {
                if (at + 1 == bytes.length) {
                    break; // the last line: torn inside
                }
                throw new IOException("the journal " + file + " is damaged in line " + (lines + 1)
                        + "; restore it from a copy, or cut it there and push again what is missing");
            }
            try {
                facts.add(Fact.parse(line.substring(CHECKSUM + 1)));
            } catch (EngineException.Invalid e) {
                throw new IOException("the journal " + file + " holds in line " + (lines + 1) + " what this version"
                        + " does not understand: " + e.getMessage(), e);
            }
            from = at + 1;
            lines++;
        }
        length = from;
        if (from < bytes.length) {
            LOG.warn("{}: dropped {} bytes of a change that a crash cut short", file, bytes.length - from);
        }
        return facts;
    }

    private static boolean sound(String line) {
        return line.length() > CHECKSUM + 1
                && line.charAt(CHECKSUM) == ' '
                && checksum(line.substring(CHECKSUM + 1)).equals(line.substring(0, CHECKSUM));
    }

    private static String checksum(String fact) {
        var crc = new CRC32C();
        crc.update(fact.getBytes(StandardCharsets.UTF_8));
        return String.format("%08x", crc.getValue());
    }

    private static byte[] print(List<Fact> facts) {
        var text = new StringBuilder();
        for (var fact : facts) {
            String line = fact.print();
            text.append(checksum(line)).append(' ').append(line).append('\n');
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    /// Makes `facts` durable, in one write.
    void append(List<Fact> facts) throws IOException {
        if (unsure) {
            throw new IOException("an earlier change to " + file + " failed half-way; restart the hub to read it anew");
        }
        boolean fresh = length == 0 && !Files.exists(file);
        if (fresh) {
            Disk.makeDirectory(parent());
        }
        byte[] bytes = print(facts);
        steps.before("write facts");
        try (var channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            try {
                channel.truncate(length).position(length);
                Disk.write(channel, ByteBuffer.wrap(bytes));
                steps.before("sync facts");
                channel.force(false);
            } catch (IOException e) {
                unsure = true;
                channel.truncate(length);
                channel.force(true);
                unsure = false;
                throw e;
            }
        }
        if (fresh) {
            steps.before("sync facts directory");
            Disk.syncDirectory(parent());
        }
        length += bytes.length;
        lines += facts.size();
    }

    /// Whether writing the file anew with `living` facts would make it much shorter.
    boolean wasteful(int living) {
        return lines > FEW_LINES && lines > 4L * living;
    }

    /// Replaces the file by one with only `facts`.
    void rewrite(List<Fact> facts) throws IOException {
        byte[] bytes = print(facts);
        Disk.replace(file, file.resolveSibling(file.getFileName() + ".new"), bytes, steps);
        length = bytes.length;
        lines = facts.size();
    }

    private Path parent() {
        return Objects.requireNonNull(file.getParent());
    }
}
