package carafe.engine.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.http.Headers;
import carafe.image.Images;
import carafe.image.TestTar;
import carafe.registry.Document;
import carafe.registry.Registries;
import carafe.registry.TestRegistry;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.AuthConfig;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Index;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Pull and push between real image stores and a registry that has bad days.
@Timeout(120)
class TransfersTest {

    private static final Instant LONG_AGO = Instant.parse("2020-01-01T00:00:00Z");
    @TempDir
    private Path directory;

    private final List<TransferMessage> told = new CopyOnWriteArrayList<>();
    private final List<String> happened = new CopyOnWriteArrayList<>();
    private final AtomicInteger changes = new AtomicInteger();
    private TestRegistry registry;
    private Registries client;
    private Images images;
    private LiveTransfers transfers;

    @BeforeEach
    void start() throws Exception {
        registry = new TestRegistry();
        client = TestRegistry.client();
        images = Images.open(directory.resolve("here"));
        transfers = over(images);
    }

    @AfterEach
    void stop() {
        images.close();
        client.close();
        registry.close();
    }

    private LiveTransfers over(Images images) {
        return new LiveTransfers(images, client, ImageTransfers.Limits.USUAL, new ImageTransfers.Observer() {
            @Override
            public void namesChanged() {
                changes.incrementAndGet();
            }

            @Override
            public void happened(String action, String name, Optional<String> imageId) {
                happened.add(action + " " + name);
            }
        });
    }

    static byte[] gzip(byte[] tar) throws IOException {
        var packed = new ByteArrayOutputStream();
        try (var out = new GZIPOutputStream(packed)) {
            out.write(tar);
        }
        return packed.toByteArray();
    }

    static byte[] tar(String name, int bytes) {
        var content = new byte[bytes];
        new Random(name.hashCode()).nextBytes(content);
        return new TestTar().add(TestTar.file(name, content)).bytes();
    }

    /// An image at the registry, its layers compressed.
    private Document image(String repository, String tag, String platform, byte[]... tars) throws Exception {
        return image(registry, repository + ":" + tag, platform, tars);
    }

    static Document image(TestRegistry registry, String name, String platform, byte[]... tars) throws Exception {
        var diffIds = new ArrayList<String>();
        var layers = new ArrayList<Descriptor>();
        for (byte[] tar : tars) {
            diffIds.add(Digest.sha256(tar).toString());
            layers.add(registry.blob(gzip(tar), MediaTypes.OCI_LAYER_GZIP));
        }
        var made = Platform.parse(platform);
        var config = Json.object().put("architecture", made.architecture()).put("os", made.os())
                .put("config", Json.object().build())
                .put("rootfs", Json.object().put("type", "layers").put("diff_ids", Json.ofTexts(diffIds)).build())
                .build();
        var manifest = Manifest.of(registry.blob(config.printBytes(), MediaTypes.OCI_CONFIG), layers);
        int colon = name.indexOf(':');
        return registry.put(name.substring(0, colon), name.substring(colon + 1),
                Document.of(MediaTypes.OCI_MANIFEST, manifest.toJson().printBytes()));
    }

    private Reference name(String rest) throws EngineException {
        return Reference.parse(registry.host() + "/" + rest);
    }

    private void pull(String rest) throws EngineException, InterruptedException {
        transfers.pull(new PullRequest(name(rest), Optional.empty(), AuthConfig.NONE), told::add);
    }

    private void push(String rest) throws EngineException, InterruptedException {
        transfers.push(new PushRequest(name(rest), AuthConfig.NONE), told::add);
    }

    private void age(Digest id) throws IOException {
        Files.setLastModifiedTime(directory.resolve("here/content/blobs/sha256").resolve(id.hex()), FileTime.from(LONG_AGO));
    }

