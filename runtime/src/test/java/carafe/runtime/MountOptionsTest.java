package carafe.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MountOptionsTest {

    private static MountOptions parse(String... words) {
        return MountOptions.parse(List.of(words));
    }

    @Test
    void laterWordsWin() {
        assertThat(parse("ro", "rw").set()).isZero();
        assertThat(parse("ro", "rw").clear()).isEqualTo(MountOptions.RDONLY);
        assertThat(parse("rw", "ro").set()).isEqualTo(MountOptions.RDONLY);
        assertThat(parse("rprivate", "shared").propagation()).isEqualTo(MountOptions.MS_SHARED);
        assertThat(parse("noatime", "strictatime").set()).isEqualTo(MountOptions.STRICTATIME);
    }

    @Test
    void recursiveWordsAreKeptApart() {
        var options = parse("rbind", "ro", "rnosuid", "rro", "rslave");
        assertThat(options.recursiveBind()).isTrue();
        assertThat(options.set()).isEqualTo(MountOptions.RDONLY);
        assertThat(options.setAll()).isEqualTo(MountOptions.NOSUID | MountOptions.RDONLY);
        assertThat(options.recursivePropagation()).isTrue();
    }

    @Test
    void unknownWordsAreTheFilesystems() {
        assertThat(parse("size=64k", "mode=1777", "huge=within_size", "ro", "discard", "defaults").data())
                .containsExactly(Map.entry("size", "64k"), Map.entry("mode", "1777"),
                        Map.entry("huge", "within_size"), Map.entry("discard", ""));
        assertThat(parse("relatime", "r", "rubbish").data()).containsOnlyKeys("r", "rubbish");
    }

    @Test
    void wordsForPeople() {
        assertThat(MountOptions.words(parse("ro", "nosuid", "nodev", "noexec", "noatime").set()))
                .isEqualTo("ro,nosuid,nodev,noexec,noatime");
        assertThat(MountOptions.words(0)).isEqualTo("rw");
    }

    @Test
    void destinationsAreCleaned() {
        assertThat(MountSteps.normalized("data/../x//y/.")).isEqualTo("/x/y");
        assertThat(MountSteps.normalized("/../..")).isEqualTo("/");
    }

    @Test
    void sysctlNamesBecomePathsWhicheverSeparatorTheyUse() {
        assertThat(Checks.sysctlPath("net.ipv4.ip_forward")).isEqualTo("net/ipv4/ip_forward");
        assertThat(Checks.sysctlPath("net/ipv4/conf/eth0.1/forwarding")).isEqualTo("net/ipv4/conf/eth0.1/forwarding");
        assertThat(Checks.sysctlPath("net.ipv4.conf.eth0/1.forwarding")).isEqualTo("net/ipv4/conf/eth0.1/forwarding");
    }
}
