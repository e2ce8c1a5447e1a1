package carafe.cli.warm;

import carafe.cli.session.Files;
import carafe.cli.session.PathText;
import carafe.spec.build.FileStamp;
import carafe.spec.tar.TarText;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/// Files of a process elsewhere, which opens them itself: with its user's rights, below its root, and `/dev/stdin` is its
/// own. What commands do that always have a JVM of their own (renaming, replacing settings) is refused.
public final class FarFiles implements Files {

    private static final byte OPEN = 1;
    private static final byte READ = 2;
    private static final byte CLOSE = 3;
    private static final byte STAT = 4;
    private static final byte LIST = 5;
    private static final byte CREATE = 6;
    private static final byte WRITE = 7;
    private static final byte REMOVE = 8;
    private static final byte OVERWRITE = 9;
    private static final byte CAPABILITY = 10;

    private static final int EISDIR = 21;
    private static final int ENOENT = 2;
    private static final int WRITTEN = 60 << 10;
    private static final int TYPE = 0170000;
    private static final int REGULAR = 0100000;
    private static final int DIRECTORY = 0040000;
    private static final int LINK = 0120000;
    private static final int PERMISSIONS = 07777;
    /// Of the mode: the file has other names. No mode of the kernel's has this bit.
    private static final int LINKED = 0200000;

    private final FarProcess process;

    /// Those of `process`, which stays the caller's.
    public FarFiles(FarProcess process) {
        this.process = process;
    }

    /// What the process could not do.
    private static final class Refused extends IOException {
        private final int error;
        private final String words;

        Refused(int error, String words) {
            super(words);
            this.error = error;
            this.words = words.toLowerCase(Locale.ROOT);
        }
    }

    private ByteBuffer ask(byte what, byte[] bytes) throws IOException {
        return ask(what, bytes, bytes.length);
    }

    private synchronized ByteBuffer ask(byte what, byte[] bytes, int length) throws IOException {
        process.wish(what, bytes, length);
        try {
            return answer();
        } finally {
            if (what != LIST) {
                process.contented();
            }
        }
    }

    private ByteBuffer answer() throws IOException {
        var answer = ByteBuffer.wrap(process.answer());
        int error = answer.getInt();
        if (error != 0) {
            throw new Refused(error, text(answer, answer.remaining()));
        }
        return answer;
    }

    private static String text(ByteBuffer from, int length) {
        var bytes = new byte[length];
        from.get(bytes);
        return TarText.decode(bytes);
    }

    private static byte[] bytes(Path path) {
        return PathText.bytes(path);
    }

    private static IOException sentence(String what, Path file, Refused refused) {
        return new IOException(what + " " + file + ": " + refused.words, refused);
    }

    @Override
    public InputStream read(Path file) throws IOException {
        try {
            return new Reading(file, ask(OPEN, bytes(file)));
        } catch (Refused e) {
            throw sentence(e.error == EISDIR ? "read" : "open", file, e);
        }
    }

    /// A file that is read there, piece by piece.
    private final class Reading extends InputStream {
        private final Path file;
        private final byte handle;
        private boolean ended;
        private ByteBuffer piece;

        Reading(Path file, ByteBuffer first) {
            this.file = file;
            this.handle = first.get();
            this.ended = first.get() != 0;
            this.piece = first;
        }

        @Override
        public int read() throws IOException {
            var one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, into.length);
            while (length > 0 && !piece.hasRemaining()) {
                if (ended) {
                    return -1;
                }
                try {
                    piece = ask(READ, new byte[] {handle});
                } catch (Refused e) {
                    ended = true;
                    throw sentence("read", file, e);
                }
                ended = piece.get() != 0;
            }
            int count = Math.min(length, piece.remaining());
            piece.get(into, offset, count);
            return count;
        }