    private List<String> lines() {
        return told.stream().map(message -> switch (message) {
            case TransferMessage.Line(String text) -> text;
            case TransferMessage.About(String id, String text) -> id + ": " + text;
            case TransferMessage.Moving(String id, String text, long current, long total) ->
                id + ": " + text + (current == total ? " whole" : " part");
            case TransferMessage.Pushed(String tag, String digest, long size) -> tag + " is " + digest;
        }).toList();
    }

    @Test
    void anImageIsPulledAndToldInDockersWords() throws Exception {
        var there = image("app", "1", "linux/amd64", tar("a", 100_000), tar("b", 2_000_000));
        pull("app:1");
        var here = images.find(registry.host() + "/app:1");
        assertThat(here.id()).isEqualTo(there.manifest().config().digest());
        assertThat(here.digests()).containsExactly(name("app").withDigest(there.descriptor().digest()));
        String layer = there.manifest().layers().getFirst().digest().shortHex();
        assertThat(lines()).contains("1: Pulling from app", layer + ": Pulling fs layer", layer + ": Downloading whole",
                layer + ": Verifying Checksum", layer + ": Download complete", layer + ": Extracting whole",
                layer + ": Pull complete", "Digest: " + there.descriptor().digest(),
                "Status: Downloaded newer image for " + registry.host() + "/app:1");
        assertThat(lines().getFirst()).isEqualTo("1: Pulling from app");
        told.clear();
        age(here.id());
        pull("app:1");
        assertThat(images.lastUsed(here.id()).orElseThrow()).as("pulled again").isAfter(LONG_AGO);
        assertThat(lines()).containsExactly("1: Pulling from app", "Digest: " + there.descriptor().digest(),
                "Status: Image is up to date for " + registry.host() + "/app:1");
        image("app", "2", "linux/amd64", tar("a", 100_000), tar("c", 100));
        pull("app:2");
        assertThat(lines()).contains(layer + ": Already exists");
        assertThat(registry.count("GET /v2/app/blobs/" + there.manifest().layers().getFirst().digest())).isEqualTo(1);
        assertThat(happened).containsExactly("pull " + registry.host() + "/app:1", "pull " + registry.host() + "/app:1",
                "pull " + registry.host() + "/app:2");
    }

    @Test
    void thePlatformIsChosen() throws Exception {
        var amd = image("app", "a", "linux/amd64", tar("a", 10));
        var arm = image("app", "b", "linux/arm64", tar("b", 10));
        var entries = List.of(entry(amd, "linux/amd64"), entry(arm, "linux/arm64"));
        var index = registry.index("app", "1", entries);
        pull("app:1");
        var here = images.find(registry.host() + "/app:1");
        assertThat(here.config().platform().architecture()).isEqualTo("amd64");
        assertThat(here.digests()).containsExactly(name("app").withDigest(index.descriptor().digest()));
        transfers.pull(new PullRequest(name("app:1"), Optional.of(Platform.parse("linux/arm64")), AuthConfig.NONE), told::add);
        assertThat(images.list()).hasSize(2);
        var wanted = new PullRequest(name("app:1"), Optional.of(Platform.parse("linux/s390x")), AuthConfig.NONE);
        assertThatThrownBy(() -> transfers.pull(wanted, told::add)).isInstanceOf(EngineException.NotFound.class)
                .hasMessageContaining("no matching manifest for linux/s390x");
        var other = new PullRequest(name("app:a"), Optional.of(Platform.parse("linux/arm64")), AuthConfig.NONE);
        assertThatThrownBy(() -> transfers.pull(other, told::add)).hasMessageContaining("does not match the specified");
    }

    private static Descriptor entry(Document document, String platform) throws EngineException {
        var bare = document.descriptor();
        return new Descriptor(bare.mediaType(), bare.digest(), bare.size(), Optional.of(Platform.parse(platform)), Map.of(),
                Optional.empty());
    }

