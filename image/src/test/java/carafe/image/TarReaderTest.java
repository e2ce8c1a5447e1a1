package carafe.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.NativeText;
import carafe.spec.EngineException;
import carafe.spec.tar.TarEntry;
import carafe.spec.tar.TarEntry.Extent;
import carafe.spec.tar.TarReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TarReaderTest {

    @TempDir
    private Path directory;

    private static TarReader reader(byte[] tar) {
        return new TarReader(new ByteArrayInputStream(tar));
    }

    private static TarEntry first(TarReader reader) throws IOException, EngineException.Invalid {
        return Objects.requireNonNull(reader.next());
    }

    private static TarEntry only(TestTar tar) throws Exception {
        return only(tar.bytes());
    }

    private static TarEntry only(byte[] tar) throws Exception {
        var reader = reader(tar);
        var entry = first(reader);
        reader.data().readAllBytes();
        assertThat(reader.next()).isNull();
        return entry;
    }

    @Test
    void everythingOfAMemberIsRead() throws Exception {
        var entry = only(new TestTar().add(TestTar.file("a/b", "content").mode(04755).owner(7, 8).mtime(-5)));
        assertThat(entry.type()).isEqualTo(TarEntry.Type.FILE);
        assertThat(entry.name()).isEqualTo("a/b");
        assertThat(entry.mode()).isEqualTo(04755);
        assertThat(entry.uid()).isEqualTo(7);
        assertThat(entry.gid()).isEqualTo(8);
        assertThat(entry.mtimeSeconds()).isEqualTo(-5);
        assertThat(entry.size()).isEqualTo(7);
    }

    @Test
    void attributeValuesKeepEveryByte() throws Exception {
        byte[] all = new byte[256];
        for (int i = 0; i < all.length; i++) {
            all[i] = (byte) i;
        }
        var entry = only(new TestTar().add(TestTar.file("f", "").xattr("security.capability", all)));
        assertThat(entry.xattrs()).containsOnlyKeys("security.capability");
        assertThat(entry.xattrs().get("security.capability")).isEqualTo(all);
    }

    @Test
    void namesKeepEveryByte() throws Exception {
        byte[] latin = {'l', 'a', 't', (byte) 0xE9, 'n'};
        var entry = only(new TestTar().add(TestTar.file("short", "").pax("path", latin)));
        assertThat(NativeText.encode(entry.name())).isEqualTo(latin);
    }

    @Test
    void paxOverridesAndTimesWithFractions() throws Exception {
        var entry = only(new TestTar().add(TestTar.file("x", "").pax("path", "real/name").pax("uid", "70000")
                .pax("gid", "2147483647").pax("mtime", "-1.25")));
        assertThat(entry.name()).isEqualTo("real/name");
        assertThat(entry.uid()).isEqualTo(70_000);
        assertThat(entry.gid()).isEqualTo(2_147_483_647);
        assertThat(entry.mtimeSeconds()).isEqualTo(-2);
        assertThat(entry.mtimeNanos()).isEqualTo(750_000_000);
    }

    @ParameterizedTest
    @ValueSource(strings = {"gnu", "pax", "ustar", "v7"})
    void readsWhatGnuTarWrites(String format) throws Exception {
        Path tree = Files.createDirectories(directory.resolve("tree"));
        Files.writeString(tree.resolve("plain"), "text");
        String longName = format.equals("gnu") || format.equals("pax") ? "n".repeat(200) : "n".repeat(60);
        Files.writeString(tree.resolve(longName), "long");
        Files.createSymbolicLink(tree.resolve("link"), Path.of(longName));
        Files.createLink(tree.resolve("other"), tree.resolve("plain"));
        run("tar", "--format=" + format, "--sort=name", "-C", directory.toString(), "-cf",
                directory.resolve("t.tar").toString(), "tree");
        var seen = new ArrayList<String>();
        var reader = reader(Files.readAllBytes(directory.resolve("t.tar")));
        for (var entry = reader.next(); entry != null; entry = reader.next()) {
            seen.add(entry.type() + " " + entry.name() + " " + entry.linkName() + " "
                    + new String(reader.data().readAllBytes()));
        }
        assertThat(seen).containsExactlyInAnyOrder("DIRECTORY tree/  ", "SYMLINK tree/link " + longName + " ",
                "FILE tree/" + longName + "  long", "FILE tree/other  text", "HARD_LINK tree/plain tree/other ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"gnu", "0.0", "0.1", "1.0"})
    void readsTheHolesThatGnuTarKeeps(String form) throws Exception {
        Path sparse = directory.resolve("sparse");
        try (var file = new java.io.RandomAccessFile(sparse.toFile(), "rw")) {
            for (int i = 0; i < 30; i++) { // more ranges than one header holds
                file.seek(i * 1_000_000L);
                file.write(("piece " + i).getBytes());
            }
            file.setLength(5L << 30);
        }
        var command = new ArrayList<>(List.of("tar", "-S", "-C", directory.toString(), "-cf",
                directory.resolve("t.tar").toString()));
        command.addAll(form.equals("gnu") ? List.of("--format=gnu")
                : List.of("--format=pax", "--sparse-version=" + form));
        command.add("sparse");
        run(command.toArray(String[]::new));
        var reader = reader(Files.readAllBytes(directory.resolve("t.tar")));
        var entry = first(reader);
        assertThat(entry.name()).isEqualTo("sparse");
        assertThat(entry.size()).isEqualTo(5L << 30);
        assertThat(entry.storedBytes()).isLessThan(1 << 20);
        byte[] stored = reader.data().readAllBytes();
        assertThat(stored).hasSize((int) entry.storedBytes());
        int at = 0;
        int pieces = 0;
        for (Extent extent : entry.extents()) {
            for (int i = 0; i < 30; i++) {
                long offset = i * 1_000_000L - extent.offset();
                if (offset >= 0 && offset < extent.length()) {
                    String piece = "piece " + i;
                    assertThat(new String(stored, at + (int) offset, piece.length())).isEqualTo(piece);
                    pieces++;
                }
            }
            at += (int) extent.length();
        }
        assertThat(pieces).isEqualTo(30);
        assertThat(reader.next()).isNull();
    }

    @Test
    void agreesWithCommonsCompress() throws Exception {
        var out = new ByteArrayOutputStream();
        try (var tar = new TarArchiveOutputStream(out, "UTF-8")) {
            tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
            tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
            tar.setAddPaxHeadersForNonAsciiNames(true);
            for (String name : List.of("plain", "ünïcode", "l/".repeat(120) + "f")) {
                var entry = new TarArchiveEntry(name);
                entry.setSize(name.length());
                entry.setUserId(1_000_000_000L);
                tar.putArchiveEntry(entry);
                tar.write(new byte[name.length()]);
                tar.closeArchiveEntry();
            }
        }
        var reader = reader(out.toByteArray());
        for (String name : List.of("plain", "ünïcode", "l/".repeat(120) + "f")) {
            var entry = first(reader);
            assertThat(entry.name()).isEqualTo(name);
            assertThat(entry.size()).isEqualTo(name.length());
            assertThat(entry.uid()).isEqualTo(1_000_000_000L);
        }
        assertThat(reader.next()).isNull();
    }

    @Test
    void negativeAndOverlongSizesAreRefused() {
        byte[] tar = new TestTar().add(TestTar.file("f", "abc")).bytes();
        TestTar.number(tar, 124, 12, -1);
        TestTar.checksum(tar);
        assertThatThrownBy(() -> reader(tar).next()).isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("negative size");
        byte[] huge = new TestTar().add(TestTar.file("f", "abc")).bytes();
        java.util.Arrays.fill(huge, 124, 136, (byte) 0x7F);
        huge[124] = (byte) 0xBF;
        TestTar.checksum(huge);
        assertThatThrownBy(() -> reader(huge).next()).hasMessageContaining("63 bits");
        assertThatThrownBy(() -> reader(new TestTar().add(TestTar.file("f", "").pax("size", "-3")).bytes()).next())
                .hasMessageContaining("not decimal");
        assertThatThrownBy(() -> reader(new TestTar().add(TestTar.file("f", "").pax("size", "9".repeat(30))).bytes())
                .next()).hasMessageContaining("30 digits");
        var overlong = reader(new TestTar().add(TestTar.file("f", "abc").claims(1L << 40)).bytes());
        assertThatThrownBy(() -> {
            overlong.next();
            overlong.next();
        }).isInstanceOf(EOFException.class);
    }

    @Test
    void ownersAbove31BitsAreRefused() {
        for (String id : List.of("2147483648", "4294967295", "999999999999")) {
            assertThatThrownBy(() -> reader(new TestTar().add(TestTar.file("f", "").pax("uid", id)).bytes()).next())
                    .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("owner " + id);
        }
        assertThatThrownBy(() -> reader(new TestTar().add(TestTar.file("f", "").owner(0, 1L << 31)).bytes()).next())
                .hasMessageContaining("owner");
    }

    @Test
    void headersWithoutEndAreRefused() {
        byte[] big = new byte[1 << 20];
        java.util.Arrays.fill(big, (byte) 'a');
        assertThatThrownBy(() -> reader(new TestTar().add(TestTar.special("l", 'L', big)).bytes()).next())
                .hasMessageContaining("bytes of headers");
        var many = new TestTar();
        for (int i = 0; i < 3000; i++) {
            many.add(TestTar.special("x", 'x', TestTar.record("comment", new byte[1])));
        }
        assertThatThrownBy(() -> reader(many.bytes()).next()).hasMessageContaining("bytes of headers");
    }

    @ParameterizedTest
    @ValueSource(strings = {"5 a=b\n", "6 a=bc", "99 a=b\n", "x a=b\n", "7 ab=\n", "0 a=b\n", "6 a\0=b\n"})
    void malformedPaxRecordsAreRefusedOrKeepTheirLength(String records) {
        byte[] tar = new TestTar().add(TestTar.special("x", 'x', records.getBytes())).add(TestTar.file("f", ""))
                .bytes();
        try {
            first(reader(tar));
            assertThat(records).isEqualTo("7 ab=\n"); // an empty value is the one that is none of these
        } catch (EngineException.Invalid e) {
            assertThat(e).hasMessageContaining("pax");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void namesWithNulAndUnknownTypesAreRefused() {
        assertThatThrownBy(() -> reader(new TestTar().add(TestTar.file("f", "").pax("path", "a\0b")).bytes()).next())
                .hasMessageContaining("NUL");
        assertThatThrownBy(() -> reader(new TestTar().add(TestTar.special("f", 'M')).bytes()).next())
                .hasMessage("unhandled tar header type 77");
    }

    @Test
    void truncationAndDamageAreNoticed() {
        byte[] tar = new TestTar().add(TestTar.file("f", "content")).bytes();
        for (int length : new int[] {1, 511, 513, 600}) {
            assertThatThrownBy(() -> {
                var reader = reader(java.util.Arrays.copyOf(tar, length));
                reader.next();
                reader.next();
            }).as("cut at %d", length).isInstanceOf(EOFException.class);
        }
        tar[0] ^= 1;
        assertThatThrownBy(() -> reader(tar).next()).hasMessageContaining("checksum");
    }

    @Test
    void anyBytesAreReadOrRefused() {
        long seed = Long.getLong("seed", 1L);
        var random = new Random(seed);
        byte[] good = new TestTar().add(TestTar.directory("d")).add(TestTar.file("d/f", "x".repeat(700))
                .xattr("user.a", (byte) 1).pax("mtime", "1.5")).add(TestTar.symlink("l", "y".repeat(150)))
                .add(TestTar.file("s", "").pax("GNU.sparse.major", "1").pax("GNU.sparse.realsize", "0")).bytes();
        for (int i = 0; i < 40_000; i++) {
            byte[] tar = good.clone();
            for (int flips = 1 + random.nextInt(6); flips > 0; flips--) {
                tar[random.nextInt(tar.length)] = (byte) random.nextInt(256);
            }
            for (int at = 0; at + 512 <= tar.length && random.nextBoolean(); at += 512) {
                byte[] header = java.util.Arrays.copyOfRange(tar, at, at + 512);
                TestTar.checksum(header);
                System.arraycopy(header, 148, tar, at + 148, 8);
            }
            try {
                var reader = reader(tar);
                int members = 0;
                for (var entry = reader.next(); entry != null; entry = reader.next()) {
                    assertThat(entry.storedBytes()).as("seed %d", seed).isNotNegative();
                    assertThat(++members).isLessThan(100);
                }
            } catch (EngineException.Invalid | EOFException e) {
                assertThat(e.getMessage()).isNotBlank();
            } catch (IOException e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
    }

    private static void run(String... command) throws Exception {
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).as(output).isZero();
    }
}