        @Override
        public void close() throws IOException {
            if (!ended) {
                ended = true;
                ask(CLOSE, new byte[] {handle});
            }
        }
    }

    @Override
    public OutputStream create(Path file) throws IOException {
        return writing(CREATE, file);
    }

    @Override
    public OutputStream overwrite(Path file) throws IOException {
        return writing(OVERWRITE, file);
    }

    private OutputStream writing(byte how, Path file) throws IOException {
        try {
            byte handle = ask(how, bytes(file)).get();
            return new Writing(file, handle);
        } catch (Refused e) {
            throw sentence("open", file, e);
        }
    }

    /// A file that is written there.
    private final class Writing extends OutputStream {
        private final Path file;
        private final byte handle;
        private boolean closed;

        Writing(Path file, byte handle) {
            this.file = file;
            this.handle = handle;
        }

        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] from, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, from.length);
            for (int at = 0; at < length; at += WRITTEN) {
                int count = Math.min(WRITTEN, length - at);
                var wish = ByteBuffer.allocate(1 + count).put(handle).put(from, offset + at, count).array();
                try {
                    ask(WRITE, wish);
                } catch (Refused e) {
                    throw sentence("write", file, e);
                }
            }
        }

        @Override
        public void close() throws IOException {
            if (!closed) {
                closed = true;
                ask(CLOSE, new byte[] {handle});
            }
        }
    }

    /// What stat(2) says.
    private record Found(int mode, FileStamp stamp) {
        static Found read(ByteBuffer from) {
            int mode = from.getInt();
            return new Found(mode, new FileStamp(from.getLong(), from.getLong(), from.getLong(), from.getLong(), from.getLong()));
        }

        Files.FileEntry.Kind kind() {
            return switch (mode & TYPE) {
                case REGULAR -> Files.FileEntry.Kind.FILE;
                case DIRECTORY -> Files.FileEntry.Kind.DIRECTORY;
                case LINK -> Files.FileEntry.Kind.LINK;
                default -> Files.FileEntry.Kind.OTHER;
            };
        }
    }

    private Found stat(Path file, boolean follow) throws IOException {
        byte[] path = bytes(file);
        return Found.read(ask(STAT, ByteBuffer.allocate(1 + path.length).put((byte) (follow ? 1 : 0)).put(path).array()));
    }

    @Override
    public boolean exists(Path file) {
        try {
            stat(file, true);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public boolean isDirectory(Path file) {
        try {
            return stat(file, true).kind() == FileEntry.Kind.DIRECTORY;
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public boolean isSpecial(Path file) {
        try {
            return stat(file, true).kind() == FileEntry.Kind.OTHER;
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public FileStamp stamp(Path file) throws IOException {
        try {
            return stat(file, false).stamp();
        } catch (Refused e) {
            if (e.error == ENOENT) {
                return FileStamp.NONE;
            }
            throw sentence("stat", file, e);
        }
    }

    @Override
    public synchronized List<FileEntry> list(Path directory) throws IOException {
        var entries = new ArrayList<FileEntry>();
        try {
            var piece = ask(LIST, bytes(directory));
            for (boolean more = piece.get() != 0; ; more = piece.get() != 0) {
                while (piece.hasRemaining()) {
                    String name = text(piece, piece.getShort());
                    var found = Found.read(piece);
                    String target = text(piece, piece.getShort());
                    entries.add(new FileEntry(name, found.kind(), found.mode() & PERMISSIONS, found.stamp().size(),
                            Math.floorDiv(found.stamp().modifiedNanos(), 1_000_000_000L), target, found.stamp(),
                            (found.mode() & LINKED) != 0));
                }
                if (!more) {
                    return entries;
                }
                piece = answer();
            }
        } catch (Refused e) {
            throw sentence("open", directory, e);
        } finally {
            process.contented();
        }
    }

    @Override
    public List<byte[]> capabilities(Path directory, List<String> names) throws IOException {
        var found = new ArrayList<byte[]>();
        for (String name : names) {
            var answer = ask(CAPABILITY, bytes(PathText.resolve(directory, name)));
            var value = new byte[answer.remaining()];
            answer.get(value);
            found.add(value);
        }
        return found;
    }

    @Override
    public void remove(Path file) throws IOException {
        try {
            ask(REMOVE, bytes(file));
        } catch (Refused e) {
            if (e.error != ENOENT) {
                throw sentence("remove", file, e);
            }
        }
    }

    @Override
    public void replacePrivately(Path file, byte[] content) throws IOException {
        throw notHere("write", file);
    }

    @Override
    public void rename(Path file, Path other) throws IOException {
        throw notHere("rename", other);
    }

    private static IOException notHere(String what, Path file) {
        return new IOException(what + " " + file + ": not by a command that runs in the engine; CARAFE_WARM=0 makes it run"
                + " by itself");
    }
}
