package carafe.bench;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/// The context of the build that is measured: a Dockerfile with five small steps, and small files.
final class BuildContext {

    private static final int BLOCK = 512;

    private BuildContext() {}

    /// Writes it as a tar to a new file; the caller deletes it.
    static Path write(String image, int files) throws IOException {
        Path file = Files.createTempFile("bench-context", ".tar");
        try (var out = new BufferedOutputStream(Files.newOutputStream(file))) {
            member(out, "Dockerfile", dockerfile(image));
            for (int i = 0; i < files; i++) {
                member(out, name(i, files), "file " + i + "\n");
            }
            out.write(new byte[2 * BLOCK]);
        }
        return file;
    }

    /// Writes it into a directory.
    static void write(Path directory, String image, int files) throws IOException {
        Files.writeString(directory.resolve("Dockerfile"), dockerfile(image));
        for (int i = 0; i < files; i++) {
            Path file = directory.resolve(name(i, files));
            Files.createDirectories(file.resolveSibling("."));
            Files.writeString(file, "file " + i + "\n");
        }
    }

    private static String dockerfile(String image) {
        var steps = new StringBuilder("FROM " + image + "\n");
        for (int i = 1; i <= 5; i++) {
            steps.append("RUN echo ").append(i).append(" > /").append(i).append('\n');
        }
        return steps + "COPY src /src\n";
    }

    private static String name(int number, int files) {
        return "src/d" + number % (files / 100) + "/f" + number;
    }

    private static void member(OutputStream out, String name, String text) throws IOException {
        byte[] content = text.getBytes(StandardCharsets.UTF_8);
        byte[] header = new byte[BLOCK];
        put(header, 0, name);
        put(header, 100, "0000644\0" + "0000000\0" + "0000000\0");
        put(header, 124, "%011o\0%011o\0".formatted(content.length, 1_700_000_000));
        put(header, 257, "ustar\00000");
        header[156] = '0';
        Arrays.fill(header, 148, 156, (byte) ' ');
        int sum = 0;
        for (byte b : header) {
            sum += b & 0xFF;
        }
        put(header, 148, "%06o\0 ".formatted(sum));
        out.write(header);
        out.write(content);
        out.write(new byte[-content.length & (BLOCK - 1)]);
    }

    private static void put(byte[] header, int at, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(bytes, 0, header, at, bytes.length);
    }
}
