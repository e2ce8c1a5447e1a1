package carafe.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.engine.UserIds;
import carafe.spec.EngineException;
import carafe.spec.oci.IdMaps;
import carafe.spec.oci.RuntimeSpec.IdMapping;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SubIdsTest {

    @TempDir
    Path etc;

    @BeforeEach
    void host() throws Exception {
        Files.writeString(etc.resolve("passwd"), "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n");
        Files.writeString(etc.resolve("group"), "root:x:0:\nstaff:x:50:ann\n");
    }

    private void divided(String uids, String gids) throws Exception {
        Files.writeString(etc.resolve("subuid"), uids);
        Files.writeString(etc.resolve("subgid"), gids);
    }

    private UserIds read(String remap) throws Exception {
        return SubIds.read(etc, remap.isEmpty() ? Optional.empty() : Optional.of(remap));
    }

    @Test
    void aHostThatDividesNothingLeavesTheUsualIds() throws Exception {
        assertThat(read("")).isEqualTo(UserIds.USUAL);
        assertThat(read("default").remap()).isEqualTo(IdMaps.range(UserIds.FIRST, UserIds.FIRST, 65_536));
    }

    @Test
    void usersAreFoundByNameAndNumberWithTheirGroup() throws Exception {
        divided("# comment\nann:100000:65536\nann:300000:10\nbroken\n", "ann:500000:65536\nstaff:600000:1000\n");
        var uids = List.of(new IdMapping(0, 100_000, 65_536), new IdMapping(65_536, 300_000, 10));
        assertThat(read("ann").remap()).isEqualTo(new IdMaps(uids, List.of(new IdMapping(0, 500_000, 65_536))));
        assertThat(read("1000:50").remap()).isEqualTo(new IdMaps(uids, List.of(new IdMapping(0, 600_000, 1000))));
    }

    /// Whose name it is nobody can say; that they are taken is known all the same.
    @Test
    void aNameThatIsNoUtf8StopsNothingAndKeepsItsIds() throws Exception {
        Files.write(etc.resolve("subuid"), "\u00fc\u00fc:100000:65536\nann:300000:70000\n".getBytes(StandardCharsets.ISO_8859_1));
        Files.writeString(etc.resolve("subgid"), "ann:300000:70000\n");
        assertThat(read("ann").remap()).isEqualTo(IdMaps.range(300_000, 300_000, 70_000));
        assertThat(read("").automatic().taken()).contains(new UserIds.Taken(100_000, 65_536));
    }

    @Test
    void dockersDefaultUserIsHonoured() throws Exception {
        divided("dockremap:200000:65536\n", "dockremap:200000:65536\n");
        assertThat(read("default").remap()).isEqualTo(IdMaps.range(200_000, 200_000, 65_536));
    }

    @Test
    void whatIsGivenToUsersOfTheHostIsNotGivenToContainers() throws Exception {
        divided("ann:100000:65536\ncontainers:1000000:500000\n", "ann:100000:65536\ncontainers:2000000:400000\n");
        var pool = read("").automatic();
        assertThat(pool.firstUid()).isEqualTo(1_000_000);
        assertThat(pool.firstGid()).isEqualTo(2_000_000);
        assertThat(pool.size()).isEqualTo(400_000);
        assertThat(pool.taken()).containsExactly(new UserIds.Taken(100_000, 65_536), new UserIds.Taken(100_000, 65_536));
    }

    @Test
    void refusalsSayWhatIsMissing() throws Exception {
        divided("ann:100000:65536\n", "");
        assertThatThrownBy(() -> read("ann")).isInstanceOf(EngineException.Invalid.class)
                .hasMessageStartingWith("Can't create ID mappings: No subgid ranges found for group \"ann\"")
                .hasMessageContaining("ann:100000:65536");
        assertThatThrownBy(() -> read("bob")).hasMessageContaining("there is no user \"bob\"");
        assertThatThrownBy(() -> read("a:b:c")).hasMessageContaining("invalid userns-remap \"a:b:c\"");
    }
}
