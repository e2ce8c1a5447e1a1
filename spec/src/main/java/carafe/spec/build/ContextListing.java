package carafe.spec.build;

import carafe.spec.EngineException;
import carafe.spec.tar.TarText;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;

/// The names of a context without its files' contents, as our own client sends them: a magic number, then records, each
/// with its kind in front, until one that ends them. A directory's record has the path that the names behind it lie in;
/// no other record has a path. Numbers are written highest byte first; texts are UTF-8 behind their length in bytes, but
/// for bytes of names that are none (TarText). Capabilities are not in it: the stamp stands for them, too (ADR 46).
///
///     directory  D  path                   (u16 length, bytes; "" is the root); may come again
///     file       F  name mode size
///     stamped    S  name mode size device inode modified changed
///     shown      C  name mode content      (i32 length, bytes)
///     folder     f  name mode              (a directory in the one above)
///     link       L  name target
///     end        E
public final class ContextListing {

    /// More names are not listed.
    public static final int MAX_ENTRIES = 200_000;

    /// A file whose content is in the listing has no more bytes.
    public static final int MAX_SHOWN_BYTES = 4 << 20;

    /// A listing is no longer; nor are all its paths together, in characters.
    public static final int MAX_BYTES = 32 << 20;

    private static final int MAGIC = 0x43545831;
    private static final int MAX_NAME_BYTES = 1024;

    private ContextListing() {}

    /// Writes a listing. One thread's; several make parts that one of them takes together.
    public static final class Writer {
        private ByteBuffer out = ByteBuffer.allocate(64 << 10);
        private int entries;
        private long fileBytes;
        private long characters;
        private int prefix;
        private boolean tooMuch;

        /// The names that follow lie in `path`.
        public void directory(String path) {
            prefix = path.length() + 1;
            text('D', path);
        }

        /// A regular file; with a stamp if that is present.
        public void file(String name, int mode, long size, FileStamp stamp) {
            entry(stamp.present() ? 'S' : 'F', name);
            reserve(2 + 5 * 8);
            out.putShort((short) mode).putLong(size);
            if (stamp.present()) {
                out.putLong(stamp.device()).putLong(stamp.inode()).putLong(stamp.modifiedNanos())
                        .putLong(stamp.changedNanos());
            }
            fileBytes += size;
        }

        /// A regular file with its content.
        public void shown(String name, int mode, byte[] content) {
            entry('C', name);
            reserve(6 + content.length);
            out.putShort((short) mode).putInt(content.length).put(content);
        }

        /// A directory.
        public void folder(String name, int mode) {
            entry('f', name);
            reserve(2);
            out.putShort((short) mode);
        }

        /// A symbolic link.
        public void link(String name, String target) {
            entry('L', name);
            byte[] bytes = TarText.encode(target);
            reserve(2 + bytes.length);
            out.putShort((short) bytes.length).put(bytes);
        }

        /// Adds what another wrote.
        public void add(Writer other) {
            reserve(other.out.position());
            out.put(other.out.array(), 0, other.out.position());
            entries += other.entries;
            fileBytes += other.fileBytes;
            characters += other.characters;
            tooMuch |= other.tooMuch;
        }

        private void entry(char kind, String name) {
            entries++;
            characters += prefix + name.length();
            text(kind, name);
        }

        private void text(char kind, String text) {
            byte[] bytes = TarText.encode(text);
            tooMuch |= bytes.length > 0xFFFF;
            reserve(3 + bytes.length);
            out.put((byte) kind).putShort((short) bytes.length).put(bytes);
        }

        private void reserve(int bytes) {
            if (out.remaining() < bytes) {
                var more = ByteBuffer.allocate(Math.max(2 * out.capacity(), out.position() + bytes));
                out = more.put(out.flip());
            }
        }

        /// How many names there are.
        public int entries() {
            return entries;
        }

        /// How many bytes the files have whose contents are not in the listing.
        public long fileBytes() {
            return fileBytes;
        }

        /// Whether no reader would take it.
        public boolean tooMuch() {
            return tooMuch || entries > MAX_ENTRIES || characters > MAX_BYTES || out.position() > MAX_BYTES - 8;
        }

        /// The listing.
        public byte[] bytes() {
            return ByteBuffer.allocate(out.position() + 5).putInt(MAGIC).put(out.array(), 0, out.position()).put((byte) 'E')
                    .array();
        }
    }

