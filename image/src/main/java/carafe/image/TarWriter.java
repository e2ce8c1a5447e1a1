package carafe.image;

import carafe.kernel.NativeText;
import carafe.spec.tar.TarEntry;
import carafe.spec.tar.TarHeader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// Writes a tar: ustar, with a pax header in front of a member that ustar cannot say (long or non-ASCII names, large
/// numbers, fractions of seconds, extended attributes, holes). Names and attribute values are written byte for byte,
/// which commons-compress cannot do (docs/adr on the tar reader). The same members give the same bytes.
/// Not for several threads. Source: POSIX.1-2017 pax; GNU tar manual, "Storing Sparse Files", format 1.0.
final class TarWriter {

    private static final int BLOCK = TarHeader.BLOCK;
    private static final long MAX_OCTAL_ID = 07777777;
    private static final long MAX_OCTAL_SIZE = 077777777777L;
    private static final int NAME_BYTES = 100;
    private static final int PREFIX_BYTES = 155;

    private final OutputStream out;
    private final byte[] buffer = new byte[64 << 10];

    /// Writes to `out`, which stays the caller's.
    TarWriter(OutputStream out) {
        this.out = out;
    }

    /// Adds a small file of root's, of no particular time.
    void file(String name, int mode, byte[] content) throws IOException {
        var extents = content.length == 0 ? List.<TarEntry.Extent>of() : List.of(new TarEntry.Extent(0, content.length));
        add(new TarEntry(TarEntry.Type.FILE, name, "", content.length, extents, mode, 0, 0, 0, 0, 0, 0, Map.of()),
                new ByteArrayInputStream(content));
    }

    /// Adds a directory of root's, of no particular time.
    void directory(String name, int mode) throws IOException {
        add(new TarEntry(TarEntry.Type.DIRECTORY, name, "", 0, List.of(), mode, 0, 0, 0, 0, 0, 0, Map.of()),
                InputStream.nullInputStream());
    }

    /// Adds a member; `data` gives the stored bytes of its extents, one behind the other.
    void add(TarEntry entry, InputStream data) throws IOException {
        long stored = entry.storedBytes();
        byte[] map = stored == entry.size() ? new byte[0] : sparseMap(entry);
        var records = records(entry, map.length > 0);
        byte[] name = NativeText.encode(map.length > 0 ? "GNUSparseFile.0/" + last(entry.name()) : entry.name());
        if (records.size() > 0) {
            byte[] about = records.toByteArray();
            out.write(header(entry, NativeText.encode("PaxHeaders/" + last(entry.name())), about.length, 'x'));
            out.write(about);
            pad(about.length);
        }
        out.write(header(entry, name, map.length + stored, type(entry.type())));
        out.write(map);
        copy(data, stored, entry);
        pad(map.length + stored);
    }

    private void copy(InputStream data, long bytes, TarEntry entry) throws IOException {
        for (long left = bytes; left > 0; ) {
            int count = data.read(buffer, 0, (int) Math.min(buffer.length, left));
            if (count < 0) {
                throw new IOException("\"" + entry.name() + "\" became shorter while it was read");
            }
            out.write(buffer, 0, count);
            left -= count;
        }
    }

    private static String last(String name) {
        String bare = name.endsWith("/") ? name.substring(0, name.length() - 1) : name;
        return bare.substring(bare.lastIndexOf('/') + 1);
    }

    private void pad(long length) throws IOException {
        out.write(new byte[(int) (-length & (BLOCK - 1))]);
    }

    /// Ends the archive.
    void finish() throws IOException {
        out.write(new byte[2 * BLOCK]);
        out.flush();
    }

    private static byte[] sparseMap(TarEntry entry) {
        var extents = new ArrayList<>(entry.extents());
        if (extents.isEmpty() || extents.getLast().offset() + extents.getLast().length() < entry.size()) {
            extents.add(new TarEntry.Extent(entry.size(), 0)); // readers want the hole at the end said
        }
        var map = new StringBuilder().append(extents.size()).append('\n');
        extents.forEach(extent -> map.append(extent.offset()).append('\n').append(extent.length()).append('\n'));
        byte[] text = map.toString().getBytes(StandardCharsets.US_ASCII);
        return Arrays.copyOf(text, (text.length + BLOCK - 1) / BLOCK * BLOCK);
    }