    @Test
    void disturbancesCostNothingThatArrived() throws Exception {
        var there = image("app", "1", "linux/amd64", tar("a", 3_000_000));
        var layer = there.manifest().layers().getFirst();
        byte[] bytes = registry.blobs.getOrDefault(layer.digest(), TestRegistry.NOTHING);
        registry.fault("GET /v2/app/manifests", 1, exchange -> exchange.respond(503, Headers.NONE, TestRegistry.NOTHING));
        registry.fault("GET /v2/app/blobs/" + layer.digest(), 1, exchange -> {
            var out = exchange.respondStreaming(200, Headers.NONE);
            out.write(bytes, 0, 1_000_000);
            out.flush();
            throw new IOException("cable pulled");
        });
        pull("app:1");
        assertThat(images.find(registry.host() + "/app:1").id()).isEqualTo(there.manifest().config().digest());
        assertThat(registry.count("GET /v2/app/blobs/" + layer.digest())).isEqualTo(2);
    }

    @Test
    void wrongBytesLeaveNothingVisibleAndARetryHeals() throws Exception {
        var there = image("app", "1", "linux/amd64", tar("a", 100_000), tar("b", 100_000));
        var layer = there.manifest().layers().getLast();
        byte[] right = registry.blobs.getOrDefault(layer.digest(), TestRegistry.NOTHING);
        byte[] torn = java.util.Arrays.copyOf(right, right.length);
        torn[right.length / 2] ^= 1;
        registry.blobs.put(layer.digest(), torn);
        assertThatThrownBy(() -> pull("app:1")).isInstanceOf(EngineException.class);
        assertThat(images.list()).isEmpty();
        registry.blobs.put(layer.digest(), gzip(tar("another", 100_000)));
        assertThatThrownBy(() -> pull("app:1")).isInstanceOf(EngineException.class);
        assertThat(images.list()).isEmpty();
        registry.blobs.put(layer.digest(), right);
        pull("app:1");
        assertThat(images.list()).hasSize(1);
    }

    @Test
    void aLayerThatIsNotWhatTheConfigurationSaysIsRefused() throws Exception {
        var there = image("app", "1", "linux/amd64", tar("a", 1000));
        var lying = registry.blob(gzip(tar("b", 1000)), MediaTypes.OCI_LAYER_GZIP);
        registry.put("app", "2", Document.of(MediaTypes.OCI_MANIFEST,
                Manifest.of(there.manifest().config(), List.of(lying)).toJson().printBytes()));
        assertThatThrownBy(() -> pull("app:2")).hasMessageContaining("but the image's configuration says");
        registry.put("app", "3", Document.of(MediaTypes.OCI_MANIFEST,
                Manifest.of(there.manifest().config(), List.of()).toJson().printBytes()));
        assertThatThrownBy(() -> pull("app:3")).hasMessageContaining("layers length mismatch");
    }

    private static byte[] text(String text) {
        return text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }

    @Test
    void whereAManifestSaysThatALayerLiesNobodyAsks() throws Exception { // R10
        var there = image("app", "1", "linux/amd64", tar("a", 1000));
        String far = new String(there.bytes(), java.nio.charset.StandardCharsets.UTF_8)
                .replace("\"layers\":[{", "\"layers\":[{\"urls\":[\"http://" + registry.host() + "/far\"],");
        registry.put("app", "far", Document.of(MediaTypes.OCI_MANIFEST, text(far)));
        registry.fault("GET /v2/app/blobs/" + there.manifest().layers().getFirst().digest(), 1,
                exchange -> exchange.respond(404, Headers.NONE, TestRegistry.NOTHING));
        assertThatThrownBy(() -> pull("app:far")).hasMessageContaining("404");
        pull("app:far");
        assertThat(far).contains("/far");
        assertThat(registry.count("GET /far")).isZero();
    }

