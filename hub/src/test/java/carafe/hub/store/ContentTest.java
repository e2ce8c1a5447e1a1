package carafe.hub.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.hub.store.Refusal.Reason;
import carafe.image.CommitSteps;
import carafe.spec.oci.Digest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is still to be made durable, and what becomes of it when the disk does not take it.
class ContentTest {

    private static final byte[] BYTES = "some bytes".getBytes(StandardCharsets.UTF_8);
    private static final Digest DIGEST = Digest.sha256(BYTES);

    private final List<Digest> settled = new ArrayList<>();
    private volatile Optional<IOException> failure = Optional.empty();

    /// What the next reads end with.
    private final Deque<IOException> reads = new ArrayDeque<>();

    private final MemoryBlobs blobs = new MemoryBlobs() {
        @Override
        public Optional<StoredBlob> open(Digest digest) {
            return super.open(digest).map(Torn::new);
        }

        @Override
        public void settle(Collection<Digest> digests) throws IOException {
            if (failure.isPresent()) {
                throw failure.get();
            }
            settled.addAll(digests);
        }
    };
    private final Content content = new Content(blobs, Clock.systemUTC());

    private Upload upload() throws Exception {
        var upload = blobs.begin("a", Digest.Algorithm.SHA256);
        upload.append(new ByteArrayInputStream(BYTES), 0, 100);
        return upload;
    }

    private final class Torn implements StoredBlob {
        private final StoredBlob whole;

        Torn(StoredBlob whole) {
            this.whole = whole;
        }

        @Override
        public InputStream from(long offset) throws IOException {
            var failure = reads.poll();
            if (failure != null) {
                throw failure;
            }
            return whole.from(offset);
        }

        @Override
        public long size() {
            return whole.size();
        }

        @Override
        public String stamp() {
            return whole.stamp();
        }

        @Override
        public Optional<FileChannel> file() {
            return whole.file();
        }

        @Override
        public void close() throws IOException {
            whole.close();
        }
    }

    @Test
    void aReadThatAnInterruptEndsSaysNothingOfTheBytes() throws Exception {
        upload().commit(DIGEST);
        reads.add(new ClosedByInterruptException());
        assertThatThrownBy(() -> content.examine(DIGEST)).isInstanceOf(ClosedByInterruptException.class);
        assertThat(content.examine(DIGEST).orElseThrow().fault()).isEmpty();
    }

    @Test
    void whatCannotBeReadIsTakenAwayWhenItFailsTwice(@TempDir Path root) throws Exception {
        upload().commit(DIGEST);
        var repositories = Repositories.open(root, content, List.of(), Clock.systemUTC(), CommitSteps.REAL);
        var verifier = new Verifier(repositories, (_, _) -> false);
        var failure = new IOException("Input/output error");
        reads.add(failure);
        assertThat(verifier.run(true).faults()).isEmpty();
        assertThat(blobs.size(DIGEST)).isPresent();
        reads.addAll(List.of(failure, failure));
        assertThat(verifier.run(true).faults()).singleElement().satisfies(fault ->
                assertThat(fault.what()).isEqualTo("it cannot be read: Input/output error"));
        assertThat(blobs.size(DIGEST)).isEmpty();
    }

    @Test
    void aBlobIsSettledOnce() throws Exception {
        content.commit(upload(), DIGEST);
        content.settle(List.of(DIGEST));
        content.settle(List.of(DIGEST));
        assertThat(settled).containsExactly(DIGEST);
    }

    /// Whoever settles before the bytes are there settles nothing.
    @Test
    void whatIsSettledBeforeItsBytesAreThereIsSettledAgain() throws Exception {
        var upload = upload();
        content.commit(new Upload() {
            @Override
            public void commitUnsettled(Digest digest) throws IOException, Refusal {
                content.settle(List.of(digest));
                upload.commit(digest);
            }

            @Override
            public String id() {
                return upload.id();
            }

            @Override
            public long size() {
                return upload.size();
            }

            @Override
            public void append(InputStream from, long offset, long limitBytes) throws IOException, Refusal {
                upload.append(from, offset, limitBytes);
            }

            @Override
            public InputStream soFar(long offset) throws IOException {
                return upload.soFar(offset);
            }

            @Override
            public void commit(Digest digest) throws IOException, Refusal {
                upload.commit(digest);
            }

            @Override
            public void cancel() throws IOException {
                upload.cancel();
            }
        }, DIGEST);
        settled.clear();
        content.settle(List.of(DIGEST));
        assertThat(settled).containsExactly(DIGEST);
    }

    @Test
    void aRefusedBlobLeavesNothingToSettle() throws Exception {
        var other = Digest.sha256(new byte[1]);
        assertThatThrownBy(() -> content.commit(upload(), other)).isInstanceOfSatisfying(Refusal.class,
                refusal -> assertThat(refusal.reason()).isEqualTo(Reason.DIGEST_INVALID));
        content.settle(List.of(other));
        assertThat(settled).isEmpty();
    }

    /// The kernel says once that it lost bytes; who asks again is told that all is well.
    @Test
    void whatTheDiskDidNotTakeIsGone() throws Exception {
        content.commit(upload(), DIGEST);
        failure = Optional.of(new IOException("Input/output error"));
        assertThatThrownBy(() -> content.settle(List.of(DIGEST))).isSameAs(failure.get());
        failure = Optional.empty();
        assertThat(blobs.size(DIGEST)).isEmpty();
        content.commit(upload(), DIGEST);
        content.settle(List.of(DIGEST));
        assertThat(settled).containsExactly(DIGEST);
    }

    @Test
    void anInterruptLeavesWhatTheDiskWasNotAskedToTake() throws Exception {
        content.commit(upload(), DIGEST);
        failure = Optional.of(new ClosedByInterruptException());
        assertThatThrownBy(() -> content.settle(List.of(DIGEST))).isSameAs(failure.get());
        failure = Optional.empty();
        content.settle(List.of(DIGEST));
        assertThat(settled).containsExactly(DIGEST);
        assertThat(blobs.size(DIGEST)).isPresent();
    }

    /// Somebody links the blob while the disk fails.
    @Test
    void whatCannotBeDeletedYetIsRefusedUntilItIs() throws Exception {
        content.commit(upload(), DIGEST);
        content.linking(DIGEST, () -> {
            failure = Optional.of(new IOException("Input/output error"));
            var thread = Thread.ofVirtual().start(() -> assertThatThrownBy(() -> content.settle(List.of(DIGEST)))
                    .isSameAs(failure.get()));
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            return DIGEST;
        });
        assertThat(blobs.size(DIGEST)).isPresent();
        failure = Optional.empty();
        assertThatThrownBy(() -> content.settle(List.of(DIGEST))).hasMessageContaining("must be pushed again");
        assertThat(blobs.size(DIGEST)).isEmpty();
        content.commit(upload(), DIGEST);
        content.settle(List.of(DIGEST));
        assertThat(settled).containsExactly(DIGEST);
    }
}
