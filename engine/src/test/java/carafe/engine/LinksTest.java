package carafe.engine;

import static carafe.engine.EngineHarness.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.engine.store.Change;
import carafe.engine.store.Database;
import carafe.engine.store.Row;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.ContainerConfig;
import carafe.spec.docker.EndpointSettings;
import java.nio.file.Files;
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
        try (var harness = new EngineHarness(root)) {
            assertThatThrownBy(() -> harness.containers().create(request("web", "{\"Links\":[\"nobody:db\"]}", "sleep")))
                    .isInstanceOf(EngineException.Invalid.class)
                    .hasMessage("could not get container for nobody: No such container: nobody");
        }
    }

    @Test
    void anAliasThatWouldBeMoreThanANameIsRefused() throws Exception {
        try (var harness = new EngineHarness(root)) {
            harness.create("db", "sleep");
            assertThatThrownBy(() -> harness.containers().create(
                    request("web", "{\"Links\":[\"db:x\\n1.2.3.4 evil\"]}", "sleep")))
                    .isInstanceOf(EngineException.Invalid.class)
                    .hasMessage("Invalid link alias (x?1.2.3.4 evil), only [a-zA-Z0-9][a-zA-Z0-9_.-]* are allowed");
            var endpoint = EndpointSettings.parse((Json.Obj) Json.parse("{\"Links\":[\"db:x evil\"]}"));
            assertThatThrownBy(() -> NetworkModes.checkSettings("linked", endpoint))
                    .isInstanceOf(EngineException.Invalid.class);
            harness.containers().create(request("web", "{\"Links\":[\"db:d\"]}", "sleep"));
        }
    }

    private static List<String> environment(EngineHarness harness, String id) {
        return harness.runtime.started().stream().filter(bundle -> bundle.id().equals(id)).toList().getLast()
                .spec().process().env();
    }

    private static List<String> links(EngineHarness harness) throws Exception {
        return harness.containers().inspect("web", false).container().host().document().texts("Links");
    }

    @Test
    void aLinkStaysWithItsContainerWhateverThatIsCalled() throws Exception {
        try (var harness = new EngineHarness(root)) {
            var containers = harness.containers();
            harness.create("db", "sleep");
            containers.start("db");
            String web = containers.create(request("web", "{\"Links\":[\"db:data\"]}", "sleep")).id();
            assertThat(links(harness)).containsExactly("/db:/web/data");
            containers.rename("db", "old");
            containers.create(request("db", "{}", "sleep"));
            containers.start("web");
            assertThat(links(harness)).containsExactly("/old:/web/data");
            assertThat(environment(harness, web)).contains("DATA_NAME=/web/data");
            containers.stop("web", StopRequest.DEFAULT);
            containers.remove("old", new RemoveRequest(true, false));
            containers.start("db");
            containers.start("web");
            assertThat(links(harness)).isEmpty();
            assertThat(environment(harness, web)).doesNotContain("DATA_NAME=/web/data");
        }
    }

    @Test
    void whoIsLinkedReadsTheNewNameInItsFile() throws Exception {
        try (var harness = new EngineHarness(root)) {
            var containers = harness.containers();
            String db = harness.create("db", "sleep");
            containers.start("db");
            String web = containers.create(request("web", "{\"Links\":[\"db:data\"]}", "sleep")).id();
            containers.start("web");
            Path hosts = new Layout(root.resolve("data"), root.resolve("run")).files(web).hosts();
            assertThat(Files.readString(hosts)).contains("\tdata " + db.substring(0, 12) + " db\n");
            containers.rename("db", "old");
            EngineHarness.eventually(
                    () -> Files.readString(hosts).contains("\tdata " + db.substring(0, 12) + " old\n"));
        }
    }

    /// The record as versions wrote it that kept names.
    @Test
    void aLinkByNameIsOneToTheContainerFromTheNextStartOfTheEngineOn() throws Exception {
        try (var harness = new EngineHarness(root)) {
            var containers = harness.containers();
            String db = harness.create("db", "sleep");
            String web = containers.create(request("web", "{\"Links\":[\"db:data\"]}", "sleep")).id();
            harness.engine.abandon();
            try (var database = Database.open(root.resolve("data/db"))) {
                var row = database.rows().stream().filter(each -> each.id().equals(web)).findFirst().orElseThrow();
                assertThat(row.document()).contains("\"" + db + ":data\"");
                database.write(new Change.Replace(new Row(row.id(), row.name(), row.state(), row.createdNanos(),
                        row.document().replace("\"" + db + ":data\"", "\"db:data\",\"nobody:other\""), row.status())));
            }
            harness.reopenAfterAbandon();
            harness.containers().rename("db", "old");
            assertThat(links(harness)).containsExactly("/old:/web/data");
            harness.crash();
            harness.containers().start("old");
            harness.containers().start("web");
            assertThat(environment(harness, web)).contains("DATA_NAME=/web/data");
        }
    }

    @Test
    void aParentWhoseFileCannotBeWrittenDoesNotStopTheStart() throws Exception {
        try (var harness = new EngineHarness(root)) {
            var containers = harness.containers();
            harness.create("db", "sleep");
            containers.start("db");
            String web = containers.create(request("web", "{\"Links\":[\"db:data\"]}", "sleep")).id();
            containers.start("web");
            containers.stop("db", StopRequest.DEFAULT);
            Path hosts = new Layout(root.resolve("data"), root.resolve("run")).files(web).hosts();
            Files.delete(hosts);
            Files.createDirectory(hosts);
            containers.start("db");
            assertThat(harness.state("db")).isInstanceOf(State.Running.class);
        }
    }
}
