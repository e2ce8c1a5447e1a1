package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.tar.Busy;
import carafe.spec.tar.TarEntry;
import carafe.spec.tar.TarHeader;
import carafe.spec.tar.TarReader;
import carafe.spec.tar.UnpackBounds;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Map;

/// Tars from outside that are no layers: a build's context, an archive to unpack. Plain, gzip, zstd, bzip2 or xz, found
/// by the first bytes; every bound of layers holds, and the holes of sparse files count as what is unpacked.
/// Names are as written: whoever uses them resolves them in a tree.
public final class TarArchive {

    /// What kind of member it is.
    public enum Kind { FILE, DIRECTORY, SYMLINK, HARD_LINK, CHAR_DEVICE, BLOCK_DEVICE, FIFO }

    /// A member's owner and permission bits, and when its content was last changed.
    public record Attributes(int mode, int uid, int gid, long modifiedSeconds, int modifiedNanos) {}

    /// One member. `size` is the length of the file with its holes.
    public record Member(Kind kind, String name, String linkName, long size, Attributes attributes, int deviceMajor,
            int deviceMinor, Map<String, byte[]> xattrs) {}

    /// Is told of every member, in the archive's order.
    @FunctionalInterface
    public interface Visitor {
        /// `data` is the file's content, holes as zeros; what is not read of it is skipped.
        void member(Member member, InputStream data) throws IOException, EngineException;
    }

    private TarArchive() {}

    /// Reads `archive` to its end; the caller closes it.
    /// @throws EngineException.Invalid the bytes are at fault
    /// @throws EngineException.Unavailable too many archives of its kind are being read
    public static void read(InputStream archive, Visitor visitor) throws IOException, EngineException {
        try (var stream = LayerStream.ofArchive(archive)) {
            var tar = new TarReader(stream);
            long holes = 0;
            for (var entry = tar.next(); entry != null; entry = tar.next()) {
                var attributes = new Attributes(entry.mode(), (int) entry.uid(), (int) entry.gid(),
                        entry.mtimeSeconds(), entry.mtimeNanos());
                var member = new Member(Kind.valueOf(entry.type().name()), entry.name(), entry.linkName(),
                        entry.size(), attributes, entry.deviceMajor(), entry.deviceMinor(), entry.xattrs());
                holes += Math.min(entry.size() - entry.storedBytes(), UnpackBounds.DEFAULT.maxBytes() + 1);
                var excess = UnpackBounds.DEFAULT.excess(stream.plainBytes() + holes, stream.blobBytes());
                if (holes > 0 && excess.isPresent()) {
                    throw new EngineException.Invalid("the archive, with the holes of " + entry.name() + ", " + excess.get());
                }
                visitor.member(member, entry.extents().size() <= 1 && entry.storedBytes() == entry.size()
                        ? tar.data() : new Unfolded(tar, entry));
            }
            stream.drain();
        } catch (LayerStream.Broken e) {
            throw LayerStream.invalid(e);
        } catch (Busy e) {
            throw new EngineException.Unavailable(String.valueOf(e.getMessage()), e);
        } catch (EOFException e) {
            throw new EngineException.Invalid("unexpected EOF");
        }
    }

    /// Whether a file that begins with `head` (512 bytes, if it has as many) is a tar, plain or compressed.
    public static boolean begins(byte[] head) {
        return LayerStream.isCompressed(head) || head.length == TarHeader.BLOCK && TarHeader.fits(head);
    }

    /// A sparse file's content with its holes.
    private static final class Unfolded extends InputStream {
        private final TarReader tar;
        private final ArrayDeque<TarEntry.Extent> extents;
        private final long size;
        private long at;

        Unfolded(TarReader tar, TarEntry entry) {
            this.tar = tar;
            this.extents = new ArrayDeque<>(entry.extents());
            this.size = entry.size();
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            while (!extents.isEmpty() && at >= extents.getFirst().offset() + extents.getFirst().length()) {
                extents.removeFirst();
            }
            if (at >= size || length == 0) {
                return length == 0 ? 0 : -1;
            }
            if (extents.isEmpty() || at < extents.getFirst().offset()) {
                long end = extents.isEmpty() ? size : extents.getFirst().offset();
                int zeros = (int) Math.min(length, end - at);
                Arrays.fill(buffer, offset, offset + zeros, (byte) 0);
                at += zeros;
                return zeros;
            }
            var extent = extents.getFirst();
            int wanted = (int) Math.min(length, extent.offset() + extent.length() - at);
            int count = tar.read(buffer, offset, wanted);
            if (count < 0) {
                throw new EOFException("unexpected EOF");
            }
            at += count;
            return count;
        }
    }
}
