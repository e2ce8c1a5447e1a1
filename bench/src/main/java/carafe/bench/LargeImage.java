package carafe.bench;

import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

/// Writes the image that loads, pulls and removals are measured with: ten layers, 53 583 files, 300 MB that gzip packs
/// to about a third, as a docker-archive. The same on every machine.
///
/// usage: `java -cp bench/target/classes carafe.bench.LargeImage FILE`
public final class LargeImage {

    private static final int FILES = 53_583;
    private static final long BYTES = 300_000_000;
    private static final int[] SHARES = {30, 22, 14, 10, 8, 6, 4, 3, 2, 1};
    private static final int WORDS = 700;

    private final Random random = new Random(20_26);
    private final byte[] text = text();

    private LargeImage() {}

    /// Writes the archive to the file named by the one argument.
    public static void main(String[] arguments) throws IOException {
        if (arguments.length != 1) {
            throw new IllegalArgumentException("usage: LargeImage FILE");
        }
        try (var out = new BufferedOutputStream(Files.newOutputStream(Path.of(arguments[0])), 1 << 20)) {
            new LargeImage().write(out);
        }
    }

    /// A megabyte of words that compresses as programs and libraries do.
    private byte[] text() {
        var words = new ArrayList<byte[]>();
        for (int i = 0; i < WORDS; i++) {
            byte[] word = new byte[3 + random.nextInt(7)];
            random.nextBytes(word);
            words.add(word);
        }
        var out = new ByteArrayOutputStream();
        while (out.size() < 4 << 20) {
            out.writeBytes(words.get(Math.min(random.nextInt(WORDS), random.nextInt(WORDS))));
        }
        return out.toByteArray();
    }

    private void write(OutputStream out) throws IOException {
        var diffIds = new ArrayList<String>();
        var names = new ArrayList<String>();
        for (int i = 0; i < SHARES.length; i++) {
            byte[] layer = layer(i);
            String hex = sha256(layer);
            diffIds.add("\"sha256:" + hex + "\"");
            names.add("\"" + hex + "/layer.tar\"");
            member(out, hex + "/layer.tar", layer, 0, layer.length);
        }
        byte[] config = ("{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"/bin/true\"]},"
                + "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[" + String.join(",", diffIds) + "]},"
                + "\"history\":[" + String.join(",", history()) + "]}").getBytes(StandardCharsets.US_ASCII);
        String id = sha256(config);
        member(out, id + ".json", config, 0, config.length);
        byte[] table = ("[{\"Config\":\"" + id + ".json\",\"RepoTags\":[\"large:10\"],\"Layers\":["
                + String.join(",", names) + "]}]").getBytes(StandardCharsets.US_ASCII);
        member(out, "manifest.json", table, 0, table.length);
        out.write(new byte[1024]);
    }

    private static List<String> history() {
        var steps = new ArrayList<String>();
        for (int i = 0; i < SHARES.length; i++) {
            steps.add("{\"created_by\":\"layer " + i + "\"}");
        }
        return steps;
    }

    private byte[] layer(int number) throws IOException {
        var tar = new ByteArrayOutputStream();
        int files = FILES * SHARES[number] / 100 + (number == 0 ? FILES - sum() : 0);
        long left = BYTES * SHARES[number] / 100;
        for (int i = 0; i < files; i++) {
            if (i % 40 == 0) {
                tar.write(header(directory(number, i), 0, '5'));
            }
            long mean = left / (files - i);
            int size = i == files - 1 ? (int) left
                    : (int) Math.min(left, Math.round(mean * Math.exp(random.nextGaussian() * 0.8 - 0.32)));
            size = Math.min(size, text.length / 2);
            left -= size;
            member(tar, directory(number, i) + "file-" + i, text, random.nextInt(text.length - size), size);
        }
        tar.writeBytes(new byte[1024]);
        return tar.toByteArray();
    }

    private static int sum() {
        int sum = 0;
        for (int share : SHARES) {
            sum += FILES * share / 100;
        }
        return sum;
    }

    private static String directory(int layer, int file) {
        return "usr/share/layer-" + layer + "/part-" + file / 400 + "/set-" + file / 40 + "/";
    }

    private static void member(OutputStream out, String name, byte[] content, int from, int size) throws IOException {
        out.write(header(name, size, '0'));
        out.write(content, from, size);
        out.write(new byte[-size & 511]);
    }

    /// The header of a member of a tar: a file of `size` bytes (`type` 0) or a directory (5).
    static byte[] header(String name, long size, char type) {
        byte[] header = new byte[512];
        text(header, 0, name);
        text(header, 100, type == '5' ? "0000755" : "0000644");
        text(header, 108, "0000000");
        text(header, 116, "0000000");
        text(header, 124, "%011o".formatted(size));
        text(header, 136, "14524770400");
        header[156] = (byte) type;
        text(header, 257, "ustar\00000");
        text(header, 148, "        ");
        int sum = 0;
        for (byte b : header) {
            sum += b & 0xFF;
        }
        text(header, 148, "%06o\0 ".formatted(sum));
        return header;
    }

    private static void text(byte[] header, int at, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(bytes, 0, header, at, bytes.length);
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e); // every JDK has it
        }
    }
}
