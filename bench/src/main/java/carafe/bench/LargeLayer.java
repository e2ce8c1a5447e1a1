package carafe.bench;

import carafe.bench.Samples.Row;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;

/// One layer of 5 GiB that gzip packs to about a third, loaded and pulled: how long, and how much memory the daemon ever
/// had meanwhile. A gzip file may have any number of members, so one megabyte is compressed once and written 5120 times.
final class LargeLayer {

    private static final int MEGABYTES = 5 << 10;
    private static final int PIECE = 1 << 20;
    private static final String NAME = "one-layer:5g";

    private final Samples samples;
    private final Path registry;
    private final byte[] piece = new byte[PIECE];
    private final byte[] packed;

    /// `registry` is the program of Debian's docker-registry.
    LargeLayer(Samples samples, Path registry) throws IOException {
        this.samples = samples;
        this.registry = registry;
        var random = new Random(5);
        random.nextBytes(piece);
        for (int i = 0; i < PIECE; i++) {
            piece[i] = (i & 7) < 5 ? (byte) 'x' : piece[i]; // three bytes of eight are noise
        }
        this.packed = gzip(piece);
    }

    private static byte[] gzip(byte[] bytes) throws IOException {
        var out = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes);
        }
        return out.toByteArray();
    }

    void measure(Peer peer) throws Exception {
        Path directory = Files.createTempDirectory("bench-layer");
        try {
            measure(peer, directory);
        } finally {
            Output.remove(directory);
        }
    }

    private void measure(Peer peer, Path directory) throws Exception {
        byte[] head = LargeImage.header("big", (long) MEGABYTES << 20, '0');
        var hash = MessageDigest.getInstance("SHA-256");
        hash.update(head);
        for (int i = 0; i < MEGABYTES; i++) {
            hash.update(piece);
        }
        hash.update(new byte[1024]);
        String diffId = HexFormat.of().formatHex(hash.digest());
        byte[] config = ("{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"/bin/true\"]},\"rootfs\":{\"type\":"
                + "\"layers\",\"diff_ids\":[\"sha256:" + diffId + "\"]}}").getBytes(StandardCharsets.US_ASCII);
        Path archive = directory.resolve("archive.tar.gz");
        try (var out = new BufferedOutputStream(Files.newOutputStream(archive), PIECE)) {
            out.write(gzip(join(LargeImage.header("layer.tar", ((long) MEGABYTES << 20) + 1536, '0'), head)));
            pieces(out);
            byte[] table = ("[{\"Config\":\"config.json\",\"RepoTags\":[\"" + NAME + "\"],\"Layers\":[\"layer.tar\"]}]")
                    .getBytes(StandardCharsets.US_ASCII);
            out.write(gzip(join(new byte[1024], member("config.json", config), member("manifest.json", table),
                    new byte[1024])));
        }
        timed(peer, "load of one layer of 5 GiB", List.of("load", "-q", "-i", archive.toString()));
        peer.command(List.of("rmi", NAME));
        Files.delete(archive);
        Path blob = directory.resolve("blob");
        try (var out = new BufferedOutputStream(Files.newOutputStream(blob), PIECE)) {
            out.write(gzip(head));
            pieces(out);
            out.write(gzip(new byte[1024]));
        }
        try (var source = new LocalRegistry(LocalRegistry.Kind.DEBIAN, registry)) {
            String name = source.host + "/" + NAME;
            put(source.host, config, blob);
            Files.delete(blob);
            timed(peer, "pull of one layer of 5 GiB", List.of("pull", "-q", name));
            peer.command(List.of("rmi", name));
        }
    }

    private void pieces(OutputStream out) throws IOException {
        for (int i = 0; i < MEGABYTES; i++) {
            out.write(packed);
        }
    }

    private void timed(Peer peer, String what, List<String> words) throws Exception {
        new ProcessBuilder("sync").start().waitFor();
        peer.resetPeak();
        long before = peer.daemonPeak();
        long begin = System.nanoTime();
        peer.command(words);
        samples.add(new Row(what, "s", true), peer.name(), (System.nanoTime() - begin) / 1e9);
        samples.add(new Row(what + ": daemon's memory before (resident)", "MiB", true), peer.name(), before / 1024.0);
        samples.add(new Row(what + ": the most the daemon ever had (resident)", "MiB", true), peer.name(),
                peer.daemonPeak() / 1024.0);
    }

    private static void put(String host, byte[] config, Path blob) throws Exception {
        String repository = "http://" + host + "/v2/one-layer";
        var hash = MessageDigest.getInstance("SHA-256");
        try (var in = Files.newInputStream(blob)) {
            byte[] buffer = new byte[PIECE];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                hash.update(buffer, 0, count);
            }
        }
        String layer = "sha256:" + HexFormat.of().formatHex(hash.digest());
        String configDigest = "sha256:" + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(config));
        try (var client = HttpClient.newHttpClient()) {
            upload(client, repository, layer, HttpRequest.BodyPublishers.ofFile(blob));
            upload(client, repository, configDigest, HttpRequest.BodyPublishers.ofByteArray(config));
            String manifest = "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":{"
                    + "\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"" + configDigest + "\",\"size\":"
                    + config.length + "},\"layers\":[{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\","
                    + "\"digest\":\"" + layer + "\",\"size\":" + Files.size(blob) + "}]}";
            sent(client.send(HttpRequest.newBuilder(URI.create(repository + "/manifests/5g"))
                    .header("Content-Type", "application/vnd.oci.image.manifest.v1+json")
                    .PUT(HttpRequest.BodyPublishers.ofString(manifest)).build(), HttpResponse.BodyHandlers.ofString()));
        }
    }

    private static void upload(HttpClient client, String repository, String digest, HttpRequest.BodyPublisher body)
            throws Exception {
        var base = URI.create(repository + "/blobs/uploads/");
        var begun = sent(client.send(HttpRequest.newBuilder(base).POST(HttpRequest.BodyPublishers.noBody()).build(),
                HttpResponse.BodyHandlers.ofString()));
        String to = begun.headers().firstValue("Location").orElseThrow();
        sent(client.send(HttpRequest.newBuilder(base.resolve(to + (to.contains("?") ? "&" : "?") + "digest=" + digest))
                .PUT(body).build(), HttpResponse.BodyHandlers.ofString()));
    }

    private static HttpResponse<String> sent(HttpResponse<String> response) throws IOException {
        if (response.statusCode() / 100 != 2) {
            throw new IOException("the registry answered " + response.statusCode() + ": " + response.body());
        }
        return response;
    }

    private static byte[] member(String name, byte[] content) {
        return join(LargeImage.header(name, content.length, '0'), content, new byte[-content.length & 511]);
    }

    private static byte[] join(byte[]... parts) {
        var out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }
}
