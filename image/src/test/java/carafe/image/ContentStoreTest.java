package carafe.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContentStoreTest {

    private static final byte[] HELLO = "hello".getBytes(StandardCharsets.UTF_8);
    private static final Digest DIGEST = Digest.sha256(HELLO);

    @TempDir
    private Path root;
    private ContentStore store;

    @BeforeEach
    void open() throws Exception {
        store = ContentStore.open(root, CommitSteps.REAL);
    }

    private void isClean() throws IOException {
        try (var left = Files.list(root.resolve("ingest"))) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void aBlobIsVisibleOnlyWhenItIsWhole() throws Exception {
        try (var ingest = store.ingest(DIGEST, 5)) {
            ingest.write(HELLO);
            assertThat(store.has(DIGEST)).isFalse();
            ingest.commit();
        }
        assertThat(store.readAll(DIGEST, 5)).isEqualTo(HELLO);
        assertThat(store.size(DIGEST)).contains(5L);
        assertThat(store.list()).containsExactly(DIGEST);
        assertThat(root.resolve("blobs/sha256/" + DIGEST.hex())).hasBinaryContent(HELLO);
        assertThat(root.resolve("oci-layout")).hasContent("{\"imageLayoutVersion\":\"1.0.0\"}");
        isClean();
    }

    @Test
    void wrongBytesAreNeverVisible() throws Exception {
        for (var wrong : List.of("hell", "hello!", "HELLO")) {
            try (var ingest = store.ingest(DIGEST, 5)) {
                ingest.write(wrong.getBytes(StandardCharsets.UTF_8));
                assertThatThrownBy(ingest::commit).isInstanceOf(EngineException.Invalid.class)
                        .hasMessageContaining(DIGEST.toString());
            }
            assertThat(store.has(DIGEST)).isFalse();
            isClean();
        }
    }

    @Test
    void otherAlgorithmsHaveTheirOwnPlace() throws Exception {
        var digest = Digest.finish(Digest.Algorithm.SHA512, Digest.Algorithm.SHA512.hasher().digest(HELLO));
        try (var ingest = store.ingest(digest, 5)) {
            ingest.write(HELLO);
            ingest.commit();
        }
        assertThat(root.resolve("blobs/sha512/" + digest.hex())).exists();
        assertThat(store.list()).containsExactly(digest);
    }

    @Test
    void writingWhatIsThereOrDeletingWhatIsNotChangesNothing() throws Exception {
        assertThat(store.put(HELLO)).isEqualTo(DIGEST);
        assertThat(store.put(HELLO)).isEqualTo(DIGEST);
        try (var again = store.ingest(DIGEST, 5)) {
            again.write(HELLO);
            again.commit();
        }
        assertThat(store.readAll(DIGEST, 5)).isEqualTo(HELLO);
        store.delete(DIGEST);
        store.delete(DIGEST);
        assertThat(store.has(DIGEST)).isFalse();
        assertThatThrownBy(() -> store.read(DIGEST)).isInstanceOf(NoSuchFileException.class);
    }

    @Test
    void damageIsNoticedWhenReading() throws Exception {
        store.put(HELLO);
        Files.writeString(root.resolve("blobs/sha256/" + DIGEST.hex()), "hullo");
        assertThatThrownBy(() -> store.readAll(DIGEST, 5)).hasMessage("blob " + DIGEST + " is damaged");
        assertThatThrownBy(() -> store.readAll(DIGEST, 4)).hasMessage("blob " + DIGEST + " is damaged");
    }

    @Test
    void aBrokenIngestIsGoneOnWith() throws Exception {
        try (var ingest = store.ingest(DIGEST, 5)) {
            ingest.write("hel".getBytes(StandardCharsets.UTF_8));
            try (var other = store.ingest(DIGEST, 5)) { // somebody else at the same time begins anew
                assertThat(other.offset()).isZero();
            }
        }
        store = ContentStore.open(root, CommitSteps.REAL);
        try (var ingest = store.ingest(DIGEST, 5)) {
            assertThat(ingest.offset()).isEqualTo(3);
            ingest.write(java.nio.ByteBuffer.wrap("lo".getBytes(StandardCharsets.UTF_8)));
            ingest.commit();
        }
        assertThat(store.readAll(DIGEST, 5)).isEqualTo(HELLO);
        isClean();
    }

    @Test
    void anUploadLearnsItsDigestAtTheEnd() throws Exception {
        try (var upload = store.upload("a-1")) {
            upload.write(HELLO, 0, 3);
            assertThatThrownBy(() -> store.upload("a-1")).isInstanceOf(EngineException.Conflict.class);
        }
        assertThat(store.uploaded("a-1")).contains(3L);
        var wide = Digest.finish(Digest.Algorithm.SHA512, Digest.Algorithm.SHA512.hasher().digest(HELLO));
        try (var upload = store.upload("a-1")) {
            upload.write(HELLO, 3, 2);
            upload.commit(wide);
        }
        assertThat(store.readAll(wide, 5)).isEqualTo(HELLO);
        assertThat(store.uploaded("a-1")).isEmpty();
        try (var upload = store.upload("b")) {
            upload.write(HELLO);
            assertThatThrownBy(() -> upload.commit(Digest.sha256(new byte[1]))).hasMessageContaining("unexpected digest");
        }
        assertThat(store.uploaded("b")).isEmpty();
        assertThatThrownBy(() -> store.upload("../b")).isInstanceOf(EngineException.Invalid.class);
        isClean();
    }

    @Test
    void collectionsSpareWhatIsNeededOrPinned() throws Exception {
        var needed = store.put(new byte[] {1});
        var pinned = store.put(new byte[] {2});
        var other = store.put(new byte[] {4, 4});
        try (var _ = store.pin(pinned)) {
            assertThat(store.collect(needed::equals)).isEqualTo(2);
        }
        assertThat(store.list()).containsExactlyInAnyOrder(needed, pinned);
        assertThat(store.touch(other)).isFalse();
        store.collect(_ -> false);
        assertThat(store.list()).isEmpty();
    }

    @Test
    void whatNobodyGoesOnWithIsSwept() throws Exception {
        store.ingest(DIGEST, 5).write(HELLO, 0, 2);
        Path file = Files.list(root.resolve("ingest")).findFirst().orElseThrow();
        store.sweepIngests(java.time.Instant.now().plusSeconds(60));
        assertThat(file).exists(); // open
        store = ContentStore.open(root, CommitSteps.REAL);
        assertThat(file).exists(); // young
        store.sweepIngests(java.time.Instant.now().plusSeconds(60));
        isClean();
    }
}
