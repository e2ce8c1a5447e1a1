package carafe.e2e;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Writes a tar (ustar) in memory, with every entry root's and from the epoch, so that equal content has equal bytes.
final class Tar {

    private static final int BLOCK = 512;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    Tar directory(String name) {
        return entry(name + "/", 0755, '5', "", new byte[0]);
    }

    Tar directory(String name, int mode) {
        return entry(name + "/", mode, '5', "", new byte[0]);
    }

    Tar file(String name, String content) {
        return file(name, 0644, content.getBytes(StandardCharsets.UTF_8));
    }

    Tar file(String name, int mode, byte[] content) {
        return entry(name, mode, '0', "", content);
    }

    Tar hardLink(String name, String target) {
        return entry(name, 0755, '1', target, new byte[0]);
    }

    Tar symbolicLink(String name, String target) {
        return entry(name, 0777, '2', target, new byte[0]);
    }

    byte[] finish() {
        bytes.writeBytes(new byte[2 * BLOCK]);
        return bytes.toByteArray();
    }

    private Tar entry(String name, int mode, char type, String target, byte[] content) {
        var header = new byte[BLOCK];
        put(header, 0, 100, name);
        put(header, 100, 8, "%07o".formatted(mode));
        put(header, 108, 8, "%07o".formatted(0));
        put(header, 116, 8, "%07o".formatted(0));
        put(header, 124, 12, "%011o".formatted(content.length));
        put(header, 136, 12, "%011o".formatted(0));
        Arrays.fill(header, 148, 156, (byte) ' ');
        header[156] = (byte) type;
        put(header, 157, 100, target);
        put(header, 257, 8, "ustar\00000");
        int sum = 0;
        for (byte b : header) {
            sum += b & 0xff;
        }
        put(header, 148, 8, "%06o\0 ".formatted(sum));
        bytes.writeBytes(header);
        bytes.writeBytes(content);
        bytes.writeBytes(new byte[(BLOCK - content.length % BLOCK) % BLOCK]);
        return this;
    }

    private static void put(byte[] header, int at, int size, String text) {
        var raw = text.getBytes(StandardCharsets.US_ASCII);
        if (raw.length > size) {
            throw new IllegalArgumentException("longer than " + size + ": " + text);
        }
        System.arraycopy(raw, 0, header, at, raw.length);
    }
}