    @Test
    void aNameThatMeansTheSameImageWithOtherAnnotationsOrAnotherIndexIsTakenAnew() throws Exception {
        var plain = image("app", "1", "linux/amd64", tar("a", 1000));
        var manifest = plain.manifest();
        var annotated = Document.of(MediaTypes.OCI_MANIFEST, new Manifest(MediaTypes.OCI_MANIFEST, manifest.config(),
                manifest.layers(), Map.of("a", "b"), Optional.empty(), Optional.empty()).toJson().printBytes());
        var index = Document.of(MediaTypes.OCI_INDEX, Index.of(List.of(plain.descriptor())).toJson().printBytes());
        registry.put("app", plain.descriptor().digest().toString(), plain);
        var there = List.of(plain, annotated, index, plain, annotated, plain);
        for (int i = 0; i < there.size(); i++) {
            registry.put("app", "1", there.get(i));
            told.clear();
            pull("app:1");
            assertThat(told.toString()).as("pull %d", i).contains("Downloaded newer image");
            var here = images.find(registry.host() + "/app:1");
            assertThat(here.manifest().annotations()).as("pull %d", i)
                    .isEqualTo(there.get(i) == annotated ? Map.of("a", "b") : Map.of());
            assertThat(images.indexOf(name("app:1"))).as("pull %d", i)
                    .isEqualTo(there.get(i) == index ? Optional.of(index.descriptor().digest()) : Optional.empty());
            told.clear();
            pull("app:1");
            assertThat(told.toString()).as("pull %d", i).contains("Image is up to date");
        }
    }

    /// Puts an artifact there, under its digest and, unless that is empty, a tag.
    private Document artifact(String tag, String blob, Optional<Descriptor> subject) {
        var config = registry.blob(text("{}"), MediaTypes.OCI_EMPTY);
        var layer = registry.blob(text(blob), "application/vnd.acme.fuel");
        var manifest = new Manifest(MediaTypes.OCI_MANIFEST, config, List.of(layer), java.util.Map.of(), subject,
                Optional.of("application/vnd.acme.rocket"));
        var document = Document.of(MediaTypes.OCI_MANIFEST, manifest.toJson().printBytes());
        registry.put("app", tag.isEmpty() ? document.descriptor().digest().toString() : tag, document);
        return document;
    }

    @Test
    void anArtifactIsPulledByNameAndDigestAndPushedByteForByte() throws Exception {
        var there = artifact("rocket", "not a tar", Optional.empty());
        pull("app:rocket");
        pull("app@" + there.descriptor().digest());
        assertThat(images.list()).isEmpty();
        var here = images.artifacts().list().getFirst();
        assertThat(here.id()).isEqualTo(there.descriptor().digest());
        assertThat(here.type()).isEqualTo("application/vnd.acme.rocket");
        assertThat(here.tags()).containsExactly(name("app:rocket"));
        told.clear();
        pull("app:rocket");
        assertThat(told.toString()).contains("Image is up to date");
        images.tag(name("app:rocket").toString(), name("other:1"));
        push("other:1");
        assertThat(registry.manifests.get("other@1")).isEqualTo(there);
        assertThat(images.artifacts().list().getFirst().digests()).contains(name("other@" + there.descriptor().digest()));
        assertThatThrownBy(() -> images.find(name("app:rocket").toString()))
                .isInstanceOf(EngineException.Unsupported.class)
                .hasMessageContaining("is no container image but an artifact of type \"application/vnd.acme.rocket\"");
    }

    @Test
    void aTornBlobOfAnArtifactLeavesNothing() throws Exception {
        var there = artifact("rocket", "not a tar", Optional.empty());
        var blob = there.manifest().layers().getFirst().digest();
        registry.blobs.put(blob, text("not a jar"));
        assertThatThrownBy(() -> pull("app:rocket")).isInstanceOf(EngineException.class);
        assertThat(images.artifacts().list()).isEmpty();
        registry.blobs.put(blob, text("not a tar"));
        pull("app:rocket");
        assertThat(images.artifacts().list()).hasSize(1);
    }

