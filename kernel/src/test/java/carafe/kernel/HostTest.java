package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(NothingLeft.class)
class HostTest {

    @Test
    void describesTheMachine() throws Exception {
        assertThat(Host.name().system()).isEqualTo("Linux");
        assertThat(Host.name().release()).isEqualTo(System.getProperty("os.version"));
        assertThat(Host.name().node()).isEqualTo(Files.readString(Path.of("/proc/sys/kernel/hostname")).strip());
        assertThat(Host.memory().totalBytes()).isGreaterThan(Host.memory().availableBytes()).isPositive();
        assertThat(Host.processors()).isPositive();
        assertThat(Host.bootId()).matches("[0-9a-f-]{36}");
        assertThat(Host.sysctl("kernel.ostype")).contains("Linux");
        assertThat(Host.sysctl("kernel.no.such")).isEmpty();
        assertThat(Host.sysctl("../../etc/hostname")).isEmpty();
    }

    @Test
    void readsOsReleaseWithAndWithoutQuotes() {
        assertThat(Host.osRelease("# comment\nID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n\nEMPTY=\nX='y'\n="))
                .containsEntry("ID", "debian").containsEntry("PRETTY_NAME", "Debian GNU/Linux 12")
                .containsEntry("EMPTY", "").containsEntry("X", "y").hasSize(4);
        assertThat(Host.osRelease()).isNotEmpty();
    }

    @Test
    void capabilitiesByAnyOfTheirNames() {
        assertThat(Capabilities.number("CAP_NET_ADMIN")).contains(12);
        assertThat(Capabilities.number("net_admin")).contains(12);
        assertThat(Capabilities.number("CAP_NONE")).isEmpty();
        assertThat(Capabilities.name(40)).contains("CAP_CHECKPOINT_RESTORE");
        assertThat(Capabilities.name(64)).isEmpty();
        assertThat(Capabilities.mask(List.of("CHOWN", "CAP_SYS_ADMIN"))).isEqualTo(1 | 1 << 21);
        assertThat(Capabilities.names(1 | 1 << 21)).containsExactly("CAP_CHOWN", "CAP_SYS_ADMIN");
        assertThat(Capabilities.all()).contains("CAP_CHOWN").hasSizeLessThanOrEqualTo(Capabilities.lastNumber() + 1);
        assertThatThrownBy(() -> Capabilities.mask(List.of("CAP_NONE"))).hasMessage("no such capability: CAP_NONE");
    }

    @Test
    void whatWeLackIsKnownBeforeItIsAskedFor() throws Exception {
        long available = Capabilities.available();
        assertThat(available & Capabilities.mask(List.of("CAP_SYS_ADMIN"))).isNotZero();
        assertThat(Capabilities.mask(Capabilities.lacking(Capabilities.all())) & available).isZero();
        assertThat(Capabilities.lacking(List.of("CAP_SYS_ADMIN"))).isEmpty();
    }

    @Test
    void limitsOfResourcesStayWithinWhatWeMayGive() throws Exception {
        int files = Rlimits.number("RLIMIT_NOFILE").orElseThrow();
        assertThat(files).isEqualTo(Linux.RLIMIT_NOFILE).isEqualTo(Rlimits.number("nofile").orElseThrow());
        assertThat(Rlimits.number("rttime")).contains(Linux.RLIMIT_RTTIME);
        assertThat(Rlimits.number("RLIMIT_NONE")).isEmpty();
        var own = Rlimits.own(files);
        assertThat(own.hard()).isPositive();
        assertThat(own.name()).isEqualTo("RLIMIT_NOFILE");

        var modest = new Rlimits.Limit(files, 16, 32);
        assertThat(Rlimits.clamp(modest)).isEqualTo(modest);
        var greedy = new Rlimits.Limit(files, own.hard() + 1, own.hard() + 2);
        boolean mayRaise = Capabilities.lacking(List.of("CAP_SYS_RESOURCE")).isEmpty();
        assertThat(Rlimits.clamp(greedy)).isEqualTo(mayRaise ? greedy
                : new Rlimits.Limit(files, own.hard(), own.hard()));
        var endless = new Rlimits.Limit(files, -1, -1);
        assertThat(Rlimits.clamp(endless).hard()).isEqualTo(mayRaise ? -1 : own.hard());
    }
}
