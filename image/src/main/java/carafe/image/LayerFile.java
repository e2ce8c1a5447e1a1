package carafe.image;

import carafe.kernel.Descriptors;
import carafe.kernel.Errno;
import carafe.kernel.Fd;
import carafe.kernel.FdStream;
import carafe.kernel.KernelException;
import carafe.kernel.Linux;
import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import carafe.spec.tar.TarReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/// A layer as one file that is three things at once: the layer's tar, byte for byte; an EROFS image of its files, whose
/// data are the tar's; and a description of itself by which it can be verified.
///
/// | bytes | content |
/// | --- | --- |
/// | 0 – 1023 | [Head]: lengths and digests, with a checksum |
/// | 1024 – 1535 | EROFS's superblock |
/// | 4096 – | the tar |
/// | behind it | sparse files again, in chunks ([SparseCopies]); mostly nothing |
/// | behind those | directories, inodes, attributes ([ErofsImage]) |
///
/// @param diffId       the tar's digest
/// @param tarBytes     its length
/// @param metaStart    where directories and inodes begin; they end with the file
/// @param end          the file's length
/// @param fileBytes    the lengths of the layer's files together
/// @param entries      how many members the tar has
/// @param metaDigest   of everything from `metaStart` on, then of the superblock's block
record LayerFile(Digest diffId, long tarBytes, long metaStart, long end, long fileBytes, long entries,
        Digest metaDigest) {

    static final int TAR_START = 4096;

    private static final byte[] MAGIC = "carafe layer 1\n\0".getBytes(StandardCharsets.US_ASCII);
    private static final int HEAD_BYTES = 1024;
    private static final int CRC_AT = 128;
    private static final int BUFFER = 128 << 10;

    /// What is wrong with a layer's file.
    static final class Damaged extends IOException {
        Damaged(String message) {
            super(message);
        }
    }

    /// Writes what follows the tar, which is in `file` already, and then the head; not synced.
    static LayerFile write(Fd file, LayerTree tree, LayerIndexer indexed, Digest diffId, long tarBytes)
            throws IOException, EngineException.Invalid {
        var copies = new SparseCopies(tree, TAR_START, TAR_START + tarBytes);
        copies.write(file);
        long start = copies.end();
        var image = new ErofsImage(tree, copies, TAR_START, start);
        if (image.end() > SparseCopies.MAX_END) {
            throw new EngineException.Invalid("layer is larger than " + SparseCopies.MAX_END + " bytes");
        }
        FdStream.truncate(file, start);
        var out = new ErofsOutput(file, start);
        image.write(out);
        out.flush();
        byte[] superblock = image.superblock(HexFormat.of().parseHex(diffId.hex(), 0, 32));
        out.hash().update(superblock);
        var written = new LayerFile(diffId, tarBytes, start, image.end(), indexed.fileBytes(), indexed.entries(),
                Digest.finish(Digest.Algorithm.SHA256, out.hash().digest()));
        FdStream.writeAt(file, ErofsImage.SUPERBLOCK_OFFSET, superblock, 0, superblock.length);
        FdStream.writeAt(file, 0, written.head(), 0, HEAD_BYTES);
        return written;
    }

    private byte[] head() {
        var bytes = ByteBuffer.allocate(HEAD_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.put(MAGIC).putLong(tarBytes).putLong(metaStart).putLong(end).putLong(fileBytes).putLong(entries);
        bytes.put(HexFormat.of().parseHex(diffId.hex())).put(HexFormat.of().parseHex(metaDigest.hex()));
        bytes.putInt(CRC_AT, checksum(bytes.array()));
        return bytes.array();
    }

    private static int checksum(byte[] head) {
        var crc = new CRC32C();
        crc.update(head, 0, CRC_AT);
        return (int) crc.getValue();
    }

    /// Reads the head of `file`.
    /// @throws Damaged it is not one of these, or its length or head are not what was written
    static LayerFile read(Fd file) throws IOException {
        byte[] head = new byte[HEAD_BYTES];
        int count = FdStream.readAt(file, 0, head, 0, HEAD_BYTES);
        var in = ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN);
        if (count < HEAD_BYTES || !Arrays.equals(head, 0, MAGIC.length, MAGIC, 0, MAGIC.length)
                || in.getInt(CRC_AT) != checksum(head)) {
            throw new Damaged("its head is damaged");
        }
        in.position(MAGIC.length);
        long tarBytes = in.getLong();
        long metaStart = in.getLong();
        long end = in.getLong();
        long fileBytes = in.getLong();
        long entries = in.getLong();
        var read = new LayerFile(digest(in), tarBytes, metaStart, end, fileBytes, entries, digest(in));
        if (FdStream.seek(file, 0, Linux.SEEK_END) != end) {
            throw new Damaged("its length is not " + end);
        }
        return read;
    }

    private static Digest digest(ByteBuffer in) {
        byte[] hash = new byte[32];
        in.get(hash);
        return Digest.finish(Digest.Algorithm.SHA256, hash);
    }

    /// The file `path`, to be read and closed.
    /// @throws NoSuchFileException it is not there, perhaps since a moment ago
    static Fd open(Path path) throws IOException {
        try {
            return Descriptors.open(path, Linux.O_RDONLY, 0);
        } catch (KernelException e) {
            if (e.is(Errno.ENOENT)) {
                throw new NoSuchFileException("layer " + path.getFileName() + " is missing");
            }
            throw e;
        }
    }

    /// Reads the head of the file `path`.
    /// @throws NoSuchFileException it is not there
    static LayerFile read(Path path) throws IOException {
        try (var file = open(path)) {
            return read(file);
        }
    }

    /// The tar in the file `path`; to be closed.
    /// @throws NoSuchFileException it is not there
    static InputStream tar(Path path) throws IOException {
        var file = open(path);
        try {
            return new Part(file, TAR_START, read(file).tarBytes);
        } catch (IOException e) {
            file.close();
            throw e;
        }
    }

    /// Reads the whole file and compares it with what it should be.
    /// @throws Damaged saying which part is not
    static void verify(Fd file, Digest expected) throws IOException, EngineException.Invalid {
        var head = read(file);
        if (!head.diffId.equals(expected)) {
            throw new Damaged("it is the layer " + head.diffId);
        }
        var tarHash = Digest.Algorithm.SHA256.hasher();
        hash(file, TAR_START, head.tarBytes, tarHash);
        if (!Digest.finish(Digest.Algorithm.SHA256, tarHash.digest()).equals(expected)) {
            throw new Damaged("its files are damaged");
        }
        var metaHash = Digest.Algorithm.SHA256.hasher();
        hash(file, head.metaStart, head.end - head.metaStart, metaHash);
        hash(file, ErofsImage.SUPERBLOCK_OFFSET, ErofsImage.BLOCK, metaHash);
        if (!Digest.finish(Digest.Algorithm.SHA256, metaHash.digest()).equals(head.metaDigest)) {
            throw new Damaged("its directories are damaged");
        }
        if (head.metaStart - TAR_START - head.tarBytes >= TAR_START) {
            verifyCopies(file, head);
        }
    }

    private static void verifyCopies(Fd file, LayerFile head) throws IOException, EngineException.Invalid {
        var tree = new LayerTree();
        var indexer = new LayerIndexer(tree, head.entries);
        try (var part = new Part(file.duplicate(), TAR_START, head.tarBytes)) {
            var tar = new TarReader(new java.io.BufferedInputStream(part));
            for (var entry = tar.next(); entry != null; entry = tar.next()) {
                indexer.add(entry, tar.position());
            }
        }
        if (!new SparseCopies(tree, TAR_START, TAR_START + head.tarBytes).matches(file)) {
            throw new Damaged("its sparse files are damaged");
        }
    }

    private static void hash(Fd file, long from, long length, java.security.MessageDigest into) throws IOException {
        byte[] buffer = new byte[BUFFER];
        for (long done = 0; done < length; ) {
            int count = FdStream.readAt(file, from + done, buffer, 0, (int) Math.min(buffer.length, length - done));
            if (count <= 0) {
                throw new Damaged("it ends too early");
            }
            into.update(buffer, 0, count);
            done += count;
        }
    }

    /// `length` bytes of a file from `at` on. Owns the descriptor.
    private static final class Part extends InputStream {
        private final Fd file;
        private long at;
        private long left;

        Part(Fd file, long at, long length) {
            this.file = file;
            this.at = at;
            this.left = length;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            if (length == 0 || left == 0) {
                return length == 0 ? 0 : -1;
            }
            int count = FdStream.readAt(file, at, buffer, offset, (int) Math.min(length, left));
            if (count <= 0) {
                throw new IOException("a layer's file ends too early");
            }
            at += count;
            left -= count;
            return count;
        }

        @Override
        public void close() {
            file.close();
        }
    }
}