    /// The registry keeps no list, so the tags that clients keep are read and written.
    @Test
    void whatRefersToAnImageComesAndGoesWhenThatIsAskedFor() throws Exception {
        var there = image("app", "1", "linux/amd64", tar("a", 1000));
        var manifest = Objects.requireNonNull(registry.manifests.get("app@1")).descriptor();
        var signature = artifact("", "signed", Optional.of(manifest));
        var ofSignature = artifact("", "signed again", Optional.of(signature.descriptor()));
        registry.index("app", "sha256-" + manifest.digest().hex(), List.of(signature.descriptor()));
        registry.index("app", "sha256-" + signature.descriptor().digest().hex(), List.of(ofSignature.descriptor()));
        pull("app:1");
        assertThat(images.artifacts().list()).isEmpty();
        assertThat(transfers.referrers(name("app:1"), AuthConfig.NONE).found()).extracting(Referrer::here)
                .containsExactly(false, false);
        transfers.pull(new PullRequest(name("app:1"), Optional.empty(), AuthConfig.NONE, true), told::add);
        assertThat(told).contains(new TransferMessage.Line("Referrers: 2"));
        assertThat(images.artifacts().referrers(there.manifest().config().digest())).extracting(carafe.image.Artifact::id)
                .containsExactly(signature.descriptor().digest());
        assertThat(transfers.referrers(name("app:1"), AuthConfig.NONE).found()).extracting(Referrer::here, Referrer::subject)
                .containsExactly(org.assertj.core.groups.Tuple.tuple(true, manifest.digest()),
                        org.assertj.core.groups.Tuple.tuple(true, signature.descriptor().digest()));
        images.tag(name("app:1").toString(), name("other:1"));
        transfers.push(new PushRequest(name("other:1"), AuthConfig.NONE, true, Optional.empty()), told::add);
        assertThat(registry.manifests.get("other@" + signature.descriptor().digest())).isEqualTo(signature);
        assertThat(Objects.requireNonNull(registry.manifests.get("other@sha256-" + manifest.digest().hex())).index().manifests())
                .extracting(Descriptor::digest).containsExactly(signature.descriptor().digest());
        assertThat(registry.manifests.get("other@" + ofSignature.descriptor().digest())).isEqualTo(ofSignature);
    }

    /// What a registry lists is not believed: the artifact itself says what it refers to.
    @Test
    void whatRefersToSomethingElseIsPassedOver() throws Exception {
        image("app", "1", "linux/amd64", tar("a", 1000));
        var manifest = Objects.requireNonNull(registry.manifests.get("app@1")).descriptor();
        var signature = artifact("", "signed", Optional.of(manifest));
        var ofAnother = artifact("", "signs another", Optional.of(signature.descriptor()));
        var ofNothing = artifact("", "signs nothing", Optional.empty());
        registry.index("app", "sha256-" + manifest.digest().hex(),
                List.of(ofAnother.descriptor(), ofNothing.descriptor(), signature.descriptor()));
        transfers.pull(new PullRequest(name("app:1"), Optional.empty(), AuthConfig.NONE, true), told::add);
        assertThat(told).contains(new TransferMessage.About(
                ofAnother.descriptor().digest().shortHex(), "Skipped, it refers to something else"));
        assertThat(images.artifacts().list()).extracting(carafe.image.Artifact::id)
                .containsExactly(signature.descriptor().digest());
    }

    @Test
    void aManifestTooLongToReadIsPassedOver() throws Exception {
        var there = image("app", "1", "linux/amd64", tar("a", 1000)).descriptor();
        var said = Descriptor.of(MediaTypes.OCI_MANIFEST, new byte[5 << 20]);
        var unsaid = new Descriptor(said.mediaType(), Digest.sha256(text("x")), 9, Optional.empty(), Map.of(), Optional.empty());
        registry.fault("GET /v2/app/manifests/" + unsaid.digest(), 1, exchange -> exchange.respond(200,
                Headers.of("Content-Type", MediaTypes.OCI_MANIFEST), new byte[5 << 20]));
        registry.index("app", "sha256-" + there.digest().hex(),
                List.of(said, unsaid, artifact("", "signed", Optional.of(there)).descriptor()));
        transfers.pull(new PullRequest(name("app:1"), Optional.empty(), AuthConfig.NONE, true), told::add);
        assertThat(lines()).contains("Referrers: 1", said.digest().shortHex() + ": Skipped, its manifest has 5242880 bytes,"
                + " and one may have 4 MiB").anyMatch(line -> line.endsWith("it is longer than 4194304 bytes"));
    }

