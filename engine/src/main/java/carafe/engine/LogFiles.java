package carafe.engine;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The bytes of one container's log from a starting point on, through its rotated files (`log.4` … `log.1`, `log`) and
/// through the rotations that happen while it is read. One reader.
final class LogFiles implements AutoCloseable {
    private static final int MOST_FILES = 1000;
    private static final int BLOCK = 64 * 1024;

    private final Path log;
    private final Deque<Opened> waiting = new ArrayDeque<>();
    private @Nullable Opened current;
    private long position;

    private record Opened(FileChannel channel, @Nullable Object key) {}

    private LogFiles(Path log) {
        this.log = log;
    }

    /// Opens the log at its beginning, or at the last `tail` records. A log that does not exist yet is empty.
    static LogFiles open(Path log, Optional<Long> tail) throws IOException {
        var files = new LogFiles(log);
        boolean opened = false;
        try {
            if (tail.isPresent()) {
                files.seekTail(tail.get());
            } else {
                files.waiting.addAll(files.openAll());
            }
            opened = true;
            return files;
        } finally {
            if (!opened) {
                files.close();
            }
        }
    }

    /// Reads more into `in[at…]`; answers how many bytes, 0 when there are none now. Records never straddle files.
    int read(byte[] in, int at) throws IOException {
        while (true) {
            if (current == null) {
                current = waiting.pollFirst();
                if (current == null && !openNext()) {
                    return 0;
                }
            }
            var file = Objects.requireNonNull(current);
            int count = file.channel.read(ByteBuffer.wrap(in, at, in.length - at), position);
            if (count > 0) {
                position += count;
                return count;
            }
            if (waiting.isEmpty() && !rotated(file)) {
                if (file.channel.size() < position) {
                    position = 0; // a log of one file is emptied in place
                    continue;
                }
                return 0;
            }
            // What was written between our last read and the rotation is still to be read.
            count = file.channel.read(ByteBuffer.wrap(in, at, in.length - at), position);
            if (count > 0) {
                position += count;
                return count;
            }
            file.channel.close();
            current = null;
            position = 0;
            if (waiting.isEmpty()) {
                waiting.addAll(newerThan(file));
            }
        }
    }

    @Override
    public void close() throws IOException {
        if (current != null) {
            current.channel.close();
        }
        for (var file : waiting) {
            file.channel.close();
        }
        waiting.clear();
    }

    private boolean openNext() throws IOException {
        var opened = open(log);
        opened.ifPresent(waiting::add);
        current = waiting.pollFirst();
        position = 0;
        return current != null;
    }

    /// Whether the name of the log now means another file than `file`.
    private boolean rotated(Opened file) throws IOException {
        try {
            Object key = Files.readAttributes(log, BasicFileAttributes.class).fileKey();
            return !Objects.equals(key, file.key);
        } catch (NoSuchFileException e) {
            return false; // between two renames; the next call sees the new file
        }
    }

    /// The files that came after `file`: those of a smaller number than it has now.
    private List<Opened> newerThan(Opened file) throws IOException {
        var all = openAll();
        int last = -1;
        for (int index = 0; index < all.size(); index++) {
            if (Objects.equals(all.get(index).key, file.key)) {
                last = index;
            }
        }
        for (var old : all.subList(0, last + 1)) {
            old.channel.close();
        }
        return all.subList(last + 1, all.size());
    }

    /// All files, oldest first.
    private List<Opened> openAll() throws IOException {
        var all = new ArrayList<Opened>();
        open(log).ifPresent(all::add);
        for (int number = 1; number < MOST_FILES; number++) {
            var older = open(log.resolveSibling(log.getFileName() + "." + number));
            if (older.isEmpty()) {
                break;
            }
            Object key = older.get().key;
            boolean seen = all.stream().anyMatch(file -> Objects.equals(file.key, key)); // it moved while we looked
            if (seen) {
                older.get().channel.close();
            } else {
                all.addFirst(older.get());
            }
        }
        return all;
    }

    private static Optional<Opened> open(Path path) throws IOException {
        try {
            var channel = FileChannel.open(path, StandardOpenOption.READ);
            return Optional.of(new Opened(channel, Files.readAttributes(path, BasicFileAttributes.class).fileKey()));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    /// Goes to where the last `wanted` records begin, counting newlines backwards.
    private void seekTail(long wanted) throws IOException {
        var all = openAll();
        long missing = wanted;
        for (int index = all.size() - 1; index >= 0; index--) {
            var file = all.get(index);
            waiting.addFirst(file);
            var start = startOfLast(file.channel, missing);
            if (start.found || index == 0) {
                for (var older : all.subList(0, index)) {
                    older.channel.close();
                }
                current = waiting.pollFirst();
                position = start.position;
                return;
            }
            missing -= start.records;
        }
    }

    private record Start(boolean found, long position, long records) {}

    private static Start startOfLast(FileChannel channel, long wanted) throws IOException {
        long end = channel.size();
        long records = 0;
        var block = ByteBuffer.allocate(BLOCK);
        byte[] bytes = block.array();
        for (long blockEnd = end; blockEnd > 0; blockEnd -= BLOCK) {
            long blockStart = Math.max(0, blockEnd - BLOCK);
            block.clear().limit((int) (blockEnd - blockStart));
            while (block.hasRemaining()) {
                if (channel.read(block, blockStart + block.position()) < 0) {
                    break;
                }
            }
            for (int at = (int) (blockEnd - blockStart) - 1; at >= 0; at--) {
                if (bytes[at] == '\n') {
                    if (records == wanted) {
                        return new Start(true, blockStart + at + 1, records);
                    }
                    records++;
                }
            }
        }
        return new Start(records == wanted && records > 0, 0, records);
    }
}
