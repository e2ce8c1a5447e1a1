package carafe.e2e;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;

/// An image in a directory of OCI's form, made of given texts: one layer and a configuration.
final class OciLayout {

    private static final String TYPE = "application/vnd.oci.image.";

    private OciLayout() {}

    /// Writes the image as `v1` of `directory`. `config` is what stands in the configuration beside platform and layers.
    static Path write(Path directory, byte[] layer, String config) throws Exception {
        Files.createDirectories(directory.resolve("blobs/sha256"));
        String layerDigest = blob(directory, layer);
        byte[] configuration = ("{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\""
                + layerDigest + "\"]}" + (config.isEmpty() ? "" : "," + config) + "}").getBytes(StandardCharsets.UTF_8);
        String configDigest = blob(directory, configuration);
        byte[] manifest = ("{\"schemaVersion\":2,\"mediaType\":\"" + TYPE + "manifest.v1+json\",\"config\":{\"mediaType\":\""
                + TYPE + "config.v1+json\",\"digest\":\"" + configDigest + "\",\"size\":" + configuration.length
                + "},\"layers\":[{\"mediaType\":\"" + TYPE + "layer.v1.tar\",\"digest\":\"" + layerDigest + "\",\"size\":"
                + layer.length + "}]}").getBytes(StandardCharsets.UTF_8);
        Files.writeString(directory.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
        Files.writeString(directory.resolve("index.json"), "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" + TYPE
                + "manifest.v1+json\",\"digest\":\"" + blob(directory, manifest) + "\",\"size\":" + manifest.length
                + ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"v1\"}}]}");
        return directory;
    }

    private static String blob(Path directory, byte[] bytes) throws Exception {
        String hex = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        Files.write(directory.resolve("blobs/sha256").resolve(hex), bytes);
        return "sha256:" + hex;
    }

    /// The digest of the image's manifest.
    static String digest(Path directory) throws IOException {
        return Files.readString(directory.resolve("index.json")).replaceAll("(?s).*\"digest\":\"([^\"]+)\".*", "$1");
    }

    /// The names of its blobs, in order.
    static java.util.List<String> blobs(Path directory) throws IOException {
        try (var files = Files.list(directory.resolve("blobs/sha256"))) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
