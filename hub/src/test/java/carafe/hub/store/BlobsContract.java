package carafe.hub.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.hub.store.Refusal.Reason;
import carafe.image.CommitSteps;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What the hub asks of storage, whatever keeps the bytes.
abstract class BlobsContract {

    private static final byte[] BYTES = "0123456789".repeat(500).getBytes(StandardCharsets.UTF_8);
    private static final Digest DIGEST = Digest.sha256(BYTES);

    @TempDir
    Path directory;

    private Blobs blobs;

    abstract Blobs open() throws Exception;

    /// Puts other bytes in a blob's place, behind the storage's back.
    abstract void damage(Digest digest, byte[] bytes) throws Exception;

    @BeforeEach
    void start() throws Exception {
        blobs = open();
    }

    private static InputStream stream(byte[] bytes) {
        return new ByteArrayInputStream(bytes);
    }

    private void store(byte[] bytes) throws Exception {
        var upload = blobs.begin("a", Digest.Algorithm.SHA256);
        upload.append(stream(bytes), 0, bytes.length);
        upload.commit(Digest.sha256(bytes));
    }

    private List<Digest> all() throws IOException {
        var found = new ArrayList<Digest>();
        blobs.each(found::add);
        return found;
    }

    private byte[] read(Digest digest, long offset) throws IOException {
        try (var blob = blobs.open(digest).orElseThrow()) {
            return blob.from(offset).readAllBytes();
        }
    }

    private static void refused(Reason reason, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOfSatisfying(Refusal.class, e -> assertThat(e.reason()).isEqualTo(reason));
    }

    @Test
    void aBlobIsThereOnceItIsWhole() throws Exception {
        var upload = blobs.begin("a", Digest.Algorithm.SHA256);
        upload.append(stream(BYTES), 0, BYTES.length);
        assertThat(blobs.size(DIGEST)).isEmpty();
        assertThat(blobs.open(DIGEST)).isEmpty();
        assertThat(blobs.stamp(DIGEST)).isEmpty();
        assertThat(all()).isEmpty();
        upload.commitUnsettled(DIGEST);
        assertThat(blobs.size(DIGEST)).hasValue(BYTES.length);
        assertThat(all()).containsExactly(DIGEST);
        assertThat(read(DIGEST, 0)).isEqualTo(BYTES);
        assertThat(read(DIGEST, 4990)).hasSize(10);
        try (var blob = blobs.open(DIGEST).orElseThrow()) {
            assertThat(blob.size()).isEqualTo(BYTES.length);
            assertThat(Optional.of(blob.stamp())).isEqualTo(blobs.stamp(DIGEST));
        }
        blobs.settle(List.of(DIGEST, Digest.sha256(new byte[1]))); // what is not here is passed over
        assertThat(blobs.uploads()).isZero();
        refused(Reason.BLOB_UPLOAD_UNKNOWN, () -> upload.append(stream(BYTES), 0, BYTES.length));
    }

    @Test
    void otherBytesThanPromisedAreDropped() throws Exception {
        var upload = blobs.begin("a", Digest.Algorithm.SHA256);
        upload.append(stream(new byte[10]), 0, 10);
        refused(Reason.DIGEST_INVALID, () -> upload.commit(DIGEST));
        assertThat(all()).isEmpty();
        assertThat(blobs.uploads()).isZero();
        assertThat(blobs.resume("a", upload.id())).isEmpty();
    }

    @Test
    void sha512NamesBlobsToo() throws Exception {
        var digest = Digest.finish(Digest.Algorithm.SHA512, Digest.Algorithm.SHA512.hasher().digest(BYTES));
        var upload = blobs.begin("a", Digest.Algorithm.SHA256); // only the end tells
        upload.append(stream(BYTES), 0, BYTES.length);
        upload.commit(digest);
        assertThat(all()).containsExactly(digest);
    }

    @Test
    void anUploadGoesOnWhereItEndsForItsOwnerAlone() throws Exception {
        var upload = blobs.begin("a", Digest.Algorithm.SHA256);
        upload.append(stream(java.util.Arrays.copyOf(BYTES, 3000)), 0, BYTES.length);
        assertThat(blobs.resume("b", upload.id())).isEmpty();
        assertThat(blobs.resume("a", "no such upload")).isEmpty();
        var again = blobs.resume("a", upload.id()).orElseThrow();
        assertThat(again.size()).isEqualTo(3000);
        refused(Reason.RANGE_INVALID, () -> again.append(stream(BYTES), 2999, BYTES.length));
        try (var reading = again.soFar(2990)) {
            assertThat(reading.readAllBytes()).hasSize(10);
        }
        again.append(stream(java.util.Arrays.copyOfRange(BYTES, 3000, BYTES.length)), 3000, BYTES.length);
        again.commit(DIGEST);
        assertThat(read(DIGEST, 0)).isEqualTo(BYTES);
    }

