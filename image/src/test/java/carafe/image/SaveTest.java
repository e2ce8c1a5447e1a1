package carafe.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.FileTree;
import carafe.kernel.FileType;
import carafe.kernel.Inodes;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.build.BlobForm;
import carafe.spec.build.BlobForm.Compression;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.Reference;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Images and containers' files on their way out as tars.
class SaveTest {

    private static final byte[] BASE = new TestTar().add(TestTar.file("base", "b".repeat(3000)))
            .add(TestTar.directory("dir")).add(TestTar.file("dir/gone", "x")).add(TestTar.file("dir/kept", "x")).bytes();
    private static final byte[] TOP = new TestTar().add(TestTar.file("top", "t")).bytes();

    @TempDir
    private Path root;
    private Images images;

    @BeforeEach
    void open() throws Exception {
        images = Images.open(root.resolve("one"));
        images.load(new ByteArrayInputStream(TestImage.dockerArchive(List.of(
                TestImage.of("docker.io/library/app:1", BASE, TOP), TestImage.of("reg.example.com/x/app:2", BASE)))),
                LoadProgress.SILENT);
    }

    @AfterEach
    void close() throws Exception {
        images.awaitDeletion();
        images.close();
    }

    private byte[] save(String... names) throws Exception {
        var out = new ByteArrayOutputStream();
        try (var archive = images.save(List.of(names), Optional.empty())) {
            archive.write(out);
        }
        return out.toByteArray();
    }

    private static HashMap<String, byte[]> members(byte[] tar) throws Exception {
        var members = new HashMap<String, byte[]>();
        try (var in = new TarArchiveInputStream(new ByteArrayInputStream(tar))) {
            for (var entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
                assertThat(members.put(entry.getName(), in.readAllBytes())).as(entry.getName()).isNull();
            }
        }
        return members;
    }

    private static byte[] member(Map<String, byte[]> members, String name) {
        return Objects.requireNonNull(members.get(name), name);
    }

    @Test
    void anArchiveKeepsIdsNamesAndLayersInBothForms() throws Exception {
        byte[] archive = save("app:1", "reg.example.com/x/app", "app:1");
        var members = members(archive);
        assertThat(members).containsKeys("index.json", "manifest.json", "oci-layout", "repositories",
                "blobs/sha256/" + Digest.sha256(BASE).hex(), "blobs/sha256/" + images.find("app:1").id().hex());
        assertThat(Json.parseObject(member(members, "index.json")).objects("manifests")).hasSize(2);
        var docker = (Json.Arr) Json.parse(member(members, "manifest.json"));
        assertThat(((Json.Obj) docker.elements().getFirst()).texts("RepoTags")).containsExactly("app:1");
        assertThat(save("app:1", "reg.example.com/x/app")).isEqualTo(archive);
        byte[] dockerOnly = without(archive, "oci-layout");
        for (byte[] form : List.of(archive, dockerOnly)) {
            Path fresh = Files.createTempDirectory(root, "fresh");
            try (var other = Images.open(fresh)) {
                other.load(new ByteArrayInputStream(form), LoadProgress.SILENT);
                assertThat(other.list()).hasSize(2);
                for (String name : List.of("app:1", "reg.example.com/x/app:2")) {
                    assertThat(other.find(name).id()).isEqualTo(images.find(name).id());
                    assertThat(other.find(name).config()).isEqualTo(images.find(name).config());
                }
            }
        }
    }

    /// The archive with one of its members renamed, so that it is not seen.
    private static byte[] without(byte[] archive, String name) throws Exception {
        var members = members(archive);
        members.remove(name);
        var out = new ByteArrayOutputStream();
        var tar = new TarWriter(out);
        for (var member : members.entrySet()) {
            tar.file(member.getKey(), 0644, member.getValue());
        }
        tar.finish();
        return out.toByteArray();
    }

    /// The archive in a form, and the one manifest in it.
    private record Formed(HashMap<String, byte[]> members, Json.Obj entry, Manifest manifest, byte[] bytes) {}