    /// Is shown what a listing holds, in its order. Paths have no slash at either end and lead nowhere outside.
    public interface Visitor {

        /// A file whose content is elsewhere; `stamp` may be absent.
        void file(String path, int mode, long size, FileStamp stamp) throws IOException, EngineException;

        /// A file with its content.
        void shown(String path, int mode, byte[] content) throws IOException, EngineException;

        /// A directory.
        void folder(String path, int mode) throws IOException, EngineException;

        /// A symbolic link.
        void link(String path, String target) throws IOException, EngineException;
    }

    /// Reads a listing that somebody sent.
    /// @throws EngineException.Invalid it is none, breaks off, is too much, or has a name that is no name
    public static void read(byte[] listing, Visitor visitor) throws IOException, EngineException {
        var in = ByteBuffer.wrap(listing);
        try {
            if (in.getInt() != MAGIC) {
                throw new EngineException.Invalid("the context's listing is of a kind that this engine does not know");
            }
            records(in, visitor);
        } catch (BufferUnderflowException e) {
            throw new EngineException.Invalid("the context's listing breaks off");
        }
        if (in.hasRemaining()) {
            throw new EngineException.Invalid("something follows the context's listing");
        }
    }

    private static void records(ByteBuffer in, Visitor visitor) throws IOException, EngineException {
        int entries = 0;
        long characters = 0;
        String prefix = "";
        for (char kind = (char) in.get(); kind != 'E'; kind = (char) in.get()) {
            if (kind == 'D') {
                prefix = directory(text(in));
                continue;
            }
            if (++entries > MAX_ENTRIES) {
                throw new EngineException.Invalid("the context's listing has more than " + MAX_ENTRIES + " names");
            }
            String path = prefix.concat(name(text(in)));
            characters += path.length();
            if (characters > MAX_BYTES) {
                throw new EngineException.Invalid("the context's listing has paths that are too long");
            }
            switch (kind) {
                case 'F' -> visitor.file(path, mode(in), size(in), FileStamp.NONE);
                case 'S' -> {
                    int mode = mode(in);
                    long size = size(in);
                    visitor.file(path, mode, size, new FileStamp(in.getLong(), in.getLong(), size, in.getLong(), in.getLong()));
                }
                case 'C' -> visitor.shown(path, mode(in), bytes(in, in.getInt(), MAX_SHOWN_BYTES));
                case 'f' -> visitor.folder(path, mode(in));
                case 'L' -> visitor.link(path, text(in));
                default -> throw new EngineException.Invalid("the context's listing has a record of kind " + (int) kind);
            }
        }
    }

    private static int mode(ByteBuffer in) {
        return in.getShort() & 07777;
    }

    private static long size(ByteBuffer in) throws EngineException.Invalid {
        long size = in.getLong();
        if (size < 0) {
            throw new EngineException.Invalid("the context's listing has a file of " + size + " bytes");
        }
        return size;
    }

    private static byte[] bytes(ByteBuffer in, int length, int limitBytes) throws EngineException.Invalid {
        if (length < 0 || length > limitBytes) {
            throw new EngineException.Invalid("the context's listing has " + length + " bytes where at most " + limitBytes
                    + " may be");
        }
        if (length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        byte[] bytes = new byte[length];
        in.get(bytes);
        return bytes;
    }

    private static String text(ByteBuffer in) {
        int length = in.getShort() & 0xFFFF;
        if (length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        String text = TarText.decode(in.array(), in.position(), length);
        in.position(in.position() + length);
        return text;
    }

    /// The path with a slash behind it, `""` for the root.
    private static String directory(String path) throws EngineException.Invalid {
        if (path.isEmpty()) {
            return "";
        }
        for (String name : path.split("/", -1)) {
            name(name);
        }
        return path + "/";
    }

    private static String name(String name) throws EngineException.Invalid {
        boolean wrong = name.isEmpty() || name.equals(".") || name.equals("..") || name.length() > MAX_NAME_BYTES
                || name.indexOf('/') >= 0 || name.indexOf('\0') >= 0;
        if (wrong) {
            throw new EngineException.Invalid("the context's listing has a name that is none: \""
                    + name.substring(0, Math.min(name.length(), 100)) + "\"");
        }
        return name;
    }
}