    @Test
    void moreThanTheLimitIsRefused() {
        var upload = blobs.begin("a", Digest.Algorithm.SHA256);
        refused(Reason.DENIED, () -> upload.append(stream(BYTES), 0, BYTES.length - 1));
    }

    @Test
    void uploadsThatNobodyWritesToAreDropped() throws Exception {
        var upload = blobs.begin("a", Digest.Algorithm.SHA256);
        upload.append(stream(BYTES), 0, BYTES.length);
        assertThat(blobs.dropUploads(Instant.now().minusSeconds(60))).isZero();
        assertThat(blobs.uploads()).isEqualTo(1);
        assertThat(blobs.dropUploads(Instant.now().plusSeconds(60))).isEqualTo(1);
        assertThat(blobs.uploads()).isZero();
        assertThat(blobs.resume("a", upload.id())).isEmpty();
        upload.cancel(); // one that is over is fine
    }

    @Test
    void whoReadsABlobReadsItToItsEndWhenItIsDeleted() throws Exception {
        store(BYTES);
        try (var blob = blobs.open(DIGEST).orElseThrow()) {
            blobs.delete(DIGEST);
            blobs.delete(DIGEST);
            assertThat(blob.from(0).readAllBytes()).isEqualTo(BYTES);
        }
        assertThat(all()).isEmpty();
    }

    @Test
    void damageHasAnotherStampAndAPushReplacesIt() throws Exception {
        store(BYTES);
        var sound = blobs.stamp(DIGEST);
        assertThat(blobs.stamp(DIGEST)).isEqualTo(sound);
        damage(DIGEST, new byte[BYTES.length]);
        assertThat(blobs.stamp(DIGEST)).isPresent().isNotEqualTo(sound);
        store(BYTES);
        assertThat(read(DIGEST, 0)).isEqualTo(BYTES);
        damage(DIGEST, new byte[BYTES.length]);
        blobs.setAside(DIGEST);
        blobs.setAside(DIGEST);
        assertThat(blobs.size(DIGEST)).isEmpty();
        assertThat(all()).isEmpty();
        blobs.dropDamaged(Instant.now().plusSeconds(60));
        var upload = blobs.begin("a", Digest.Algorithm.SHA256);
        upload.append(stream(BYTES), 0, BYTES.length);
        upload.commitUnsettled(DIGEST);
        assertThat(read(DIGEST, 0)).isEqualTo(BYTES);
    }

    /// What repositories and the collector need of it, from a push to the last byte.
    @Test
    void aRepositoryStandsOnIt() throws Exception {
        var content = new Content(blobs, Clock.systemUTC());
        var repositories = Repositories.open(directory.resolve("facts"), content, List.of(), Clock.systemUTC(), CommitSteps.REAL);
        var repository = repositories.open("some/app");
        byte[] config = "{}".getBytes(StandardCharsets.UTF_8);
        for (byte[] blob : List.of(BYTES, config)) {
            var upload = blobs.begin("some/app", Digest.Algorithm.SHA256);
            upload.append(stream(blob), 0, blob.length);
            repository.commit(upload, Digest.sha256(blob));
        }
        var document = Document.parse(Manifest.of(Descriptor.of(MediaTypes.OCI_CONFIG, config),
                List.of(Descriptor.of(MediaTypes.OCI_LAYER_GZIP, BYTES))).toJson().printBytes(), "", Digest.Algorithm.SHA256);
        repository.put(document, List.of("v"), new Overwrite(true, true, false));
        var collector = new Collector(repositories, new Retention(List.of()), Duration.ZERO, Duration.ofDays(1), Clock.systemUTC());
        assertThat(collector.run().deleted()).isZero();
        damage(DIGEST, new byte[BYTES.length]);
        var verifier = new Verifier(repositories, (_, _) -> false);
        assertThat(verifier.run(true).faults()).singleElement()
                .matches(fault -> fault.subject().equals(DIGEST.toString()) && !fault.repaired());
        assertThat(blobs.size(DIGEST)).isEmpty();
        repository.remove(document.digest());
        assertThat(collector.run().deleted()).isEqualTo(2);
        assertThat(all()).isEmpty();
    }
}