    private Formed formed(BlobForm form) throws Exception {
        var id = images.find("app:1").id();
        var out = new ByteArrayOutputStream();
        var made = new MadeArchive(List.of(id), Optional.empty(), List.of(Reference.parse("made:1")), Map.of(), Map.of(), form);
        Descriptor only;
        try (var archive = images.departures().save(made)) {
            only = archive.only();
            archive.write(out);
        }
        try (var left = Files.list(root.resolve("one/content/early"))) {
            assertThat(left).isEmpty();
        }
        var members = members(out.toByteArray());
        var entry = Json.parseObject(member(members, "index.json")).objects("manifests").getFirst();
        assertThat(entry.text("digest")).isEqualTo(only.digest().toString());
        var manifest = Manifest.parse(member(members, "blobs/sha256/" + only.digest().hex()));
        for (var layer : manifest.layers()) {
            byte[] blob = member(members, "blobs/sha256/" + layer.digest().hex());
            assertThat(layer).isEqualTo(Descriptor.of(layer.mediaType(), blob));
        }
        return new Formed(members, entry, manifest, out.toByteArray());
    }

    @Test
    void layersOfAnArchiveHaveTheFormThatIsAskedFor() throws Exception {
        var pushed = new ArrayList<Digest>();
        try (var outgoing = images.outgoing("app:1")) {
            for (var layer : outgoing.images().getFirst().layers()) {
                pushed.add(layer.write(OutputStream.nullOutputStream()).digest());
            }
        }
        var none = OptionalInt.empty();
        var forms = List.of(BlobForm.PLAIN, new BlobForm(Compression.GZIP, none, false),
                new BlobForm(Compression.GZIP, OptionalInt.of(1), false), new BlobForm(Compression.GZIP, OptionalInt.of(9), true),
                new BlobForm(Compression.ZSTD, none, false), new BlobForm(Compression.ZSTD, OptionalInt.of(19), false),
                new BlobForm(Compression.UNCOMPRESSED, none, true), new BlobForm(Compression.GZIP, OptionalInt.of(0), false));
        var all = new ArrayList<List<Digest>>();
        for (var form : forms) {
            var made = formed(form);
            assertThat(made.bytes).as("%s again", form).isEqualTo(formed(form).bytes);
            assertThat(made.manifest.layers()).extracting(Descriptor::mediaType).as("%s", form).containsOnly(form.layerType());
            assertThat(made.manifest.mediaType()).isEqualTo(form.manifestType());
            assertThat(made.manifest.config().mediaType()).isEqualTo(form.configType());
            assertThat(made.entry.text("mediaType")).isEqualTo(form.manifestType());
            all.add(made.manifest.layers().stream().map(Descriptor::digest).toList());
            for (byte[] archive : List.of(made.bytes, without(made.bytes, "oci-layout"))) {
                try (var other = Images.open(Files.createTempDirectory(root, "fresh"))) {
                    other.load(new ByteArrayInputStream(archive), LoadProgress.SILENT);
                    assertThat(other.find("made:1").id()).as("%s", form).isEqualTo(images.find("app:1").id());
                }
            }
        }
        assertThat(all.getFirst()).containsExactly(Digest.sha256(BASE), Digest.sha256(TOP)).isEqualTo(all.get(6));
        assertThat(all.get(1)).isEqualTo(pushed).isEqualTo(all.get(2));
        assertThat(Set.copyOf(all)).as("what other levels make").hasSize(6);
    }

    @Test
    void anIdSavesNoNameAndARepositoryAllItsTags() throws Exception {
        images.tag("app:1", Reference.parse("app:3"));
        assertThat(Json.parseObject(member(members(save("app")), "index.json")).objects("manifests")).hasSize(2);
        var byId = (Json.Arr) Json.parse(member(members(save(images.find("app:1").id().hex())), "manifest.json"));
        assertThat(((Json.Obj) byId.elements().getFirst()).texts("RepoTags")).isEmpty();
        assertThatThrownBy(() -> save("nothing")).isInstanceOf(EngineException.NotFound.class)
                .hasMessage("No such image: nothing:latest");
    }

