package carafe.build.source;

import carafe.spec.build.FileStamp;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.BufferUnderflowException;
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
/// need not come again. Only ever a help: what cannot be read or written is forgotten. At most so many directories, and
/// bytes, are remembered; those unused longest go first. Any thread may ask.
///
/// A file is a magic number, for each file its path (u16 length, UTF-8), stamp (five i64) and SHA-256, and the CRC-32 of
/// all that (u32); written beside and renamed, so that it is there whole or not at all, or its sum is wrong.
public final class ContextMemory {

    private static final Logger LOG = System.getLogger(ContextMemory.class.getName());
    private static final long MAGIC = 0x6361726166653031L;
    private static final int DIGEST_BYTES = 32;
    private static final int STAMP_BYTES = 5 * Long.BYTES;
    private static final HexFormat HEX = HexFormat.of();

    /// How much is remembered.
    record Bounds(int directories, long bytes) {}

    /// A file of a directory, as it was, and the digest of its content then.
    record Known(String path, FileStamp stamp, Digest digest) {}

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
        return open(root, new Bounds(64, 256 << 20), Clock.systemUTC());
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

    /// What is known of the files of `directory`, by path; nothing if that is not remembered. Counts as a use.
    Map<String, Known> recall(String directory) {
        Path file = file(directory);
        try {
            if (Files.size(file) <= bounds.bytes) {
                var known = parse(Files.readAllBytes(file));
                Files.setLastModifiedTime(file, FileTime.from(clock.instant()));
                return known;
            }
        } catch (NoSuchFileException e) {
            return Map.of();
        } catch (IOException | BufferUnderflowException e) {
            LOG.log(Level.WARNING, "what was known of a context is forgotten: " + file + ": " + e.getMessage());
        }
        forget(file);
        return Map.of();
    }

    private static Map<String, Known> parse(byte[] bytes) throws IOException {
        var in = ByteBuffer.wrap(bytes);
        var sum = new CRC32();
        sum.update(bytes, 0, Math.max(0, bytes.length - Integer.BYTES));
        if (bytes.length < Long.BYTES + Integer.BYTES || in.getLong() != MAGIC
                || in.getInt(bytes.length - Integer.BYTES) != (int) sum.getValue()) {
            throw new IOException("it is damaged");
        }
        var known = new HashMap<String, Known>(2 * (bytes.length / (STAMP_BYTES + DIGEST_BYTES + 20)));
        while (in.remaining() > Integer.BYTES) {
            int length = in.getShort() & 0xFFFF;
            String path = new String(bytes, in.position(), length, StandardCharsets.UTF_8);
            in.position(in.position() + length);
            var stamp = new FileStamp(in.getLong(), in.getLong(), in.getLong(), in.getLong(), in.getLong());
            byte[] hash = new byte[DIGEST_BYTES];
            in.get(hash);
            known.put(path, new Known(path, stamp, Digest.finish(Digest.Algorithm.SHA256, hash)));
        }
        return known;
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
        int length = Long.BYTES + Integer.BYTES;
        var paths = new ArrayList<byte[]>(files.size());
        for (var known : files) {
            byte[] path = known.path.getBytes(StandardCharsets.UTF_8);
            paths.add(path);
            length += path.length > 0xFFFF ? 0 : Short.BYTES + path.length + STAMP_BYTES + DIGEST_BYTES;
        }
        var out = ByteBuffer.allocate(length).putLong(MAGIC);
        for (int i = 0; i < paths.size(); i++) {
            byte[] path = paths.get(i);
            if (path.length <= 0xFFFF) {
                var stamp = files.get(i).stamp;
                out.putShort((short) path.length).put(path).putLong(stamp.device()).putLong(stamp.inode())
                        .putLong(stamp.size()).putLong(stamp.modifiedNanos()).putLong(stamp.changedNanos())
                        .put(HEX.parseHex(files.get(i).digest.hex()));
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
