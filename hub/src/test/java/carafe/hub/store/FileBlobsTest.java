package carafe.hub.store;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.image.CommitSteps;
import carafe.spec.oci.Digest;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The storage that is there.
class FileBlobsTest extends BlobsContract {

    private final List<String> steps = new ArrayList<>();

    @Override
    Blobs open() throws Exception {
        CommitSteps noting = steps::add;
        return FileBlobs.open(directory.resolve("content"), noting);
    }

    @Override
    void damage(Digest digest, byte[] bytes) throws Exception {
        var file = directory.resolve("content/blobs/sha256").resolve(digest.hex());
        Files.write(file, bytes);
        Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(1)));
    }

    /// A name that is there may be relied on, so nothing takes its place that a power cut could take.
    @Test
    void onlyWhatIsNewWaitsForItsSync() throws Exception {
        var blobs = open();
        steps.clear();
        store(blobs);
        assertThat(steps).containsExactly("create ingest", "rename blob");
        blobs.settle(List.of(Digest.sha256(new byte[100])));
        assertThat(steps).endsWith("rename blob", "sync blob", "sync blob directory");
        steps.clear();
        store(blobs);
        assertThat(steps).containsExactly("create ingest", "sync blob", "rename blob", "sync blob directory");
    }

    private static void store(Blobs blobs) throws Exception {
        var upload = blobs.begin("a", Digest.Algorithm.SHA256);
        upload.append(new ByteArrayInputStream(new byte[100]), 0, 100);
        upload.commitUnsettled(Digest.sha256(new byte[100]));
    }
}