    @Test
    void aContainersChangesBecomeALayerThatHidesAndShowsTheSame() throws Exception {
        var snapshots = images.snapshots();
        var plan = snapshots.prepare("c1", images.find("app:1"));
        byte[] capability = {1, 0, 0, 2, (byte) 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
        try (var upper = FileTree.open(plan.upper()); var top = upper.directory("/")) {
            top.mkdir("dir", 0755);
            try (var dir = top.directory("dir")) {
                dir.mknod("gone", FileType.CHARACTER_DEVICE, 0, 0, 0);
            }
            top.mkdir("opaque", 0700);
            top.setXattr("opaque", "trusted.overlay.opaque", new byte[] {'y'});
            upper.writeFile("new", "n".repeat(70_000).getBytes(), 04755, 5, 70_000);
            upper.link("same", "new");
            top.setXattr("new", "security.capability", capability);
            top.setModified("new", 1000, 500_000_000);
            upper.symlink("link", "x".repeat(300));
            try (var sparse = top.create("sparse", 0600)) {
                carafe.kernel.FdStream.truncate(sparse, 100 << 20);
                carafe.kernel.FdStream.writeAt(sparse, 50 << 20, new byte[] {7}, 0, 1);
            }
        }
        var out = new ByteArrayOutputStream();
        snapshots.writeLayer("c1", out);
        assertThat(out.size()).isLessThan(200_000);
        assertThat(members(out.toByteArray())).containsKeys("dir/.wh.gone", "opaque/.wh..wh..opq");
        try (var intake = images.intake()) {
            var layer = intake.layer(new ByteArrayInputStream(out.toByteArray()));
            Path files = images.lower(layer.diffId());
            try (var tree = FileTree.open(files)) {
                assertThat(LayerWriter.isWhiteout(tree.lstat("dir/gone"))).isTrue();
                var file = tree.stat("new");
                assertThat(file.mode()).isEqualTo(04755);
                assertThat(file.gid()).isEqualTo(70_000);
                assertThat(file.links()).isEqualTo(2);
                assertThat(file.modifiedNanos()).isEqualTo(500_000_000);
                assertThat(tree.readLink("link")).hasSize(300);
                assertThat(tree.stat("sparse").sizeBytes()).isEqualTo(100 << 20);
                try (var opened = tree.openRegular("new", 0); var opaque = tree.directory("opaque")) {
                    assertThat(Inodes.xattr(opened, "security.capability").orElseThrow()).isEqualTo(capability);
                    assertThat(Inodes.xattr(opaque.fd(), "trusted.overlay.opaque")).isPresent();
                }
            }
        }
    }

    @Test
    void anExportShowsTheContainersRoot() throws Exception {
        var plan = images.snapshots().prepare("c1", images.find("app:1"));
        try (var upper = FileTree.open(plan.upper()); var top = upper.directory("/")) {
            top.mkdir("dir", 0755);
            try (var dir = top.directory("dir")) {
                dir.mknod("gone", FileType.CHARACTER_DEVICE, 0, 0, 0);
            }
            upper.writeFile("base", "changed".getBytes(), 0644, 0, 0);
        }
        var out = new ByteArrayOutputStream();
        images.snapshots().export("c1", out);
        var names = new ArrayList<>(members(out.toByteArray()).keySet());
        assertThat(names).containsExactlyInAnyOrder("base", "dir/", "dir/kept", "top", ".dockerenv", "dev/", "etc/",
                "etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf", "proc/", "sys/");
        assertThat(members(out.toByteArray()).get("base")).isEqualTo("changed".getBytes());
        assertThatThrownBy(() -> images.snapshots().export("c2", out)).isInstanceOf(EngineException.NotFound.class);
    }
}
