package carafe.hub;

import carafe.http.ClientRequest;
import carafe.http.Headers;
import carafe.http.HttpClient;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/// Speaks the registry protocol to a hub, as a test writes it down.
final class Registry implements AutoCloseable {

    private final HttpClient client;
    private final String authorization;

    /// An answer, read.
    record Got(int status, Headers headers, byte[] body) {
        String header(String name) {
            return headers.first(name).orElse("");
        }

        String text() {
            return new String(body, StandardCharsets.UTF_8);
        }

        Json.Obj json() throws EngineException.Invalid {
            return Json.parseObject(body);
        }

        /// The code of the first error.
        String code() throws EngineException.Invalid {
            return json().objects("errors").getFirst().text("code");
        }
    }

    private Registry(HttpClient client, String authorization) {
        this.client = client;
        this.authorization = authorization;
    }

    static Registry of(TestHub hub) {
        return new Registry(hub.client(), "");
    }

    static Registry of(TestHub hub, String user, String password) {
        return new Registry(hub.client(), basic(user, password));
    }

    static Registry bearing(TestHub hub, String token) {
        return new Registry(hub.client(), "Bearer " + token);
    }

    static String basic(String user, String password) {
        return "Basic " + Base64.getEncoder().encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
    }

    Got send(ClientRequest request) throws IOException {
        var with = authorization.isEmpty() ? request : request.header("Authorization", authorization);
        try (var response = client.send(with)) {
            return new Got(response.status(), response.headers(), response.readBody(64 << 20));
        }
    }

    Got get(String path) throws IOException {
        return send(ClientRequest.get(path));
    }

    Got head(String path) throws IOException {
        return send(ClientRequest.of("HEAD", path));
    }

    Got delete(String path) throws IOException {
        return send(ClientRequest.of("DELETE", path));
    }

    Got post(String path) throws IOException {
        return send(ClientRequest.of("POST", path));
    }

    Got patch(String path, byte[] body, String range) throws IOException {
        var request = ClientRequest.of("PATCH", path).body("application/octet-stream", body);
        return send(range.isEmpty() ? request : request.header("Content-Range", range));
    }

    Got put(String path, byte[] body) throws IOException {
        return send(ClientRequest.of("PUT", path).body("application/octet-stream", body));
    }

    /// Pushes a blob by POST and PUT.
    Digest pushBlob(String repository, byte[] body) throws IOException {
        var digest = Digest.sha256(body);
        var begun = post("/v2/" + repository + "/blobs/uploads/");
        if (begun.status() != 202) {
            throw new IOException("POST: " + begun.status() + " " + begun.text());
        }
        var got = put(begun.header("Location") + "?digest=" + digest, body);
        if (got.status() != 201) {
            throw new IOException("PUT: " + got.status() + " " + got.text());
        }
        return digest;
    }

    Got pushManifest(String repository, String reference, String type, byte[] body) throws IOException {
        return send(ClientRequest.of("PUT", "/v2/" + repository + "/manifests/" + reference).body(type, body));
    }

    /// Pushes an image of that configuration and those layers; the manifest's bytes.
    byte[] pushImage(String repository, String tag, String config, String... layers) throws IOException {
        byte[] bytes = image(repository, config, layers);
        var got = pushManifest(repository, tag, MediaTypes.OCI_MANIFEST, bytes);
        if (got.status() != 201) {
            throw new IOException("manifest: " + got.status() + " " + got.text());
        }
        return bytes;
    }

    /// Pushes the blobs of an image and makes its manifest.
    byte[] image(String repository, String config, String... layers) throws IOException {
        byte[] configuration = config.getBytes(StandardCharsets.UTF_8);
        pushBlob(repository, configuration);
        var descriptors = new ArrayList<Descriptor>();
        for (String layer : layers) {
            byte[] bytes = layer.getBytes(StandardCharsets.UTF_8);
            pushBlob(repository, bytes);
            descriptors.add(Descriptor.of(MediaTypes.OCI_LAYER_GZIP, bytes));
        }
        return manifest(Descriptor.of(MediaTypes.OCI_CONFIG, configuration), descriptors);
    }

    static byte[] manifest(Descriptor config, List<Descriptor> layers) {
        return Manifest.of(config, layers).toJson().printBytes();
    }

    @Override
    public void close() {
        client.close();
    }
}
