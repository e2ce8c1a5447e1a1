package carafe.e2e;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.GZIPOutputStream;

/// Images of a static busybox, made here so that no registry is needed: as `docker save` wrote them for years (one
/// layer, applets as hard links, `busybox:latest`) and as an OCI layout (gzip, symbolic links, `busybox:oci`).
final class TestImages {

    private static final String CREATED = "2024-01-01T00:00:00Z";

    private TestImages() {}

    /// A docker-archive of `busybox:latest`.
    static Path dockerArchive(Path directory) throws IOException, InterruptedException {
        byte[] layer = layer(false);
        return dockerArchive(directory.resolve("busybox-docker.tar"), "busybox:latest", layer, config(layer));
    }

    /// A docker-archive of `other:1`, whose one layer no other image has.
    static Path otherArchive(Path directory) throws IOException, InterruptedException {
        byte[] layer = layer(true);
        return dockerArchive(directory.resolve("other-docker.tar"), "other:1", layer, config(layer));
    }

    /// A docker-archive of `busybox:volume`, whose /home is a volume.
    static Path withVolume(Path directory) throws IOException, InterruptedException {
        byte[] layer = layer(false);
        return dockerArchive(directory.resolve("volume-docker.tar"), "busybox:volume", layer,
                config(layer).replace("\"Cmd\":", "\"Volumes\":{\"/home\":{}},\"Cmd\":"));
    }

    private static Path dockerArchive(Path file, String name, byte[] layer, String config) throws IOException {
        String id = sha256(config.getBytes(StandardCharsets.UTF_8));
        var manifest = "[{\"Config\":\"%s.json\",\"RepoTags\":[\"%s\"],\"Layers\":[\"layer/layer.tar\"]}]";
        return Files.write(
                file,
                new Tar()
                        .file(id + ".json", config)
                        .directory("layer")
                        .file("layer/VERSION", "1.0")
                        .file("layer/layer.tar", 0644, layer)
                        .file("manifest.json", manifest.formatted(id, name))
                        .finish());
    }

    /// An OCI layout of `busybox:oci`, its layer compressed.
    static Path ociLayout(Path directory) throws IOException, InterruptedException {
        byte[] layer = layer(true);
        byte[] packed = gzip(layer);
        byte[] config = config(layer).getBytes(StandardCharsets.UTF_8);
        byte[] manifest = """
                {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",\
                "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%d},\
                "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip",\
                "digest":"sha256:%s","size":%d}]}"""
                .formatted(sha256(config), config.length, sha256(packed), packed.length)
                .getBytes(StandardCharsets.UTF_8);
        var index = """
                {"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[\
                {"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%d,\
                "platform":{"architecture":"amd64","os":"linux"},\
                "annotations":{"io.containerd.image.name":"docker.io/library/busybox:oci",\
                "org.opencontainers.image.ref.name":"oci"}}]}"""
                .formatted(sha256(manifest), manifest.length);
        var tar = new Tar()
                .directory("blobs")
                .directory("blobs/sha256")
                .file("index.json", index)
                .file("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
        for (byte[] blob : List.of(config, packed, manifest)) {
            tar.file("blobs/sha256/" + sha256(blob), 0644, blob);
        }
        return Files.write(directory.resolve("busybox-oci.tar"), tar.finish());
    }

    private static byte[] layer(boolean symbolic) throws IOException, InterruptedException {
        Path busybox = Tools.fetched("busybox", "usr/bin/busybox");
        var tar = new Tar()
                .directory("bin")
                .directory("dev")
                .directory("etc")
                .directory("home")
                .directory("proc")
                .directory("root", 0700)
                .directory("sys")
                .directory("tmp", 01777)
                .directory("var")
                .file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nguest:x:405:100:guest:/home:/bin/sh\n")
                .file("etc/group", "root:x:0:\nusers:x:100:guest\nextra:x:77:guest\n")
                .file("etc/plain", "not a program\n")
                .file("home/welcome", "from the image\n")
                .file("bin/busybox", 0755, Files.readAllBytes(busybox));
        for (String applet : Command.of(busybox.toString(), "--list").run().good().lines()) {
            if (applet.equals("busybox")) {
                continue;
            }
            if (symbolic) {
                tar.symbolicLink("bin/" + applet, "busybox");
            } else {
                tar.hardLink("bin/" + applet, "bin/busybox");
            }
        }
        return tar.finish();
    }

    private static String config(byte[] layer) {
        return """
                {"architecture":"amd64","os":"linux","created":"%s",\
                "config":{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","FROM_IMAGE=yes"],\
                "Cmd":["sh"],"Labels":{"maker":"e2e"}},\
                "rootfs":{"type":"layers","diff_ids":["sha256:%s"]},\
                "history":[{"created":"%s","created_by":"busybox"}]}"""
                .formatted(CREATED, sha256(layer), CREATED);
    }

    static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    private static byte[] gzip(byte[] bytes) {
        var packed = new ByteArrayOutputStream();
        try (var out = new GZIPOutputStream(packed)) {
            out.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return packed.toByteArray();
    }
}
