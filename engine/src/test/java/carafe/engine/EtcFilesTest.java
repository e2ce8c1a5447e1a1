package carafe.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.HostConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EtcFilesTest {

    private static final String RESOLVED = "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch stub.example\n";

    @TempDir
    Path directory;

    private ContainerDetails.Files files;

    @BeforeEach
    void open() {
        var own = directory.resolve("own");
        files = new ContainerDetails.Files(
                own.resolve("log"), own.resolve("hosts"), own.resolve("hostname"), own.resolve("resolv.conf"));
    }

    private void host(String file, String text) throws Exception {
        Files.writeString(directory.resolve(file), text);
    }

    /// The container's resolv.conf with this HostConfig, `named` in a network with a name server of ours.
    private String resolver(String host, boolean named) throws Exception {
        write(host, new EtcFiles.Known(List.of(), List.of(), named));
        return Files.readString(files.resolver());
    }

    private void write(String host, EtcFiles.Known known) throws Exception {
        var etc = new EtcFiles(new EtcFiles.Host(directory, directory.resolve("resolved.conf")), NameDefaults.NONE);
        etc.write(files, "me", HostConfig.parse((Json.Obj) Json.parse(host)), known);
    }

    @Test
    void serversOfTheHostThatOthersReachAreThoseOfItsContainers() throws Exception {
        host("resolv.conf", "# mine\nnameserver 127.0.0.1\nnameserver 192.0.2.1\nnameserver ::1\nsearch example.org\n");
        assertThat(resolver("{}", false)).isEqualTo("nameserver 192.0.2.1\nsearch example.org\n");
    }

    @Test
    void whereSystemdResolvesItsOwnServersAreAsked() throws Exception {
        host("resolv.conf", RESOLVED);
        host("resolved.conf", "nameserver 192.0.2.53\nnameserver 192.0.2.54\nsearch real.example\n");
        assertThat(resolver("{}", false))
                .isEqualTo("nameserver 192.0.2.53\nnameserver 192.0.2.54\nsearch real.example\n");
        assertThat(resolver("{}", true))
                .isEqualTo("nameserver 127.0.0.11\nsearch real.example\noptions ndots:0\n");
        assertThat(resolver("{\"NetworkMode\":\"host\"}", false)).as("on the loopback itself").isEqualTo(RESOLVED);
    }

    @Test
    void whoNamesMoreThanSystemdsServerMeansWhatIsWritten() throws Exception {
        host("resolv.conf", "nameserver 127.0.0.53\nnameserver 192.0.2.1\n");
        host("resolved.conf", "nameserver 192.0.2.53\n");
        assertThat(resolver("{}", false)).isEqualTo("nameserver 192.0.2.1\n");
    }

    @Test
    void withoutAnyServerThereAreDockers() throws Exception {
        host("resolv.conf", "nameserver 127.0.0.1\nsearch example.org\n");
        assertThat(resolver("{}", false)).isEqualTo("nameserver 8.8.8.8\nnameserver 8.8.4.4\nsearch example.org\n");
        host("resolv.conf", RESOLVED); // and nothing in the place of its servers
        assertThat(resolver("{}", false)).isEqualTo("nameserver 8.8.8.8\nnameserver 8.8.4.4\n");
        Files.delete(directory.resolve("resolv.conf"));
        assertThat(resolver("{}", false)).isEqualTo("nameserver 8.8.8.8\nnameserver 8.8.4.4\n");
    }

    @Test
    void theHostHasAnAddressOrTheStartSaysThatItHasNone() throws Exception {
        String host = "{\"ExtraHosts\":[\"gate:host-gateway\"]}";
        write(host, new EtcFiles.Known(List.of(), List.of("172.17.0.1"), false));
        assertThat(Files.readString(files.hosts())).endsWith("172.17.0.1\tgate\n");
        assertThatThrownBy(() -> write(host, new EtcFiles.Known(List.of(), List.of(), false)))
                .isInstanceOf(EngineException.Unavailable.class)
                .hasMessageStartingWith("unable to derive the IP value for host-gateway (--add-host gate:host-gateway)");
    }

    @Test
    void whoAsksForServersGetsThem() throws Exception {
        host("resolv.conf", RESOLVED);
        assertThat(resolver("{\"Dns\":[\"192.0.2.9\"]}", false)).isEqualTo("nameserver 192.0.2.9\n");
        assertThat(resolver("{\"Dns\":[\"192.0.2.9\"]}", true)).startsWith("nameserver 127.0.0.11\n")
                .doesNotContain("192.0.2.9");
    }
}
