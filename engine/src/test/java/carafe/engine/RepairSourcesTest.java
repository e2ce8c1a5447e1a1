package carafe.engine;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.image.ImageCheck;
import carafe.registry.TestRegistry;
import carafe.spec.EngineException;
import carafe.spec.docker.AuthConfig;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.MediaTypes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Where a repair gets its bytes from when some of those who have them are damaged too.
@Timeout(60)
class RepairSourcesTest {

    private static byte[] bytes(int seed) {
        byte[] bytes = new byte[300_000];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    @Test
    void whatAMirrorSendsWrongComesFromTheRegistry() throws Exception {
        byte[] right = bytes(1);
        try (var registry = new TestRegistry(); var mirror = new TestRegistry(); var client = mirror.mirrorOf(registry)) {
            var blob = registry.blob(right, MediaTypes.OCI_LAYER);
            mirror.blobs.put(blob.digest(), bytes(2));
            var got = new ArrayList<byte[]>();
            var sources = new RepairSources(client, Optional.empty(), AuthConfig.NONE);
            assertThat(sources.blob(blob, registry.host() + "/app", in -> got.add(in.readAllBytes()))).isTrue();
            assertThat(got).containsExactly(right);
        }
    }

    /// Of an index nobody says how long it is.
    @Test
    void anIndexComesByItsDigestAlone() throws Exception {
        try (var registry = new TestRegistry(); var client = TestRegistry.client()) {
            var index = registry.index("app", "1", List.of(registry.image("app", "own", bytes(1)).descriptor()));
            var got = new ArrayList<byte[]>();
            var sources = new RepairSources(client, Optional.empty(), AuthConfig.NONE);
            var wanted = Descriptor.of(MediaTypes.OCI_INDEX, index.descriptor().digest(), 0);
            assertThat(sources.blob(wanted, registry.host() + "/app", in -> got.add(in.readAllBytes()))).isTrue();
            assertThat(got).containsExactly(index.bytes());
        }
    }

    /// The bytes are the blob's, but of no use: nobody else has others.
    @Test
    void whatIsRefusedAndWhatIsNotThereIsNoRepair() throws Exception {
        ImageCheck.Taker refusing = _ -> {
            throw new EngineException.Invalid("no layer");
        };
        try (var registry = new TestRegistry(); var client = TestRegistry.client()) {
            var blob = registry.blob(bytes(1), MediaTypes.OCI_LAYER);
            var sources = new RepairSources(client, Optional.empty(), AuthConfig.NONE);
            assertThat(sources.blob(blob, registry.host() + "/app", refusing)).isFalse();
            for (var absent : List.of(MediaTypes.OCI_LAYER, MediaTypes.OCI_MANIFEST)) {
                assertThat(sources.blob(Descriptor.of(absent, bytes(3)), registry.host() + "/app", in -> in.readAllBytes())).isFalse();
            }
            assertThat(sources.blob(blob, "", _ -> { })).isFalse();
        }
    }
}
