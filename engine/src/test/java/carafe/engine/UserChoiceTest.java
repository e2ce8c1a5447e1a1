package carafe.engine;

import static carafe.engine.EngineHarness.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.engine.UserIds.Pool;
import carafe.engine.UserIds.Taken;
import carafe.spec.EngineException;
import carafe.spec.oci.IdMaps;
import carafe.spec.oci.LinuxSpec.Namespace;
import carafe.spec.oci.LinuxSpec.NamespaceType;
import carafe.spec.oci.RuntimeSpec.IdMapping;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class UserChoiceTest {

    private static final String PRIVILEGED = "privileged mode is incompatible with user namespaces.  You must run the"
            + " container in the host namespace when running privileged mode";

    @TempDir
    Path root;

    @SuppressWarnings("NullAway.Init") // every test opens one
    private EngineHarness harness;

    private Containers open(UserIds ids) throws Exception {
        harness = new EngineHarness(root, ids);
        return harness.containers();
    }

    @AfterEach
    void close() throws Exception {
        harness.close();
    }

    private IdMaps ids(String name) throws Exception {
        return harness.containers().inspect(name, false).container().host().namespaces().ids();
    }

    private static UserIds pool(long size, Taken... taken) {
        return new UserIds(IdMaps.NONE, new Pool(1_000_000, 2_000_000, size, List.of(taken)));
    }

    @Test
    void everyContainerGetsIdsThatNoOtherHasAndGivesThemBack() throws Exception {
        var containers = open(pool(1000));
        containers.create(request("aa", "{\"UsernsMode\":\"auto:size=400\"}", "sleep"));
        containers.create(request("bb", "{\"UsernsMode\":\"auto:size=400\"}", "sleep"));
        assertThat(ids("aa")).isEqualTo(IdMaps.range(1_000_000, 2_000_000, 400));
        assertThat(ids("bb")).isEqualTo(IdMaps.range(1_000_400, 2_000_400, 400));
        assertThatThrownBy(() -> containers.create(request("cc", "{\"UsernsMode\":\"auto:size=400\"}", "sleep")))
                .isInstanceOf(EngineException.Unavailable.class)
                .hasMessageContaining("no 400 ids of the host are free")
                .hasMessageContaining("--userns=auto:size=N");
        containers.remove("aa", new RemoveRequest(false, false));
        containers.create(request("cc", "{\"UsernsMode\":\"auto:size=400\"}", "sleep"));
        assertThat(ids("cc")).isEqualTo(IdMaps.range(1_000_000, 2_000_000, 400));
        harness.crash();
        assertThat(ids("bb")).isEqualTo(IdMaps.range(1_000_400, 2_000_400, 400));
        assertThatThrownBy(() -> harness.containers().create(
                request("dd", "{\"UsernsMode\":\"auto:size=400\"}", "sleep")))
                .isInstanceOf(EngineException.Unavailable.class);
    }

    @Test
    void aFailedCreationKeepsNoIds() throws Exception {
        var containers = open(pool(1000));
        containers.create(request("aa", "{}", "sleep"));
        assertThatThrownBy(() -> containers.create(request("aa", "{\"UsernsMode\":\"auto:size=1000\"}", "sleep")))
                .isInstanceOf(EngineException.Conflict.class);
        containers.create(request("bb", "{\"UsernsMode\":\"auto:size=1000\"}", "sleep"));
        assertThat(ids("bb").uids()).containsExactly(new IdMapping(0, 1_000_000, 1000));
    }

    @Test
    void idsOfTheHostsUsersAreLeftAlone() throws Exception {
        var containers = open(pool(1000, new Taken(1_000_100, 50), new Taken(2_000_300, 1)));
        containers.create(request("aa", "{\"UsernsMode\":\"auto:size=200\"}", "sleep"));
        assertThat(ids("aa")).isEqualTo(IdMaps.range(1_000_301, 2_000_301, 200));
    }

    @Test
    void aKeptIdStandsForItselfAndIsTheUser() throws Exception {
        var containers = open(pool(100_000));
        containers.create(request("aa", "{\"UsernsMode\":\"keep-id:uid=1000,gid=5000,size=4000\"}", "sleep"));
        assertThat(ids("aa").uids()).containsExactly(new IdMapping(0, 1_000_000, 1000), new IdMapping(1000, 1000, 1),
                new IdMapping(1001, 1_001_001, 2999));
        assertThat(ids("aa").gids()).containsExactly(new IdMapping(0, 2_000_000, 4000), new IdMapping(5000, 5000, 1));
        assertThat(containers.inspect("aa", false).container().config().command().user()).isEqualTo("1000:5000");
        assertThatThrownBy(() -> containers.create(request("bb", "{\"UsernsMode\":\"keep-id\"}", "sleep")))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("say which user is kept");
        assertThatThrownBy(() -> containers.create(request("bb", "{\"UsernsMode\":\"keep-id:uid=0\"}", "sleep")))
                .isInstanceOf(EngineException.Invalid.class);
    }

    @Test
    void aRemappedDaemonSaysNoInDockersWords() throws Exception {
        var containers = open(new UserIds(IdMaps.range(500_000, 600_000, 65_536), UserIds.USUAL.automatic()));
        containers.create(request("mapped", "{}", "sleep"));
        containers.create(request("hosts", "{\"UsernsMode\":\"host\"}", "sleep"));
        assertThat(ids("mapped")).isEqualTo(IdMaps.range(500_000, 600_000, 65_536));
        assertThat(ids("hosts")).isEqualTo(IdMaps.NONE);
        assertThatThrownBy(() -> containers.create(request("", "{\"Privileged\":true}", "sleep"))).hasMessage(PRIVILEGED);
        assertThatThrownBy(() -> containers.create(request("", "{\"NetworkMode\":\"host\"}", "sleep")))
                .hasMessage("cannot share the host's network namespace when user namespaces are enabled");
        assertThatThrownBy(() -> containers.create(request("", "{\"PidMode\":\"host\"}", "sleep")))
                .hasMessage("cannot share the host PID namespace when user namespaces are enabled");
        containers.create(request("ok", "{\"Privileged\":true,\"UsernsMode\":\"host\"}", "sleep"));
        assertThat(harness.engine.host().machine().securityOptions()).contains("name=userns");
    }

    @Test
    void aLimitOfTheRootThatNobodyWouldKeepIsRefused() throws Exception {
        var containers = open(UserIds.USUAL);
        assertThatThrownBy(() -> containers.create(request("", "{\"StorageOpt\":{\"size\":\"1g\"}}", "sleep")))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessageStartingWith("--storage-opt is supported only for overlay over xfs with 'pquota' mount option");
    }

    @Test
    void whoSharesANetworkSharesItsUsers() throws Exception {
        var containers = open(UserIds.USUAL);
        containers.create(request("auto", "{\"UsernsMode\":\"auto\"}", "sleep"));
        containers.create(request("beside", "{\"NetworkMode\":\"container:auto\"}", "sleep"));
        assertThat(ids("beside")).isEqualTo(ids("auto"));
        containers.create(request("plain", "{}", "sleep"));
        assertThatThrownBy(() -> containers.create(
                request("", "{\"NetworkMode\":\"container:plain\",\"UsernsMode\":\"auto\"}", "sleep")))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("cannot share the network of container plain")
                .hasMessageContaining("--userns=host");
    }

    @Test
    void aStartIsGivenNamespacesAndLetsGoOfThem() throws Exception {
        var containers = open(UserIds.USUAL);
        containers.create(request("auto", "{\"UsernsMode\":\"auto\"}", "sleep", "1000"));
        containers.start("auto");
        containers.create(request("beside", "{\"NetworkMode\":\"container:auto\"}", "sleep", "1000"));
        containers.start("beside");
        var specs = harness.runtime.started().stream().map(bundle -> bundle.spec().linux()).toList();
        assertThat(specs.getFirst().ids()).isEqualTo(IdMaps.range(UserIds.FIRST, UserIds.FIRST, 65_536));
        assertThat(specs.getFirst().namespaces()).contains(
                new Namespace(NamespaceType.USER, "/proc/self/fd/USER"),
                new Namespace(NamespaceType.NETWORK, "/proc/self/fd/NET"));
        assertThat(specs.getFirst().sysctl()).containsEntry("net.ipv4.ping_group_range", "0 65535");
        assertThat(specs.getLast().namespace(NamespaceType.USER).orElseThrow().path()).matches("/proc/[0-9]+/ns/user");
        for (String name : List.of("auto", "beside")) {
            containers.remove(name, new RemoveRequest(true, false));
        }
    }
}