    private static ByteArrayOutputStream records(TarEntry entry, boolean sparse) {
        var records = new ByteArrayOutputStream();
        if (sparse) {
            text(records, "GNU.sparse.major", "1");
            text(records, "GNU.sparse.minor", "0");
            record(records, "GNU.sparse.name", NativeText.encode(entry.name()));
            text(records, "GNU.sparse.realsize", Long.toString(entry.size()));
        } else if (!fits(NativeText.encode(entry.name()))) {
            record(records, "path", NativeText.encode(entry.name()));
        }
        byte[] link = NativeText.encode(entry.linkName());
        if (link.length > NAME_BYTES || !isAscii(link)) {
            record(records, "linkpath", link);
        }
        if (entry.storedBytes() > MAX_OCTAL_SIZE - (16 << 20)) {
            long map = sparse ? sparseMap(entry).length : 0;
            text(records, "size", Long.toString(entry.storedBytes() + map));
        }
        if (entry.uid() > MAX_OCTAL_ID) {
            text(records, "uid", Long.toString(entry.uid()));
        }
        if (entry.gid() > MAX_OCTAL_ID) {
            text(records, "gid", Long.toString(entry.gid()));
        }
        if (entry.mtimeNanos() != 0 || entry.mtimeSeconds() < 0 || entry.mtimeSeconds() > MAX_OCTAL_SIZE) {
            text(records, "mtime", time(entry.mtimeSeconds(), entry.mtimeNanos()));
        }
        entry.xattrs().entrySet().stream().sorted(Map.Entry.comparingByKey())
                .forEach(xattr -> record(records, "SCHILY.xattr." + xattr.getKey(), xattr.getValue()));
        return records;
    }

    private static String time(long seconds, int nanos) {
        if (nanos == 0) {
            return Long.toString(seconds);
        }
        boolean negative = seconds < 0;
        long whole = negative ? -seconds - 1 : seconds;
        int fraction = negative ? 1_000_000_000 - nanos : nanos;
        String digits = Integer.toString(1_000_000_000 + fraction).substring(1);
        return (negative ? "-" : "") + whole + "." + digits;
    }

    private static void text(ByteArrayOutputStream records, String key, String value) {
        record(records, key, value.getBytes(StandardCharsets.US_ASCII));
    }

    /// `LENGTH KEY=VALUE\n`, the length counting itself.
    private static void record(ByteArrayOutputStream records, String key, byte[] value) {
        byte[] name = NativeText.encode(key);
        int rest = name.length + value.length + 3;
        int length = rest + Integer.toString(rest).length();
        length = rest + Integer.toString(length).length();
        records.writeBytes((length + " ").getBytes(StandardCharsets.US_ASCII));
        records.writeBytes(name);
        records.write('=');
        records.writeBytes(value);
        records.write('\n');
    }

    private static boolean isAscii(byte[] bytes) {
        for (byte b : bytes) {
            if (b < 0) {
                return false;
            }
        }
        return true;
    }

    private static boolean fits(byte[] name) {
        return isAscii(name) && (name.length <= NAME_BYTES || split(name) > 0);
    }

    /// Where the name parts into prefix and name; 0 when it cannot.
    private static int split(byte[] name) {
        for (int slash = Math.min(PREFIX_BYTES, name.length - 2); slash > 0; slash--) {
            if (name[slash] == '/' && name.length - slash - 1 <= NAME_BYTES) {
                return slash;
            }
        }
        return 0;
    }

    private static char type(TarEntry.Type type) {
        return switch (type) {
            case FILE -> '0';
            case HARD_LINK -> '1';
            case SYMLINK -> '2';
            case CHAR_DEVICE -> '3';
            case BLOCK_DEVICE -> '4';
            case DIRECTORY -> '5';
            case FIFO -> '6';
        };
    }

    private static byte[] header(TarEntry entry, byte[] name, long size, char type) {
        byte[] header = new byte[BLOCK];
        int slash = name.length > NAME_BYTES && isAscii(name) ? split(name) : 0;
        if (slash > 0) {
            System.arraycopy(name, 0, header, 345, slash);
            System.arraycopy(name, slash + 1, header, 0, name.length - slash - 1);
        } else {
            System.arraycopy(name, 0, header, 0, Math.min(NAME_BYTES, name.length));
        }
        octal(header, 100, 8, type == 'x' ? 0644 : entry.mode());
        octal(header, 108, 8, entry.uid() > MAX_OCTAL_ID ? 0 : entry.uid());
        octal(header, 116, 8, entry.gid() > MAX_OCTAL_ID ? 0 : entry.gid());
        octal(header, 124, 12, size > MAX_OCTAL_SIZE ? 0 : size);
        octal(header, 136, 12, Math.clamp(entry.mtimeSeconds(), 0, MAX_OCTAL_SIZE));
        header[156] = (byte) type;
        byte[] link = type == 'x' ? new byte[0] : NativeText.encode(entry.linkName());
        System.arraycopy(link, 0, header, 157, Math.min(NAME_BYTES, link.length));
        System.arraycopy("ustar\00000".getBytes(StandardCharsets.US_ASCII), 0, header, 257, 8);
        octal(header, 329, 8, entry.deviceMajor());
        octal(header, 337, 8, entry.deviceMinor());
        checksum(header);
        return header;
    }

    private static void octal(byte[] header, int at, int length, long value) {
        long left = value;
        for (int i = at + length - 2; i >= at; i--) {
            header[i] = (byte) ('0' + (left & 7));
            left >>= 3;
        }
    }

    private static void checksum(byte[] header) {
        Arrays.fill(header, 148, 156, (byte) ' ');
        int sum = 0;
        for (byte b : header) {
            sum += b & 0xFF;
        }
        octal(header, 148, 7, sum);
        header[154] = 0;
    }
}