    @Test
    void whatIsTooLargeToReferToAnImageIsPassedOver() throws Exception {
        var there = image("app", "1", "linux/amd64", tar("a", 1000));
        var config = registry.blob(text("{}"), MediaTypes.OCI_EMPTY);
        var huge = Descriptor.of("application/vnd.acme.fuel", Digest.sha256(text("fuel")), 257L << 20);
        var manifest = new Manifest(MediaTypes.OCI_MANIFEST, config, List.of(huge), java.util.Map.of(),
                Optional.of(there.descriptor()), Optional.of("application/vnd.acme.rocket"));
        var document = Document.of(MediaTypes.OCI_MANIFEST, manifest.toJson().printBytes());
        registry.put("app", document.descriptor().digest().toString(), document);
        var small = artifact("", "signed", Optional.of(there.descriptor()));
        registry.index("app", "sha256-" + there.descriptor().digest().hex(),
                List.of(document.descriptor(), small.descriptor()));
        transfers.pull(new PullRequest(name("app:1"), Optional.empty(), AuthConfig.NONE, true), told::add);
        assertThat(told).contains(new TransferMessage.About(document.descriptor().digest().shortHex(), "Skipped, 269484034"
                + " bytes, and what refers to an image may have 256 MiB, all together 1024 MiB; pull it by its digest to have"
                + " it")).contains(new TransferMessage.Line("Referrers: 1"));
    }

    @Test
    void anImageWhoseReferrersDoNotComeIsShownAllTheSame() throws Exception {
        image("app", "1", "linux/amd64", tar("a", 1000));
        registry.fault("GET /v2/app/referrers/", 99, exchange -> exchange.respond(400, Headers.NONE, text("no")));
        assertThatThrownBy(() -> transfers.pull(
                new PullRequest(name("app:1"), Optional.empty(), AuthConfig.NONE, true), told::add))
                .isInstanceOf(EngineException.Invalid.class);
        assertThat(images.list()).hasSize(1);
        assertThat(changes).hasValue(1);
    }

    @Test
    void aListOfReferrersHasAnEnd() throws Exception {
        var there = image("app", "1", "linux/amd64", tar("a", 1000));
        var many = new ArrayList<Descriptor>();
        for (int i = 0; i < 1200; i++) {
            many.add(Descriptor.of(MediaTypes.OCI_MANIFEST, text("referrer " + i)));
        }
        registry.index("app", "sha256-" + there.descriptor().digest().hex(), many);
        assertThat(transfers.referrers(name("app:1"), AuthConfig.NONE).found()).hasSize(1000);
        assertThat(transfers.referrers(name("app:1"), AuthConfig.NONE).left()).isEqualTo("there are more than 1000");
    }

    /// Fetches what refers to `subject` within bounds; what was told.
    private List<TransferMessage> takeReferrers(Descriptor subject, ArtifactTransfer.Bounds bounds) throws Exception {
        told.clear();
        new ArtifactTransfer(images.artifacts(), new Semaphore(2), client.repository(name("app"), AuthConfig.NONE), told::add,
                bounds).takeReferrers(List.of(subject.digest()));
        return told;
    }

    private static TransferMessage cut(String why) {
        return new TransferMessage.Line("Not all referrers were taken along: " + why
                + "; \"carafe image referrers\" lists them, and each can be pulled by its digest");
    }

