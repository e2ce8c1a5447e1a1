package carafe.spec.tar;

import carafe.spec.tar.TarEntry.Type;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/// Writes a tar member by member: ustar, and a pax header before a member of which ustar cannot say all (long or
/// unusual names, large numbers, extended attributes). Times are whole seconds, as Docker writes them. A regular file's
/// data follows its header by [#write], exactly as many bytes as its size says. Not for several threads.
/// Source: POSIX.1-2017 pax, "ustar Interchange Format" and "pax Extended Header".
public final class TarWriter {

    private static final int BLOCK = TarHeader.BLOCK;
    private static final long MOST_OCTAL_7 = 07777777L;
    private static final long MOST_OCTAL_11 = 077777777777L;
    private static final int NAME_BYTES = 100;

    private final OutputStream out;
    private long left;
    private int padding;

    /// Writes to `out`, which stays the caller's.
    public TarWriter(OutputStream out) {
        this.out = out;
    }

    /// Begins a member. For a regular file `entry.size()` bytes are to be written next; holes are written as zeros.
    public void add(TarEntry entry) throws IOException {
        endOfData();
        long size = entry.type() == Type.FILE ? entry.size() : 0;
        byte[] name = TarText.encode(entry.type() == Type.DIRECTORY && !entry.name().endsWith("/")
                ? entry.name() + "/" : entry.name());
        byte[] link = TarText.encode(entry.linkName());
        var pax = new LinkedHashMap<String, byte[]>();
        if (!plain(name)) {
            pax.put("path", name);
        }
        if (!plain(link)) {
            pax.put("linkpath", link);
        }
        number(pax, "uid", entry.uid(), MOST_OCTAL_7);
        number(pax, "gid", entry.gid(), MOST_OCTAL_7);
        number(pax, "size", size, MOST_OCTAL_11);
        number(pax, "mtime", entry.mtimeSeconds(), MOST_OCTAL_11);
        entry.xattrs().forEach((key, value) -> pax.put("SCHILY.xattr." + key, value));
        if (!pax.isEmpty()) {
            byte[] records = records(pax);
            var header = new byte[BLOCK];
            text(header, 0, NAME_BYTES, "pax_header".getBytes(StandardCharsets.US_ASCII));
            numbers(header, new long[] {0644, 0, 0, records.length, 0});
            finish(header, 'x');
            out.write(header);
            out.write(records);
            out.write(new byte[-records.length & (BLOCK - 1)]);
        }
        out.write(header(entry, name, link, size));
        left = size;
        padding = (int) (-size & (BLOCK - 1));
    }

    /// Writes data of the member begun last.
    /// @throws IOException it would be more than the member's size
    public void write(byte[] bytes, int offset, int length) throws IOException {
        if (length > left) {
            throw new IOException("archive/tar: write too long");
        }
        out.write(bytes, offset, length);
        left -= length;
    }

    /// Ends the archive; the stream is flushed, not closed.
    public void finish() throws IOException {
        endOfData();
        out.write(new byte[2 * BLOCK]);
        out.flush();
    }

    private void endOfData() throws IOException {
        if (left != 0) {
            throw new IOException("archive/tar: missed writing " + left + " bytes");
        }
        out.write(new byte[padding]);
        padding = 0;
    }

    private static boolean plain(byte[] text) {
        if (text.length > NAME_BYTES) {
            return false;
        }
        for (byte b : text) {
            if (b < ' ') { // control characters, and all beyond ASCII
                return false;
            }
        }
        return true;
    }

    private static void number(Map<String, byte[]> pax, String key, long value, long most) {
        if (value < 0 || value > most) {
            pax.put(key, Long.toString(value).getBytes(StandardCharsets.US_ASCII));
        }
    }

    private static byte[] records(Map<String, byte[]> pax) {
        var records = new ByteArrayOutputStream();
        pax.forEach((key, value) -> {
            byte[] keyBytes = TarText.encode(key);
            int rest = keyBytes.length + value.length + 3; // blank, equals sign, line end
            int length = rest + Integer.toString(rest).length();
            length = rest + Integer.toString(length).length();
            records.writeBytes((length + " ").getBytes(StandardCharsets.US_ASCII));
            records.writeBytes(keyBytes);
            records.write('=');
            records.writeBytes(value);
            records.write('\n');
        });
        return records.toByteArray();
    }

    private static byte[] header(TarEntry entry, byte[] name, byte[] link, long size) {
        var header = new byte[BLOCK];
        text(header, 0, NAME_BYTES, name);
        numbers(header, new long[] {entry.mode(), entry.uid(), entry.gid(), size, entry.mtimeSeconds()});
        text(header, 157, NAME_BYTES, link);
        boolean device = entry.type() == Type.CHAR_DEVICE || entry.type() == Type.BLOCK_DEVICE;
        octal(header, 329, 7, device ? entry.deviceMajor() : 0);
        octal(header, 337, 7, device ? entry.deviceMinor() : 0);
        finish(header, switch (entry.type()) {
            case FILE -> '0';
            case HARD_LINK -> '1';
            case SYMLINK -> '2';
            case CHAR_DEVICE -> '3';
            case BLOCK_DEVICE -> '4';
            case DIRECTORY -> '5';
            case FIFO -> '6';
        });
        return header;
    }

    /// Mode, owner, group, size and time, each 0 where its field is too small: the pax header has it then.
    private static void numbers(byte[] header, long[] values) {
        int[] offsets = {100, 108, 116, 124, 136};
        for (int i = 0; i < values.length; i++) {
            int digits = i < 3 ? 7 : 11;
            long most = i < 3 ? MOST_OCTAL_7 : MOST_OCTAL_11;
            octal(header, offsets[i], digits, values[i] < 0 || values[i] > most ? 0 : values[i]);
        }
    }

    private static void finish(byte[] header, char type) {
        header[156] = (byte) type;
        text(header, 257, 8, "ustar\00000".getBytes(StandardCharsets.US_ASCII));
        int sum = 0;
        for (int i = 0; i < 8; i++) {
            header[148 + i] = ' ';
        }
        for (byte b : header) {
            sum += b & 0xFF;
        }
        octal(header, 148, 6, sum);
        header[154] = 0;
    }

    private static void octal(byte[] header, int offset, int digits, long value) {
        long rest = value;
        for (int i = digits - 1; i >= 0; i--) {
            header[offset + i] = (byte) ('0' + (rest & 7));
            rest >>= 3;
        }
    }

    private static void text(byte[] header, int offset, int most, byte[] text) {
        System.arraycopy(text, 0, header, offset, Math.min(most, text.length));
    }
}
