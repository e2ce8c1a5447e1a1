package carafe.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.Descriptors;
import carafe.kernel.Fd;
import carafe.kernel.FileTree;
import carafe.kernel.FileType;
import carafe.kernel.Inodes;
import carafe.kernel.Linux;
import carafe.kernel.Overlay;
import carafe.spec.oci.Digest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What every [LayerStore] does. A store is seen through [LayerStore#lower] only, as an overlay sees it.
abstract class LayerStoreContract {

    @TempDir
    Path directory;

    private final UnpackedLayer.Form form;
    private @Nullable UnpackedLayer store;

    LayerStoreContract(UnpackedLayer.Form form) {
        this.form = form;
    }

    @BeforeEach
    void open() throws Exception {
        store = new UnpackedLayer(directory.resolve("layers"), form);
    }

    @AfterEach
    void close() {
        opened().close();
    }

    private UnpackedLayer opened() {
        return Objects.requireNonNull(store);
    }

    /// The store under test, empty, in [#directory].
    private LayerStore store() {
        return opened().layers;
    }

    /// True when the store keeps nothing of layers that were dropped or removed.
    private boolean isClean() throws Exception {
        return opened().isClean();
    }

    @Test
    void whatACrashLeftIsSweptAtTheNextStart() throws Exception {
        store().stage(new ByteArrayInputStream(new TestTar().add(TestTar.file("f", "x")).bytes()));
        assertThat(Files.list(directory.resolve("layers/tmp"))).hasSize(1);
        try (var next = new UnpackedLayer(directory.resolve("layers"), form)) {
            assertThat(next.isClean()).isTrue();
            assertThat(next.layers.list()).isEmpty();
        }
    }

    @Test
    void onlyTheOwnerMayLookIntoTheStore() throws Exception {
        assertThat(Files.getAttribute(directory.resolve("layers"), "unix:mode")).isEqualTo(040700);
    }

    @Test
    void theTarComesBackByteForByte() throws Exception {
        byte[] tar = new TestTar().add(TestTar.file("f", "x".repeat(700_000))).add(TestTar.directory("d")).bytes();
        byte[] padded = java.util.Arrays.copyOf(tar, tar.length + 9000);
        padded[padded.length - 1] = 7; // whatever is behind the end belongs to it
        unpack(TestImage.gzip(padded));
        try (var in = store().tar(Digest.sha256(padded))) {
            assertThat(in.readAllBytes()).isEqualTo(padded);
        }
        assertThatThrownBy(() -> store().tar(Digest.sha256(tar))).isInstanceOf(IOException.class);
    }

    @Test
    void directoriesOfAnySizeAndNamesInAnyOrderAreWhole() throws Exception {
        var names = new java.util.TreeSet<String>();
        for (int i = 0; i < 1200; i++) {
            names.add("n" + i * 7919 % 3001 + "x".repeat(i % 200));
        }
        names.addAll(List.of("!", "-", ".!", "..!", "...", ".a", "z".repeat(255), "\u00e9"));
        var tar = new TestTar().add(TestTar.directory("big"));
        names.forEach(name -> tar.add(TestTar.file("big/" + name, name)));
        Path files = unpack(tar);
        try (var tree = FileTree.open(files)) {
            assertThat(tree.list("big")).extracting(entry -> entry.name()).containsExactlyInAnyOrderElementsOf(names);
            for (String name : names) {
                assertThat(new String(tree.readFile("big/" + name, 1000))).isEqualTo(name);
            }
            assertThat(tree.find("big/missing")).isEmpty();
        }
    }

    @Test
    void linksDevicesAndDirectoriesAreCounted() throws Exception {
        String far = "t/".repeat(1000);
        Path files = unpack(new TestTar().add(TestTar.directory("d")).add(TestTar.directory("d/e"))
                .add(TestTar.file("a", "x")).add(TestTar.hardLink("b", "a")).add(TestTar.hardLink("d/c", "b"))
                .add(TestTar.symlink("far", far)).add(TestTar.special("tty", '3').device(4, 300).mode(0620))
                .add(TestTar.special("pipe", '6')));
        assertThat(attribute(files.resolve("a"), "nlink")).isEqualTo(3);
        assertThat(attribute(files.resolve("d"), "nlink")).isEqualTo(3);
        try (var tree = FileTree.open(files)) {
            assertThat(tree.readLink("far")).isEqualTo(far);
        }
        assertThat(attribute(files.resolve("tty"), "rdev")).isEqualTo(4L << 8 | 300 & 0xFF | (300L & ~0xFF) << 12);
        assertThat(attribute(files.resolve("pipe"), "mode")).isEqualTo(010644);
    }

    @Test
    void aclsAndSharedAttributesAreReadBack() throws Exception {
        byte[] acl = {2, 0, 0, 0, 1, 0, 6, 0, -1, -1, -1, -1, 2, 0, 4, 0, 5, 0, 0, 0, 4, 0, 4, 0, -1, -1, -1, -1,
            16, 0, 4, 0, -1, -1, -1, -1, 32, 0, 4, 0, -1, -1, -1, -1};
        var tar = new TestTar().add(TestTar.directory("d").xattr("system.posix_acl_default", acl));
        for (int i = 0; i < 20; i++) {
            tar.add(TestTar.file("f" + i, "x").xattr("system.posix_acl_access", acl).xattr("user.n", (byte) i)
                    .xattr("user.long", new byte[1500]));
        }
        Path files = unpack(tar);
        try (var tree = FileTree.open(files); var d = tree.directory("d")) {
            assertThat(Inodes.xattr(d.fd(), "system.posix_acl_default").orElseThrow()).isEqualTo(acl);
            for (int i = 0; i < 20; i++) {
                try (var file = tree.openRegular("f" + i, 0)) {
                    assertThat(Inodes.xattr(file, "system.posix_acl_access").orElseThrow()).isEqualTo(acl);
                    assertThat(Inodes.xattr(file, "user.n").orElseThrow()).containsExactly(i);
                    assertThat(Inodes.xattr(file, "user.long").orElseThrow()).isEqualTo(new byte[1500]);
                }
            }
        }
    }

    private Path unpack(byte[] blob) throws Exception {
        var staged = store().stage(new ByteArrayInputStream(blob));
        store().sync(List.of(staged));
        staged.commit();
        store().syncNames();
        return store().lower(staged.hashes().diffId());
    }

    private Path unpack(TestTar tar) throws Exception {
        return unpack(tar.bytes());
    }

    private static Object attribute(Path file, String name) throws IOException {
        return Files.getAttribute(file, "unix:" + name, LinkOption.NOFOLLOW_LINKS);
    }

    @Test
    void aLayerIsInvisibleUntilCommittedAndGoneWhenDropped() throws Exception {
        byte[] tar = new TestTar().add(TestTar.file("f", "x")).bytes();
        var diffId = Digest.sha256(tar);
        try (var staged = store().stage(new ByteArrayInputStream(tar))) {
            assertThat(staged.hashes().diffId()).isEqualTo(diffId);
            assertThat(store().has(diffId)).isFalse();
            assertThat(store().list()).isEmpty();
        }
        assertThat(store().has(diffId)).isFalse();
        assertThat(isClean()).isTrue();
        unpack(tar);
        assertThat(store().list()).containsExactly(diffId);
        assertThat(store().sizes(diffId)).isEqualTo(new LayerStore.Sizes(1, tar.length));
        unpack(tar); // the same again changes nothing
        assertThat(store().list()).containsExactly(diffId);
        store().remove(diffId);
        store().remove(diffId);
        assertThat(store().has(diffId)).isFalse();
        assertThat(isClean()).isTrue();
        assertThatThrownBy(() -> store().sizes(diffId)).isInstanceOf(IOException.class).hasMessageContaining("missing");
    }

    @Test
    void aLayerThatIsNotHereIsToldFromOneThatCannotBeRead() throws Exception {
        byte[] tar = new TestTar().add(TestTar.file("f", "x")).bytes();
        unpack(tar);
        var gone = Digest.sha256(tar);
        store().remove(gone);
        assertThatThrownBy(() -> store().sizes(gone)).isInstanceOf(NoSuchFileException.class)
                .hasMessageMatching("layer (sha256:)?" + gone.hex() + " is missing");
        assertThatThrownBy(() -> store().tar(gone)).isInstanceOf(NoSuchFileException.class);
        assertThat(store().fault(gone)).hasValue("it is missing");
    }

    @Test
    void theSameTarInAnyCompressionIsTheSameLayer() throws Exception {
        byte[] tar = new TestTar().add(TestTar.file("f", "x".repeat(10_000))).bytes();
        byte[] gzip = TestImage.gzip(tar);
        byte[] zstd = com.github.luben.zstd.Zstd.compress(tar);
        for (byte[] blob : new byte[][] {tar, gzip, zstd}) {
            try (var staged = store().stage(new ByteArrayInputStream(blob))) {
                assertThat(staged.hashes().diffId()).isEqualTo(Digest.sha256(tar));
                assertThat(staged.hashes().blob()).isEqualTo(Digest.sha256(blob));
                assertThat(staged.hashes().blobBytes()).isEqualTo(blob.length);
                assertThat(staged.hashes().plainBytes()).isEqualTo(tar.length);
            }
        }
    }

    @Test
    void paddingBehindTheArchiveBelongsToTheDigest() throws Exception {
        byte[] padded = java.util.Arrays.copyOf(new TestTar().add(TestTar.file("f", "x")).bytes(), 10_240);
        try (var staged = store().stage(new ByteArrayInputStream(padded))) {
            assertThat(staged.hashes().diffId()).isEqualTo(Digest.sha256(padded));
        }
        for (byte[] empty : new byte[][] {{}, new byte[1024], new byte[10_240]}) {
            try (var staged = store().stage(new ByteArrayInputStream(empty))) {
                assertThat(staged.hashes().diffId()).isEqualTo(Digest.sha256(empty));
            }
        }
    }

    @Test
    void modesOwnersAndTimesAreKept() throws Exception {
        Path files = unpack(new TestTar()
                .add(TestTar.directory("./").mode(0751).owner(3, 4).mtime(1000))
                .add(TestTar.directory("sgid").mode(02775).owner(0, 50).mtime(2000))
                .add(TestTar.file("sgid/plain", "x").mode(0640))
                .add(TestTar.file("suid", "x").mode(04755).owner(1000, 1001).mtime(-3000))
                .add(TestTar.directory("sticky").mode(01777))
                .add(TestTar.symlink("link", "nowhere").owner(7, 8).mtime(4000))
                .add(TestTar.file("nanos", "").pax("mtime", "5000.123456789"))
                .add(TestTar.file("sgid/later", "x")));
        assertThat(attribute(files.resolve("."), "mode")).isEqualTo(040751);
        assertThat(attribute(files.resolve("."), "uid")).isEqualTo(3);
        assertThat(Files.getLastModifiedTime(files)).isEqualTo(FileTime.fromMillis(1_000_000));
        assertThat(attribute(files.resolve("sgid"), "mode")).isEqualTo(042775);
        assertThat(Files.getLastModifiedTime(files.resolve("sgid"))).isEqualTo(FileTime.fromMillis(2_000_000));
        assertThat(attribute(files.resolve("sgid/plain"), "gid")).isEqualTo(0);
        assertThat(attribute(files.resolve("suid"), "mode")).isEqualTo(0104755);
        assertThat(attribute(files.resolve("suid"), "uid")).isEqualTo(1000);
        assertThat(Files.getLastModifiedTime(files.resolve("suid"))).isEqualTo(FileTime.fromMillis(-3_000_000));
        assertThat(attribute(files.resolve("sticky"), "mode")).isEqualTo(041777);
        assertThat(attribute(files.resolve("link"), "uid")).isEqualTo(7);
        assertThat(Files.getLastModifiedTime(files.resolve("link"), LinkOption.NOFOLLOW_LINKS))
                .isEqualTo(FileTime.fromMillis(4_000_000));
        assertThat(Files.getLastModifiedTime(files.resolve("nanos")).toInstant())
                .isEqualTo(Instant.ofEpochSecond(5000, 123_456_789));
    }

    @Test
    void directoriesThatNobodyListedAreMade() throws Exception {
        Path files = unpack(new TestTar().add(TestTar.file("a/b/c", "x")).add(TestTar.directory("a").mode(0700)));
        assertThat(Files.getPosixFilePermissions(files.resolve("a/b")))
                .isEqualTo(PosixFilePermissions.fromString("rwxr-xr-x"));
        assertThat(Files.getPosixFilePermissions(files.resolve("a")))
                .isEqualTo(PosixFilePermissions.fromString("rwx------"));
        assertThat(Files.getPosixFilePermissions(files)).isEqualTo(PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @Test
    void capabilitiesAndAclsKeepEveryByte() throws Exception {
        byte[] setuid = {1, 0, 0, 2, (byte) 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
        Path files = unpack(new TestTar().add(TestTar.file("newuidmap", "x").mode(0755).owner(9, 9)
                .xattr("security.capability", setuid).xattr("user.note", (byte) 0xFF, (byte) 0)));
        try (var tree = FileTree.open(files); var file = tree.openRegular("newuidmap", 0)) {
            assertThat(Inodes.xattr(file, "security.capability").orElseThrow()).isEqualTo(setuid);
            assertThat(Inodes.xattr(file, "user.note").orElseThrow()).containsExactly(0xFF, 0);
        }
    }

    @Test
    void hardLinksShareTheirFile() throws Exception {
        Path files = unpack(new TestTar().add(TestTar.file("a", "x")).add(TestTar.directory("d"))
                .add(TestTar.hardLink("d/b", "a")).add(TestTar.hardLink("a", "./a")));
        assertThat(attribute(files.resolve("a"), "ino")).isEqualTo(attribute(files.resolve("d/b"), "ino"));
    }

    @Test
    void namesThatAreNoTextSurvive() throws Exception {
        byte[] latin = {'n', (byte) 0xE9};
        Path files = unpack(new TestTar().add(TestTar.file("x", "kept").pax("path", latin)));
        try (var tree = FileTree.open(files)) {
            assertThat(tree.list("/")).extracting(entry -> carafe.kernel.NativeText.encode(entry.name()))
                    .containsExactly(latin);
        }
    }

    @Test
    void anOverlayOfLayersShowsWhatTheImageMeans() throws Exception {
        Path base = unpack(new TestTar()
                .add(TestTar.file("gone", "x")).add(TestTar.file("dir/hidden", "x")).add(TestTar.file("dir/kept", "x"))
                .add(TestTar.file("opaque/old", "x")).add(TestTar.file("replaced/old", "x"))
                .add(TestTar.file("late/old", "x")).add(TestTar.file("stays", "x")));
        Path top = unpack(new TestTar()
                .add(TestTar.file(".wh.gone", "")).add(TestTar.file("dir/.wh.hidden", ""))
                .add(TestTar.directory("opaque")).add(TestTar.file("opaque/.wh..wh..opq", ""))
                .add(TestTar.file("opaque/new", "x"))
                .add(TestTar.file(".wh.replaced", "")).add(TestTar.directory("replaced"))
                .add(TestTar.file("replaced/new", "x"))
                .add(TestTar.directory("late")).add(TestTar.file("late/new", "x")).add(TestTar.file(".wh.late", ""))
                .add(TestTar.file("new", "x")).add(TestTar.file(".wh.new", ""))
                .add(TestTar.file(".wh..wh.plnk/1.2", "book-keeping")).add(TestTar.file(".wh.nothing", "")));
        try (var topFd = opened(top); var baseFd = opened(base);
                var mount = new Overlay(List.of(topFd, baseFd), Optional.empty(), false).mount(0);
                var tree = FileTree.adopt(mount.duplicate())) {
            var seen = new java.util.TreeSet<String>();
            collect(tree, "", seen);
            assertThat(seen).containsExactly("dir/kept", "late/new", "new", "opaque/new", "replaced/new", "stays");
        }
    }

    private static Fd opened(Path path) throws Exception {
        return Descriptors.open(path, Linux.O_PATH | Linux.O_DIRECTORY, 0);
    }

    private static void collect(FileTree tree, String at, java.util.Set<String> files) throws Exception {
        for (var entry : tree.list("/" + at)) {
            String path = at.isEmpty() ? entry.name() : at + "/" + entry.name();
            if (entry.type() == FileType.DIRECTORY) {
                collect(tree, path, files);
            } else {
                files.add(path);
            }
        }
    }
    @Test
    void aFailingSourceIsNotTheArchivesFault() throws Exception {
        byte[] tar = new TestTar().add(TestTar.file("f", "x".repeat(2000))).bytes();
        var failing = new InputStream() {
            private int at;

            @Override
            public int read() throws IOException {
                if (at == 1000) {
                    throw new IOException("connection reset");
                }
                return tar[at++] & 0xFF;
            }
        };
        assertThatThrownBy(() -> store().stage(failing)).isInstanceOf(IOException.class).hasMessage("connection reset");
        assertThat(isClean()).isTrue();
    }
}
