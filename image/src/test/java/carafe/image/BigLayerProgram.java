package carafe.image;

import carafe.spec.Json;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import carafe.spec.oci.RunConfig;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/// Takes an image with one large layer through load, save, push, pull and check, in a JVM whose heap its starter chose:
/// `BigLayerProgram DIRECTORY BYTES`.
final class BigLayerProgram {

    private static final String NAME = "docker.io/library/big:1";

    private final Path root;
    private final long bytes;

    private BigLayerProgram(Path root, long bytes) {
        this.root = root;
        this.bytes = bytes;
    }

    public static void main(String[] arguments) throws Exception {
        new BigLayerProgram(Path.of(arguments[0]), Long.parseLong(arguments[1])).run();
    }

    private void run() throws Exception {
        var diffId = digest(layer());
        byte[] config = new ImageConfig(Platform.host(), Optional.empty(), "", "", "", RunConfig.EMPTY, List.of(diffId),
                List.of()).toJson().printBytes();
        Path pushed = root.resolve("pushed");
        try (var images = Images.open(root)) {
            images.load(archive(config, diffId), LoadProgress.SILENT);
            try (var saved = images.save(List.of(NAME), Optional.empty())) {
                saved.write(OutputStream.nullOutputStream());
            }
            Descriptor blob;
            try (var outgoing = images.outgoing(NAME); var out = Files.newOutputStream(pushed)) {
                blob = outgoing.images().getFirst().layers().getFirst().write(out);
            }
            images.remove(NAME, false, ImageUsers.NONE);
            images.sweep(Instant.now());
            images.awaitDeletion();
            try (var intake = images.intake()) {
                intake.layer(new Intake.Layer(blob, diffId, "far.example/big"), () -> Files.newInputStream(pushed));
                byte[] manifest = Manifest.of(Descriptor.of(MediaTypes.OCI_CONFIG, config), List.of(blob)).toJson()
                        .printBytes();
                intake.commit(config, manifest, List.of(Reference.parse(NAME)), Optional.empty());
            }
            var problems = images.check(ImageCheck.Sources.NONE).problems();
            System.out.println(images.find(NAME).size() + " bytes, " + problems.size() + " problems, "
                    + (Runtime.getRuntime().maxMemory() >> 20) + " MiB of heap");
        }
    }

    /// A tar with one file, which deflate cannot make smaller.
    private InputStream layer() {
        byte[] piece = new byte[1 << 20];
        new Random(5).nextBytes(piece);
        var content = new InputStream() {
            private long at;

            @Override
            public int read() {
                return at == bytes ? -1 : piece[(int) (at++ % piece.length)] & 0xFF;
            }

            @Override
            public int read(byte[] to, int offset, int length) {
                int from = (int) (at % piece.length);
                int count = (int) Math.min(Math.min(length, piece.length - from), bytes - at);
                System.arraycopy(piece, from, to, offset, count);
                at += count;
                return count == 0 && length > 0 ? -1 : count;
            }
        };
        return member("big", content, bytes, new byte[1024]);
    }

    private InputStream archive(byte[] config, Digest diffId) {
        byte[] rest = new TestTar().add(TestTar.file("config.json", config)).add(TestTar.file("manifest.json", Json.ofAll(
                List.of(Json.object().put("Config", "config.json").put("RepoTags", Json.ofTexts(List.of("big:1")))
                        .put("Layers", Json.ofTexts(List.of(diffId.hex() + "/layer.tar"))).build())).printBytes())).bytes();
        return member(diffId.hex() + "/layer.tar", layer(), 512 + bytes + 1024, rest);
    }

    /// A member of a tar and what follows it. `size` is a multiple of 512.
    private static InputStream member(String name, InputStream content, long size, byte[] rest) {
        byte[] header = new TestTar().add(TestTar.file(name, new byte[0]).claims(size)).unfinished();
        return new SequenceInputStream(Collections.enumeration(List.of(new ByteArrayInputStream(header), content,
                new ByteArrayInputStream(rest))));
    }

    private static Digest digest(InputStream in) throws IOException {
        var hasher = Digest.Algorithm.SHA256.hasher();
        byte[] buffer = new byte[1 << 16];
        for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
            hasher.update(buffer, 0, count);
        }
        return Digest.finish(Digest.Algorithm.SHA256, hasher.digest());
    }
}
