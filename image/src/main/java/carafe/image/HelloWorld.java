package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.History;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.Index;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Platform;
import carafe.spec.oci.RunConfig;
import carafe.spec.tar.TarHeader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The image `hello-world` that ships inside: one static program that says what it finds around itself. Made from the
/// program file at the daemon's start, the same bytes always giving the same id.
public final class HelloWorld {

    private static final String NAME = "hello-world:latest";
    private static final String MARK = "dev.carafe.built-in";
    private static final Instant CREATED = Instant.parse("2026-01-01T00:00:00Z");
    private static final int MAX_BYTES = 4 << 20;

    private final Manifest manifest;
    private final byte[] archive;

    private HelloWorld(byte[] program) {
        byte[] layer = new Tar().add("hello", 0755, program).end();
        var diffId = Digest.sha256(layer);
        var run = new RunConfig("", "/", List.of("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
                List.of(), List.of("/hello"), Set.of(), Set.of(), Map.of(MARK, "hello-world"), "", Optional.empty(),
                List.of(), List.of(), false);
        var history = List.of(
                new History(Optional.of(CREATED), "COPY hello / # carafe", "", "", false),
                new History(Optional.of(CREATED), "CMD [\"/hello\"]", "", "", true));
        byte[] config = new ImageConfig(Platform.host(), Optional.of(CREATED), "", "", "", run, List.of(diffId),
                history).toJson().printBytes();
        this.manifest = Manifest.of(Descriptor.of(MediaTypes.OCI_CONFIG, config),
                List.of(Descriptor.of(MediaTypes.OCI_LAYER, layer)));
        byte[] manifestBytes = manifest.toJson().printBytes();
        var entry = Descriptor.of(MediaTypes.OCI_MANIFEST, manifestBytes)
                .withAnnotations(Map.of("io.containerd.image.name", "docker.io/library/" + NAME));
        this.archive = new Tar()
                .add("blobs/sha256/" + diffId.hex(), 0644, layer)
                .add("blobs/sha256/" + Digest.sha256(config).hex(), 0644, config)
                .add("blobs/sha256/" + Digest.sha256(manifestBytes).hex(), 0644, manifestBytes)
                .add("index.json", 0644, Index.of(List.of(entry)).toJson().printBytes())
                .add("oci-layout", 0644, Json.object().put("imageLayoutVersion", "1.0.0").build().printBytes())
                .end();
    }

    /// Sees to it that `hello-world:latest` is the image of the program at `binary`, unless the user gave that name to
    /// an image of his own. Cheap when already so. Call once after [Images#open].
    /// @return the id of the image that `hello-world:latest` names now
    /// @throws EngineException.Unavailable there is no program at `binary`
    public static Digest ensure(Images images, Path binary) throws EngineException {
        var wanted = new HelloWorld(program(binary));
        try {
            var there = images.find(NAME);
            boolean ours = there.config().run().labels().containsKey(MARK);
            if (!ours || there.id().equals(wanted.manifest.config().digest())) {
                return there.id();
            }
        } catch (EngineException.NotFound e) {
            // the usual case of a first start
        }
        return images.load(new ByteArrayInputStream(wanted.archive), LoadProgress.SILENT).getFirst().id();
    }

    private static byte[] program(Path binary) throws EngineException {
        try (var in = Files.newInputStream(binary)) {
            byte[] program = in.readNBytes(MAX_BYTES + 1);
            if (program.length == 0 || program.length > MAX_BYTES) {
                throw new EngineException.Unavailable(binary + " is not the program of the image hello-world");
            }
            return program;
        } catch (NoSuchFileException e) {
            throw new EngineException.Unavailable("the program of the image hello-world is missing: " + binary, e);
        } catch (IOException e) {
            throw Failures.of("read " + binary, e);
        }
    }

    /// A small tar of regular files, owned by root and from the year 1970, so that its bytes depend on nothing else.
    private static final class Tar {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Tar add(String name, int mode, byte[] content) {
            byte[] header = new byte[TarHeader.BLOCK];
            put(header, 0, name);
            put(header, 100, "%07o".formatted(mode));
            put(header, 108, "0000000");
            put(header, 116, "0000000");
            put(header, 124, "%011o".formatted(content.length));
            put(header, 136, "00000000000");
            put(header, 148, "        ");
            put(header, 156, "0");
            put(header, 257, "ustar\0" + "00");
            int sum = 0;
            for (byte b : header) {
                sum += b & 0xFF;
            }
            put(header, 148, "%06o\0 ".formatted(sum));
            out.writeBytes(header);
            out.writeBytes(content);
            out.writeBytes(new byte[-content.length & (TarHeader.BLOCK - 1)]);
            return this;
        }

        private static void put(byte[] header, int at, String text) {
            byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
            System.arraycopy(bytes, 0, header, at, bytes.length);
        }

        byte[] end() {
            out.writeBytes(new byte[2 * TarHeader.BLOCK]);
            return out.toByteArray();
        }
    }
}
