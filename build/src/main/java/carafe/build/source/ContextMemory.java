package carafe.build.source;

import carafe.spec.build.FileCapability;
import carafe.spec.build.FileStamp;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;

/// What files of clients' directories were when they came last, a file for each directory, so that one which is unchanged
/// need not come again. A stamp says which file it is, so names are not kept. Only ever a help: what cannot be read or
/// written is forgotten. At most so many directories, and bytes, are remembered; those unused longest go first. Any thread
/// may ask.
///
/// A file is a magic number, how many files it is of (i32), for each its stamp (five i64) and SHA-256, for each of those
/// with a capability its number (i32), the capability's length (i8) and the capability, and the CRC-32 of all that (u32);
/// written beside and renamed, so that it is there whole or not at all, or its sum is wrong.
public final class ContextMemory {

    private static final Logger LOG = System.getLogger(ContextMemory.class.getName());
    private static final long MAGIC = 0x6361726166653032L;
    private static final long MAGIC_WITHOUT_CAPABILITIES = 0x6361726166653031L;
    private static final int DIGEST_BYTES = 32;
    private static final int INODE_AT = 8;
    private static final int SIZE_AT = 16;
    private static final int MODIFIED_AT = 24;
    private static final int CHANGED_AT = 32;
    private static final int STAMP_BYTES = 40;
    private static final int RECORD_BYTES = STAMP_BYTES + DIGEST_BYTES;
    private static final int HEAD_BYTES = Long.BYTES + Integer.BYTES;
    /// Longer ones are no capabilities of the kernel's.
    static final int MOST_CAPABILITY_BYTES = 64;
    private static final HexFormat HEX = HexFormat.of();

    /// How much is remembered.
    record Bounds(int directories, long bytes) {}

    /// A file of a directory, as it was, and then the digest of its content and its `security.capability`, empty for none.
    record Known(FileStamp stamp, Digest digest, byte[] capability) {}

    private final Path root;
    private final Bounds bounds;
    private final Clock clock;

    private ContextMemory(Path root, Bounds bounds, Clock clock) {
        this.root = root;
        this.bounds = bounds;
        this.clock = clock;
    }

    /// Opens the memory in `root`, which is made if it is missing; what a crash left half written is deleted.
    public static ContextMemory open(Path root) throws IOException {
        return open(root, new Bounds(1000, 256 << 20), Clock.systemUTC());
    }

