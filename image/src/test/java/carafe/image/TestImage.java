package carafe.image;

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
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorOutputStream;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

/// An image for tests, written in either archive form. Shared with other rooms' tests.
///
/// @param names what the archive calls it, `x:1`
/// @param run   what its containers run
/// @param layers its layers' tars, lowest first
public record TestImage(List<String> names, RunConfig run, List<byte[]> layers) {

    /// An image with one name.
    public static TestImage of(String name, byte[]... layers) {
        return new TestImage(List.of(name), RunConfig.EMPTY, List.of(layers));
    }

    /// The same image running other things.
    public TestImage running(RunConfig other) {
        return new TestImage(names, other, layers);
    }

    /// The image's configuration.
    public byte[] config() {
        var history = new ArrayList<History>();
        for (int i = 0; i < layers.size(); i++) {
            history.add(new History(Optional.empty(), "COPY layer " + i, "", "", false));
        }
        history.add(new History(Optional.empty(), "CMD", "", "", true));
        return new ImageConfig(Platform.host(), Optional.empty(), "", "", "", run,
                layers.stream().map(Digest::sha256).toList(), history).toJson().printBytes();
    }

    /// The image's id.
    public Digest id() {
        return Digest.sha256(config());
    }

    /// A docker-archive, members in the order old Dockers write them: layers first, table last.
    public byte[] dockerArchive() {
        return dockerArchive(List.of(this));
    }

    /// A docker-archive of several images.
    public static byte[] dockerArchive(List<TestImage> images) {
        var tar = new TestTar();
        var table = new ArrayList<Json>();
        for (var image : images) {
            var layerNames = new ArrayList<String>();
            for (int i = 0; i < image.layers.size(); i++) {
                String name = image.id().shortHex() + "-" + i + "/layer.tar";
                tar.add(TestTar.file(name, image.layers.get(i)));
                layerNames.add(name);
            }
            String config = image.id().hex() + ".json";
            tar.add(TestTar.file(config, image.config()));
            table.add(Json.object().put("Config", config).put("RepoTags", Json.ofTexts(image.names))
                    .put("Layers", Json.ofTexts(layerNames)).build());
        }
        return tar.add(TestTar.file("manifest.json", Json.ofAll(table).printBytes())).bytes();
    }

    /// An OCI layout with gzip layers, its table first.
    public byte[] ociArchive() throws IOException {
        var blobs = new TestTar();
        var descriptors = new ArrayList<Descriptor>();
        for (byte[] layer : layers) {
            byte[] blob = gzip(layer);
            descriptors.add(Descriptor.of(MediaTypes.OCI_LAYER_GZIP, blob));
            blobs.add(blob(blob));
        }
        byte[] manifest = Manifest.of(Descriptor.of(MediaTypes.OCI_CONFIG, config()), descriptors)
                .toJson().printBytes();
        blobs.add(blob(config())).add(blob(manifest));
        var entry = Descriptor.of(MediaTypes.OCI_MANIFEST, manifest);
        var entries = new ArrayList<Descriptor>();
        names.forEach(name -> entries.add(entry.withAnnotations(Map.of("io.containerd.image.name", name))));
        if (entries.isEmpty()) {
            entries.add(entry);
        }
        return new TestTar()
                .add(TestTar.file("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}"))
                .add(TestTar.file("index.json", Index.of(entries).toJson().printBytes()))
                .raw(blobs.unfinished()).bytes();
    }

    /// A member of an OCI layout for `bytes`.
    static TestTar.Member blob(byte[] bytes) {
        return TestTar.file("blobs/sha256/" + Digest.sha256(bytes).hex(), bytes);
    }

    static byte[] gzip(byte[] bytes) throws IOException {
        var out = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes);
        }
        return out.toByteArray();
    }

    static byte[] bzip2(byte[] bytes) throws IOException {
        var out = new ByteArrayOutputStream();
        try (var bzip2 = new BZip2CompressorOutputStream(out)) {
            bzip2.write(bytes);
        }
        return out.toByteArray();
    }

    static byte[] xz(byte[] bytes) throws IOException {
        var out = new ByteArrayOutputStream();
        try (var xz = new XZOutputStream(out, new LZMA2Options(1))) {
            xz.write(bytes);
        }
        return out.toByteArray();
    }

    /// The docker-archive as a stream.
    public InputStream stream() {
        return new ByteArrayInputStream(dockerArchive());
    }
}
