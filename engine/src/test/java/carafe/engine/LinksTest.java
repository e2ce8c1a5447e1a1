package carafe.engine;

import static carafe.engine.EngineHarness.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.ContainerConfig;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a container learns of those it is linked to.
final class LinksTest {

    @TempDir
    Path root;

    private static List<String> variables(String config) throws Exception {
        return Links.variables("/web/data-base", "172.17.0.2", ContainerConfig.parse((Json.Obj) Json.parse(config)));
    }

    @Test
    void portsInARowAreToldAsARowOfTheirProtocol() throws Exception {
        assertThat(variables("{\"ExposedPorts\":{\"53/udp\":{},\"80/tcp\":{},\"81/tcp\":{},\"83/tcp\":{}}}"))
                .startsWith("DATA_BASE_PORT=udp://172.17.0.2:53")
                .contains("DATA_BASE_PORT_80_TCP_START=tcp://172.17.0.2:80", "DATA_BASE_PORT_80_TCP_PORT_END=81",
                        "DATA_BASE_PORT_83_TCP=tcp://172.17.0.2:83", "DATA_BASE_PORT_53_UDP_PROTO=udp")
                .noneMatch(variable -> variable.startsWith("DATA_BASE_PORT_53_UDP_START")
                        || variable.startsWith("DATA_BASE_PORT_83_TCP_START"));
    }

    @Test
    void oneWithoutPortsHasItsNameAndItsEnvironmentButNotItsPaths() throws Exception {
        assertThat(variables("{\"Env\":[\"PATH=/bin\",\"HOME=/\",\"A=b=c\",\"EMPTY=\"]}")).containsExactly(
                "DATA_BASE_NAME=/web/data-base", "DATA_BASE_ENV_A=b=c", "DATA_BASE_ENV_EMPTY=");
    }

    @Test
    void linksToNobodyAreRefused() throws Exception {
        var harness = new EngineHarness(root);
        try {
            assertThatThrownBy(() -> harness.containers().create(request("web", "{\"Links\":[\"nobody:db\"]}", "sleep")))
                    .isInstanceOf(EngineException.Invalid.class)
                    .hasMessage("could not get container for nobody: No such container: nobody");
        } finally {
            harness.close();
        }
    }
}
