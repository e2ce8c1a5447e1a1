package carafe.bench.hub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Random;

/// What is asked of a registry. Every client has its own random numbers and its own connection.
final class Work {

    static final int SMALL = 16 << 10;
    static final int LARGE = 1 << 20;

    private static final int SMALL_BLOBS = 64;
    private static final int LARGE_BLOBS = 8;
    private static final int TAGS = 64;
    private static final byte[] NOTHING = {};
    private static final String TYPE = "application/vnd.oci.image.manifest.v1+json";

    private final String[] small = new String[SMALL_BLOBS];
    private final String[] large = new String[LARGE_BLOBS];

    /// One thing a client does; false when the answer was not the right one.
    @FunctionalInterface
    interface Step {
        boolean run(Client client, Random random) throws IOException;
    }

    /// Pushes what is read later: the same bytes to every registry.
    void prepare(Client client) throws IOException {
        var random = new Random(42);
        for (int i = 0; i < SMALL_BLOBS; i++) {
            small[i] = push(client, bytes(random, SMALL));
        }
        for (int i = 0; i < LARGE_BLOBS; i++) {
            large[i] = push(client, bytes(random, LARGE));
        }
        for (int i = 0; i < TAGS; i++) {
            int status = manifest(client, "t" + i, small[i % SMALL_BLOBS], small[(i + 1) % SMALL_BLOBS]);
            if (status != 201) {
                throw new IOException("the manifest was answered by " + status);
            }
        }
    }

    private static byte[] bytes(Random random, int size) {
        var bytes = new byte[size];
        random.nextBytes(bytes);
        return bytes;
    }

    static String sha256(byte[] bytes) {
        try {
            return "sha256:" + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private static String push(Client client, byte[] body) throws IOException {
        String digest = sha256(body);
        if (!put(client, digest, body)) {
            throw new IOException("a blob was not taken");
        }
        return digest;
    }

    private static boolean put(Client client, String digest, byte[] body) throws IOException {
        if (client.send("POST", "/v2/bench/app/blobs/uploads/", "", NOTHING) != 202) {
            return false;
        }
        String place = client.location();
        String target = place + (place.indexOf('?') < 0 ? "?" : "&") + "digest=" + digest;
        return client.send("PUT", target, "Content-Type: application/octet-stream\r\n", body) == 201;
    }

    private static int manifest(Client client, String tag, String config, String layer) throws IOException {
        byte[] body = ("{\"schemaVersion\":2,\"mediaType\":\"" + TYPE + "\",\"config\":{\"mediaType\":"
                + "\"application/vnd.oci.image.config.v1+json\",\"digest\":\"" + config + "\",\"size\":" + SMALL
                + "},\"layers\":[{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"" + layer
                + "\",\"size\":" + SMALL + "}]}").getBytes(StandardCharsets.UTF_8);
        return client.send("PUT", "/v2/bench/app/manifests/" + tag, "Content-Type: " + TYPE + "\r\n", body);
    }

    boolean readSmall(Client client, Random random) throws IOException {
        return client.send("GET", "/v2/bench/app/blobs/" + small[random.nextInt(SMALL_BLOBS)], "", NOTHING) == 200;
    }

    boolean readLarge(Client client, Random random) throws IOException {
        return client.send("GET", "/v2/bench/app/blobs/" + large[random.nextInt(LARGE_BLOBS)], "", NOTHING) == 200;
    }

    boolean readManifest(Client client, Random random) throws IOException {
        return client.send("GET", "/v2/bench/app/manifests/t" + random.nextInt(TAGS), "Accept: " + TYPE + "\r\n", NOTHING)
                == 200;
    }

    /// A blob nobody has pushed; making it costs the client little beside its hash.
    private static byte[] fresh(Random random, int size) {
        var body = new byte[size];
        ByteBuffer.wrap(body).putLong(random.nextLong()).putLong(System.nanoTime());
        return body;
    }

    boolean writeSmall(Client client, Random random) throws IOException {
        byte[] body = fresh(random, SMALL);
        return put(client, sha256(body), body);
    }

    boolean writeLarge(Client client, Random random) throws IOException {
        byte[] body = fresh(random, LARGE);
        return put(client, sha256(body), body);
    }

    /// A client's day: pushes a layer and an image of it, pulls both.
    boolean mixed(Client client, Random random) throws IOException {
        byte[] body = fresh(random, SMALL);
        String digest = sha256(body);
        String tag = "m" + random.nextInt(1000);
        return put(client, digest, body)
                && manifest(client, tag, small[0], digest) == 201
                && client.send("GET", "/v2/bench/app/manifests/" + tag, "Accept: " + TYPE + "\r\n", NOTHING) == 200
                && client.send("GET", "/v2/bench/app/blobs/" + digest, "", NOTHING) == 200;
    }
}
