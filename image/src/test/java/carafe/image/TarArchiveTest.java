package carafe.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import java.io.ByteArrayInputStream;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TarArchiveTest {

    private static final long LARGEST = 999_999_999_999_999_999L; // that a pax record may say

    private static byte[] sparse(long... sizes) {
        var tar = new TestTar();
        for (long size : sizes) {
            tar.add(TestTar.file("s" + size, "").pax("GNU.sparse.size", String.valueOf(size)));
        }
        return tar.bytes();
    }

    private static List<Long> sizes(byte[] tar) throws Exception {
        var sizes = new ArrayList<Long>();
        TarArchive.read(new ByteArrayInputStream(tar), (member, _) -> sizes.add(member.size()));
        return sizes;
    }

    @Test
    void holesCountAsWhatIsUnpacked() throws Exception {
        assertThat(sizes(sparse(500 << 20, 500 << 20))).containsExactly(500L << 20, 500L << 20);
        for (long[] many : List.of(new long[] {2L << 30}, new long[] {900 << 20, 900 << 20}, new long[] {LARGEST},
                new long[] {5, LARGEST, LARGEST})) {
            assertThatThrownBy(() -> sizes(sparse(many))).isInstanceOf(EngineException.Invalid.class)
                    .hasMessageMatching("the archive, with the holes of s\\d+, unpacks to more than 200 times its size");
        }
    }
}
