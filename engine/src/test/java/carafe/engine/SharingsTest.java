package carafe.engine;

import static carafe.engine.EngineHarness.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.oci.IdMaps;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Whose processes may be shared.
final class SharingsTest {

    private static final String TRACES = "\"CapAdd\":[\"SYS_PTRACE\"]";

    @TempDir
    Path root;

    @SuppressWarnings("NullAway.Init") // before each test
    private EngineHarness harness;

    @BeforeEach
    void open() throws Exception {
        harness = new EngineHarness(root, UserIds.USUAL);
    }

    @AfterEach
    void close() throws Exception {
        harness.close();
    }

    private void started(String name, String host) throws Exception {
        harness.containers().create(request(name, host, "sleep"));
        harness.containers().start(name);
    }

    private void refused(String name, String host, String tracer) throws Exception {
        harness.containers().create(request(name, host, "sleep"));
        assertThatThrownBy(() -> harness.containers().start(name))
                .isInstanceOf(EngineException.Conflict.class)
                .hasMessage("failed to join PID namespace: container " + tracer + " may trace processes there"
                        + " (SYS_PTRACE) with the host's users, and would be root on the host by tracing container "
                        + name + " while it is started; make container " + tracer + " anew without SYS_PTRACE"
                        + " (--cap-drop SYS_PTRACE), or with users of its own (--userns=auto for it or for the one"
                        + " whose processes it shares)");
        assertThat(harness.state(name).alive()).isFalse();
    }

    private void runs(String name, String host) throws Exception {
        started(name, host);
        assertThat(harness.state(name)).isInstanceOf(State.Running.class);
    }

    @Test
    void nobodyStartsAmongProcessesOfOneThatMayTraceAsTheHostsRoot() throws Exception {
        started("tracer", "{" + TRACES + "}");
        refused("guest", "{\"PidMode\":\"container:tracer\"}", "tracer");
        started("all", "{\"CapAdd\":[\"ALL\"]}");
        refused("other", "{\"PidMode\":\"container:all\"}", "all");
        started("most", "{\"CapAdd\":[\"ALL\"],\"CapDrop\":[\"SYS_PTRACE\"]}");
        runs("third", "{\"PidMode\":\"container:most\"}");
        started("sharer", "{\"IpcMode\":\"shareable\"," + TRACES + "}");
        runs("member", "{\"IpcMode\":\"container:sharer\"}");
    }

    @Test
    void oneThatTracesMayComeAndNobodyAfterItWhileItRuns() throws Exception {
        started("owner", "{}");
        runs("debugger", "{\"PidMode\":\"container:owner\"," + TRACES + "}");
        refused("guest", "{\"PidMode\":\"container:owner\"}", "debugger");
        refused("far", "{\"PidMode\":\"container:debugger\"}", "debugger");
        harness.containers().stop("debugger", StopRequest.DEFAULT);
        harness.containers().start("guest");
        assertThat(harness.state("guest")).isInstanceOf(State.Running.class);
    }

    @Test
    void whoIsTheHostsRootAnywayOrHasUsersOfItsOwnMayHaveGuests() throws Exception {
        started("privileged", "{\"Privileged\":true}");
        runs("first", "{\"PidMode\":\"container:privileged\"}");
        started("mapped", "{\"UsernsMode\":\"auto\"," + TRACES + "}");
        runs("second", "{\"PidMode\":\"container:mapped\"}");
        assertThat(harness.containers().inspect("second", false).container().host().namespaces().ids())
                .isNotEqualTo(IdMaps.NONE);
        started("overseer", "{\"PidMode\":\"host\"," + TRACES + "}");
        runs("third", "{\"PidMode\":\"container:overseer\"}");
    }
}