    static ContextMemory open(Path root, Bounds bounds, Clock clock) throws IOException {
        Files.createDirectories(root, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        try (var files = Files.newDirectoryStream(root)) {
            for (Path file : files) {
                if (!isName(String.valueOf(file.getFileName()))) {
                    Files.delete(file);
                }
            }
        }
        return new ContextMemory(root, bounds, clock);
    }

    private Path file(String directory) {
        return root.resolve(Digest.sha256(directory.getBytes(StandardCharsets.UTF_8)).hex());
    }

    private static boolean isName(String name) {
        return name.matches("[0-9a-f]{64}");
    }

    /// What is known of the files of `directory`; nothing if that is not remembered. Counts as a use.
    Recalled recall(String directory) {
        Path file = file(directory);
        try {
            if (Files.size(file) <= bounds.bytes) {
                var known = parse(Files.readAllBytes(file));
                Files.setLastModifiedTime(file, FileTime.from(clock.instant()));
                return known;
            }
        } catch (NoSuchFileException e) {
            return Recalled.NOTHING;
        } catch (IOException e) {
            LOG.log(Level.WARNING, "what was known of a context is forgotten: " + file + ": " + e.getMessage());
        }
        forget(file);
        return Recalled.NOTHING;
    }

    private static Recalled parse(byte[] bytes) throws IOException {
        var in = ByteBuffer.wrap(bytes);
        int body = bytes.length - Integer.BYTES;
        var sum = new CRC32();
        sum.update(bytes, 0, Math.max(0, body));
        if (body >= HEAD_BYTES && in.getLong(0) == MAGIC_WITHOUT_CAPABILITIES) {
            return Recalled.NOTHING; // an earlier version's, which did not ask for all that is kept now
        }
        if (body < HEAD_BYTES || in.getLong() != MAGIC || in.getInt(body) != (int) sum.getValue()) {
            throw new IOException("it is damaged");
        }
        int count = in.getInt();
        if (count < 0 || count > (body - HEAD_BYTES) / RECORD_BYTES) {
            throw new IOException("it is damaged");
        }
        return new Recalled(in, count, capabilities(in.slice(HEAD_BYTES + count * RECORD_BYTES,
                body - HEAD_BYTES - count * RECORD_BYTES)));
    }

    private static Map<Integer, byte[]> capabilities(ByteBuffer in) throws IOException {
        var capabilities = new HashMap<Integer, byte[]>();
        while (in.hasRemaining()) {
            if (in.remaining() < Integer.BYTES + 1) {
                throw new IOException("it is damaged");
            }
            int number = in.getInt();
            int length = in.get() & 0xFF;
            if (length > in.remaining()) {
                throw new IOException("it is damaged");
            }
            byte[] value = new byte[length];
            in.get(value);
            capabilities.put(number, value);
        }
        return capabilities;
    }

    /// What was remembered of one directory: its bytes, and a table of where each stamp stands in them.
    static final class Recalled {
        static final Recalled NOTHING = new Recalled(ByteBuffer.allocate(0), 0, Map.of());

        private final ByteBuffer bytes;
        /// Numbers of records plus 1, each at its stamp's hash or behind it where that is taken; a power of two.
        private final int[] table;

        private final Map<Integer, byte[]> capabilities;

        private Recalled(ByteBuffer bytes, int count, Map<Integer, byte[]> capabilities) {
            this.bytes = bytes;
            this.capabilities = capabilities;
            this.table = new int[Math.max(2, Integer.highestOneBit(Math.max(1, count)) << 2)];
            for (int number = 0; number < count; number++) {
                int at = HEAD_BYTES + number * RECORD_BYTES;
                int slot = slot(bytes.getLong(at + INODE_AT), bytes.getLong(at + CHANGED_AT));
                while (table[slot] != 0) {
                    slot = slot + 1 & table.length - 1;
                }
                table[slot] = number + 1;
            }
        }

        private int slot(long inode, long changedNanos) {
            long mixed = (inode * 31 + changedNanos) * 0x9E3779B97F4A7C15L;
            return (int) (mixed >>> 32) & table.length - 1;
        }

        /// The number of the file with this stamp, -1 if it is not known.
        int find(FileStamp stamp) {
            int slot = slot(stamp.inode(), stamp.changedNanos());
            while (table[slot] != 0) {
                int at = HEAD_BYTES + (table[slot] - 1) * RECORD_BYTES;
                if (bytes.getLong(at + INODE_AT) == stamp.inode() && bytes.getLong(at + CHANGED_AT) == stamp.changedNanos()
                        && bytes.getLong(at) == stamp.device() && bytes.getLong(at + SIZE_AT) == stamp.size()
                        && bytes.getLong(at + MODIFIED_AT) == stamp.modifiedNanos()) {
                    return table[slot] - 1;
                }
                slot = slot + 1 & table.length - 1;
            }
            return -1;
        }

        /// The digest of a file that was found.
        Digest digest(int number) {
            byte[] hash = new byte[DIGEST_BYTES];
            bytes.get(HEAD_BYTES + number * RECORD_BYTES + STAMP_BYTES, hash);
            return Digest.finish(Digest.Algorithm.SHA256, hash);
        }

        /// The extended attributes of a file that was found, or of one that was not (-1): none.
        Map<String, byte[]> attributes(int number) {
            byte[] capability = capabilities.isEmpty() ? null : capabilities.get(number);
            return capability == null ? Map.of() : Map.of(FileCapability.ATTRIBUTE, capability);
        }
    }

    /// Remembers these files of `directory`, and no others of it any more.
    void learn(String directory, List<Known> files) {
        Path file = file(directory);
        byte[] bytes = print(files);
        if (files.isEmpty() || bytes.length > bounds.bytes) {
            forget(file);
            return;
        }
        try {
            Path temporary = Files.createTempFile(root, "new-", "");
            try {
                Files.write(temporary, bytes);
                Files.setLastModifiedTime(temporary, FileTime.from(clock.instant()));
                Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(temporary);
            }
            shrink();
        } catch (IOException e) {
            LOG.log(Level.WARNING, "a context cannot be remembered: " + file + ": " + e.getMessage());
        }
    }

    private static byte[] print(List<Known> files) {
        int capable = files.stream().mapToInt(known -> known.capability.length == 0 ? 0
                : Integer.BYTES + 1 + known.capability.length).sum();
        var out = ByteBuffer.allocate(HEAD_BYTES + files.size() * RECORD_BYTES + capable + Integer.BYTES)
                .putLong(MAGIC).putInt(files.size());
        for (var known : files) {
            var stamp = known.stamp;
            out.putLong(stamp.device()).putLong(stamp.inode()).putLong(stamp.size()).putLong(stamp.modifiedNanos())
                    .putLong(stamp.changedNanos()).put(HEX.parseHex(known.digest.hex()));
        }
        for (int number = 0; number < files.size(); number++) {
            byte[] capability = files.get(number).capability;
            if (capability.length > 0) {
                out.putInt(number).put((byte) capability.length).put(capability);
            }
        }
        var sum = new CRC32();
        sum.update(out.array(), 0, out.position());
        return out.putInt((int) sum.getValue()).array();
    }

    private void forget(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            LOG.log(Level.WARNING, "what was known of a context cannot be removed: " + file + ": " + e.getMessage());
        }
    }

    /// A directory's memory, and when it was used.
    private record Kept(Path file, FileTime used, long bytes) {}

    /// Forgets those unused longest until the rest is within the bounds.
    private synchronized void shrink() throws IOException {
        var all = new ArrayList<Kept>();
        long bytes = 0;
        try (var files = Files.newDirectoryStream(root)) {
            for (Path file : files) {
                if (isName(String.valueOf(file.getFileName()))) {
                    var kept = new Kept(file, Files.getLastModifiedTime(file), Files.size(file));
                    all.add(kept);
                    bytes += kept.bytes;
                }
            }
        } catch (NoSuchFileException e) {
            return; // somebody else forgets just now
        }
        all.sort((one, other) -> one.used.compareTo(other.used));
        for (int i = 0; i < all.size() && (all.size() - i > bounds.directories || bytes > bounds.bytes); i++) {
            Files.deleteIfExists(all.get(i).file);
            bytes -= all.get(i).bytes;
        }
    }
}