    @Test
    void whatRefersToAnImageEndsAtItsBoundsWhichIsToldOnce() throws Exception {
        assertThat(ArtifactTransfer.Bounds.USUAL)
                .isEqualTo(new ArtifactTransfer.Bounds(4, 1000, 16 << 20, 256 << 20, 1 << 30));
        var root = image("app", "1", "linux/amd64", tar("a", 1000)).descriptor();
        pull("app:1");
        var first = artifact("", "one", Optional.of(root)).descriptor();
        var beside = artifact("", "beside", Optional.of(root)).descriptor();
        var second = artifact("", "two", Optional.of(first)).descriptor();
        var third = artifact("", "three", Optional.of(second)).descriptor();
        registry.index("app", "sha256-" + root.digest().hex(), List.of(first, beside));
        registry.index("app", "sha256-" + first.digest().hex(), List.of(second));
        registry.index("app", "sha256-" + second.digest().hex(), List.of(third));
        long mega = 1 << 20;
        assertThat(takeReferrers(root, new ArtifactTransfer.Bounds(4, 1, mega, mega, mega)))
                .containsOnlyOnce(cut("there are more than 1")).contains(new TransferMessage.Line("Referrers: 1"));
        assertThat(takeReferrers(root, new ArtifactTransfer.Bounds(2, 9, mega, mega, mega)))
                .containsOnlyOnce(cut("what refers to each other more than 2 deep stays there"))
                .contains(new TransferMessage.Line("Referrers: 3"));
        long before = registry.count("GET /v2/app/manifests/");
        assertThat(takeReferrers(root, new ArtifactTransfer.Bounds(4, 9, first.size(), mega, mega)))
                .containsOnlyOnce(cut("their manifests have more than 0 MiB"))
                .contains(new TransferMessage.Line("Referrers: 1"));
        assertThat(registry.count("GET /v2/app/manifests/") - before).isEqualTo(4); // two lists, two manifests, and no more
        assertThat(takeReferrers(root, new ArtifactTransfer.Bounds(4, 9, mega, mega, mega)))
                .contains(new TransferMessage.Line("Referrers: 4")).noneMatch(told -> told.toString().contains("Not all"));
    }

    @Test
    void blobsOfAllReferrersAreCountedUnlessTheyAreHere() throws Exception {
        var root = image("app", "1", "linux/amd64", tar("a", 1000)).descriptor();
        pull("app:1");
        var one = artifact("", "1".repeat(1000), Optional.of(root)).descriptor();
        var two = artifact("", "2".repeat(1000), Optional.of(root)).descriptor();
        var three = artifact("", "3".repeat(1000), Optional.of(root)).descriptor();
        registry.index("app", "sha256-" + root.digest().hex(), List.of(one, two, three));
        var skipped = new TransferMessage.About(three.digest().shortHex(), "Skipped, 1000 bytes, and what refers to an image"
                + " may have 1 MiB, all together 0 MiB; pull it by its digest to have it");
        assertThat(takeReferrers(root, new ArtifactTransfer.Bounds(4, 9, 1 << 20, 1 << 20, 2500)))
                .contains(skipped, new TransferMessage.Line("Referrers: 2"));
        assertThat(takeReferrers(root, new ArtifactTransfer.Bounds(4, 9, 1 << 20, 999, 2500)))
                .contains(new TransferMessage.Line("Referrers: 2")); // those here count nothing, and the third is too large
        assertThat(takeReferrers(root, new ArtifactTransfer.Bounds(4, 9, 1 << 20, 1 << 20, 1000)))
                .contains(new TransferMessage.Line("Referrers: 3"));
    }

    @Test
    void aDamagedArtifactFailsNoListingOfTheRegistry() throws Exception {
        var root = image("app", "1", "linux/amd64", tar("a", 1000)).descriptor();
        var signature = artifact("rocket", "signed", Optional.of(root)).descriptor();
        registry.index("app", "sha256-" + root.digest().hex(), List.of(signature));
        pull("app:rocket");
        assertThat(transfers.referrers(name("app:1"), AuthConfig.NONE).found()).extracting(Referrer::here).containsExactly(true);
        images.close();
        try (var files = Files.walk(directory)) {
            Files.writeString(files.filter(file -> file.endsWith(signature.digest().hex())).findFirst().orElseThrow(), "{");
        }
        images = Images.open(directory.resolve("here"));
        assertThat(over(images).referrers(name("app:1"), AuthConfig.NONE).found()).extracting(Referrer::here)
                .containsExactly(false);
    }

