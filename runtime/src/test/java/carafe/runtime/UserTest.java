package carafe.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import carafe.runtime.StartFailure.Kind;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Who a container runs as.
class UserTest extends StageTest {

    private String identity(String user, String... groups) throws Exception {
        var spec = TestSpecs.standard(stage.id(), "sh", "-c", "echo $(id -u):$(id -g) $(id -G) $HOME");
        return stage.run(stage.bundle(spec, new UserRequest(user, List.of(groups)), Stdio.CLOSED)).out().strip();
    }

    private StartFailure failure(String user, String... groups) throws Exception {
        var bundle = stage.bundle(
                TestSpecs.standard(stage.id(), "true"), new UserRequest(user, List.of(groups)), Stdio.CLOSED);
        return catchThrowableOfType(StartFailure.class, () -> stage.runtime.start(bundle, List.of()));
    }

    @Test
    void namesAndNumbersAreResolvedInTheImage() throws Exception {
        assertThat(identity("")).isEqualTo("0:0 0 /root");
        assertThat(identity("app")).isEqualTo("1000:1001 1001 29 44 /home/app");
        assertThat(identity("1000")).isEqualTo("1000:1001 1001 29 44 /home/app");
        assertThat(identity("app:audio")).isEqualTo("1000:29 29 /home/app");
        assertThat(identity("app:7")).isEqualTo("1000:7 7 /home/app");
        assertThat(identity("4711")).isEqualTo("4711:0 0 /");
        assertThat(identity("4711:4712", "video", "99")).isEqualTo("4711:4712 4712 44 99 /");
    }

    @Test
    void unknownNamesAreRefused() throws Exception {
        assertThat(failure("nobody-here")).hasMessageContaining(
                "unable to find user nobody-here: no matching entries in passwd file");
        assertThat(failure("app:nogroup")).hasMessageContaining("unable to find group nogroup");
        assertThat(failure("app", "nogroup").kind()).isEqualTo(Kind.NO_SUCH_USER);
    }

    @Test
    void overflowingNumbersNeverBecomeRoot() throws Exception { // CVE-2024-40635
        for (String user : List.of("2147483648", "4294967295", "4294967296", "-1", "0x0", "99999999999999999999")) {
            assertThat(failure(user)).as(user).isNotNull();
            assertThat(failure(user).kind()).as(user).isEqualTo(Kind.NO_SUCH_USER);
        }
        assertThat(failure("huge").kind()).isEqualTo(Kind.NO_SUCH_USER);
        assertThat(failure("app:4294967296").kind()).isEqualTo(Kind.NO_SUCH_USER);
    }

    @Test
    void otherUsersHaveNoCapabilitiesAndTheDaemonsGroupsAreGone() throws Exception {
        var spec = TestSpecs.standard(stage.id(), "grep", "-e", "Cap", "-e", "Groups", "/proc/self/status");
        var status = stage.run(stage.bundle(spec, new UserRequest("1234:1234", List.of()), Stdio.CLOSED)).out();
        assertThat(status.replace("\t", "").lines().map(String::strip)).containsExactly(
                "Groups:1234", "CapInh:0000000000000000", "CapPrm:0000000000000000", "CapEff:0000000000000000",
                "CapBnd:00000000a80425fb", "CapAmb:0000000000000000");
    }

    @Test
    void otherUsersCanReopenTheirOutput() throws Exception {
        var spec = TestSpecs.standard(stage.id(), "sh", "-c", "echo out > /dev/stdout; echo err > /proc/self/fd/2");
        var output = stage.run(stage.bundle(spec, new UserRequest("app", List.of()), Stdio.CLOSED));
        assertThat(output.out()).isEqualTo("out\n");
        assertThat(output.err()).isEqualTo("err\n");
        var reader = TestSpecs.standard(stage.id(), "cat", "/dev/stdin");
        var bundle = stage.bundle(reader, new UserRequest("app", List.of()), new Stdio(true, true));
        try (var client = stage.runtime.endpoint(Set.of(StdStream.STDIN, StdStream.STDOUT))) {
            client.channel().write(ByteBuffer.wrap(new byte[] {'i', 'n', '\n'}));
            client.channel().shutdownOutput();
            var container = stage.runtime.start(bundle, List.of(client));
            assertThat(stage.finish(container, client, false).out()).isEqualTo("in\n");
        }
    }

    @Test
    void filterHoldsForOtherUsersWithoutNoNewPrivileges() throws Exception {
        var spec = TestSpecs.standard(stage.id(), "grep", "-e", "Seccomp:", "-e", "NoNew", "/proc/self/status");
        var output = stage.run(stage.bundle(spec, new UserRequest("app", List.of()), Stdio.CLOSED));
        assertThat(output.out()).isEqualTo("NoNewPrivs:\t0\nSeccomp:\t2\n");
    }
}
