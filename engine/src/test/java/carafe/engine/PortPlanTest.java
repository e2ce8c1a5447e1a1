package carafe.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.ContainerConfig;
import carafe.spec.docker.HostConfig;
import carafe.spec.network.IpAddress;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PortPlanTest {

    private static final ContainerConfig EXPOSING = config("{\"ExposedPorts\":{\"80/tcp\":{},\"53/udp\":{}}}");

    private static ContainerConfig config(String json) {
        try {
            return ContainerConfig.parse((Json.Obj) Json.parse(json));
        } catch (EngineException e) {
            throw new AssertionError(e);
        }
    }

    private static HostConfig host(String json) throws Exception {
        return HostConfig.parse((Json.Obj) Json.parse(json));
    }

    private static List<String> plan(String host, Optional<IpAddress> bind) throws Exception {
        return PortPlan.requests(host(host), EXPOSING, bind).stream()
                .map(request -> request.address().map(address -> address + " ").orElse("") + request.first() + "-"
                        + request.last() + "->" + request.containerPort() + "/" + request.protocol())
                .toList();
    }

    @Test
    void bindingsAreWhatDockerMeansByThem() throws Exception {
        assertThat(plan("""
                {"PortBindings":{"80":[{"HostPort":"8080"},{"HostIp":"::1","HostPort":"8000-8010"}],
                "53/UDP":[{"HostIp":"127.0.0.1","HostPort":""}],"90/sctp":[]}}""", Optional.empty()))
                .containsExactly("127.0.0.1 0-0->53/udp", "8080-8080->80/tcp", "::1 8000-8010->80/tcp", "0-0->90/sctp");
        assertThat(plan("{\"PortBindings\":{\"80/tcp\":[{\"HostPort\":\"8080\"}]},\"PublishAllPorts\":true}",
                Optional.of(IpAddress.parse("10.0.0.1"))))
                .containsExactly("10.0.0.1 8080-8080->80/tcp", "10.0.0.1 0-0->53/udp");
    }

    @Test
    void whatIsNoPortIsRefused() {
        for (String binding : List.of("\"0/tcp\":[]", "\"80/icmp\":[]", "\"80/tcp\":[{\"HostPort\":\"70000\"}]",
                "\"80/tcp\":[{\"HostPort\":\"9-8\"}]", "\"80/tcp\":[{\"HostIp\":\"here\",\"HostPort\":\"8\"}]")) {
            assertThatThrownBy(() -> plan("{\"PortBindings\":{" + binding + "}}", Optional.empty())).as(binding)
                    .isInstanceOf(EngineException.Invalid.class);
        }
    }
}