    @Test
    void anImageIsPushedAndPulledElsewhere() throws Exception {
        image("app", "1", "linux/amd64", tar("a", 100_000), tar("b", 100_000));
        pull("app:1");
        told.clear();
        try (var second = new TestRegistry()) {
            var target = Reference.parse(second.host() + "/copy:1");
            images.tag(registry.host() + "/app:1", target);
            transfers.push(new PushRequest(target, AuthConfig.NONE), told::add);
            String layer = images.find(target.toString()).config().diffIds().getFirst().shortHex();
            assertThat(lines()).startsWith("The push refers to repository [" + second.host() + "/copy]")
                    .contains(layer + ": Preparing", layer + ": Pushed");
            assertThat(lines().getLast()).startsWith("1 is sha256:");
            var pushed = images.find(target.toString());
            assertThat(pushed.digests()).hasSize(2);
            told.clear();
            transfers.push(new PushRequest(target, AuthConfig.NONE), told::add);
            assertThat(lines()).contains(layer + ": Layer already exists");
            try (var other = Images.open(directory.resolve("there"))) {
                over(other).pull(new PullRequest(target, Optional.empty(), AuthConfig.NONE), told::add);
                assertThat(other.find(target.toString()).id()).isEqualTo(pushed.id());
            }
        }
    }

    @Test
    void whatIsThereIsMountedAndTheManifestSentAsItCame() throws Exception {
        var there = image("app", "1", "linux/amd64", tar("a", 1000));
        pull("app:1");
        registry.fault("HEAD /v2/other/blobs", 1, exchange -> exchange.respond(404, Headers.NONE, TestRegistry.NOTHING));
        images.tag(registry.host() + "/app:1", name("other:1"));
        push("other:1");
        assertThat(lines()).anyMatch(line -> line.endsWith(": Mounted from app"));
        assertThat(registry.manifests).containsEntry("other@1", there);
        assertThat(registry.count("PATCH")).isZero();
    }

    @Test
    void allTagsAreTakenTogetherAndMissingOnesNamed() throws Exception {
        image("app", "1", "linux/amd64", tar("a", 10));
        image("app", "2", "linux/amd64", tar("b", 10));
        registry.fault("GET /v2/app/tags/list", 9, exchange -> exchange.respond(200,
                Headers.of("Content-Type", "application/json"), "{\"tags\":[\"1\",\"2\"]}".getBytes()));
        pull("app");
        assertThat(images.list()).hasSize(2);
        push("app");
        assertThat(lines()).anyMatch(line -> line.startsWith("1 is ")).anyMatch(line -> line.startsWith("2 is "));
        assertThatThrownBy(() -> push("nothing:1")).isInstanceOf(EngineException.NotFound.class)
                .hasMessage("An image does not exist locally with the tag: " + registry.host() + "/nothing");
        assertThatThrownBy(() -> pull("nothing:1")).isInstanceOf(EngineException.NotFound.class)
                .hasMessageContaining("not found");
    }

    @Test
    void whatANameMeansIsToldWithoutPulling() throws Exception {
        var amd = image("app", "a", "linux/amd64", tar("a", 10));
        var index = registry.index("app", "1", List.of(entry(amd, "linux/amd64"), entry(amd, "linux/arm/v7")));
        var seen = transfers.inspect(name("app:1"), AuthConfig.NONE);
        assertThat(seen.descriptor()).isEqualTo(index.descriptor());
        assertThat(seen.platforms()).extracting(Platform::toString).containsExactly("linux/amd64", "linux/arm/v7");
        assertThat(transfers.inspect(name("app:a"), AuthConfig.NONE).platforms()).hasSize(1);
        assertThat(images.list()).isEmpty();
    }
}
