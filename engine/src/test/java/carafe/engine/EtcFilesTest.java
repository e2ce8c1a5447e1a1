package carafe.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.HostConfig;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
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

    private static EtcFiles.Known known(boolean named, String... lines) {
        return new EtcFiles.Known(
                Stream.of(lines).map(line -> line.split(" ", 2)).map(words -> new Memberships.HostLine(words[0], words[1])).toList(),
                List.of(), named);
    }

    private EtcFiles etc() {
        return new EtcFiles(new EtcFiles.Host(directory, directory.resolve("resolved.conf")), NameDefaults.NONE);
    }

    @Test
    void whatTheContainerWroteInItsHostsStaysWhenItsNetworksChange() throws Exception {
        write("{}", known(false, "10.0.0.2 me", "10.0.0.9 db"));
        String before = Files.readString(files.hosts());
        assertThat(before).endsWith("10.0.0.2\tme\n10.0.0.9\tdb\n");
        Files.writeString(files.hosts(), "# m\u00e9moire\n" + before.replace("ff02::1\tip6-allnodes\n", "") + "192.0.2.7\tmine");
        etc().updateHosts(files, known(false, "10.0.0.2 me", "10.1.0.2 me", "10.0.0.8 db"));
        assertThat(Files.readString(files.hosts())).startsWith("# m\u00e9moire\n").doesNotContain("ip6-allnodes", "10.0.0.9")
                .endsWith("10.0.0.2\tme\n192.0.2.7\tmine\n10.1.0.2\tme\n10.0.0.8\tdb\n");
        etc().updateHosts(files, known(false, "10.1.0.2 me"));
        assertThat(Files.readString(files.hosts())).endsWith("ip6-allrouters\n192.0.2.7\tmine\n10.1.0.2\tme\n");
        Files.writeString(files.hosts(), "");
        etc().updateHosts(files, known(false, "10.1.0.2 me"));
        assertThat(files.hosts()).as("what it removed stays away").isEmptyFile();
        etc().updateHosts(files, known(false, "10.2.0.2 me"));
        assertThat(files.hosts()).hasContent("10.2.0.2\tme\n");
        write("{}", known(false, "10.0.0.2 \u0142\u00f3d\u017a"));
        etc().updateHosts(files, known(false, "10.1.0.2 \u0142\u00f3d\u017a"));
        assertThat(Files.readString(files.hosts())).endsWith("\n10.1.0.2\t\u0142\u00f3d\u017a\n").doesNotContain("10.0.0.2");
        write("{}", known(false, "10.2.0.2 me"));
        Files.writeString(files.hosts(), "10.2.0.2\tme");
        etc().updateHosts(files, known(false));
        assertThat(files.hosts()).as("a line without its end").isEmptyFile();
        Files.writeString(files.hosts(), "\n192.0.2.7\tmine\n\n");
        etc().updateHosts(files, known(false, "10.3.0.2 me"));
        assertThat(Files.readString(files.hosts())).as("from no lines at all").isEqualTo("\n192.0.2.7\tmine\n\n10.3.0.2\tme\n");
    }

    @Test
    void whereNoLineIsTheEnginesNoneIsNoted() throws Exception {
        var noted = files.hosts().resolveSibling("hosts.lines");
        write("{}", known(false));
        assertThat(noted).doesNotExist();
        etc().updateHosts(files, known(false, "10.0.0.2 me"));
        assertThat(noted).hasContent("10.0.0.2\tme\n");
        write("{}", known(false));
        assertThat(noted).as("an earlier start's").doesNotExist();
        Files.writeString(files.hosts(), "10.0.0.2\tme\n");
        etc().updateHosts(files, known(false, "10.1.0.2 me"));
        assertThat(files.hosts()).as("a line of the container's own").hasContent("10.0.0.2\tme\n10.1.0.2\tme\n");
    }

    @Test
    void filesThatTheContainerBlewUpAreNotReadAndStay() throws Exception {
        write("{}", known(false, "10.0.0.2 me"));
        for (var file : List.of(files.hosts(), files.resolver())) {
            try (var sparse = new RandomAccessFile(file.toFile(), "rw")) {
                sparse.setLength(8L << 30); // more than an array, or the heap, holds
            }
        }
        assertThatThrownBy(() -> etc().updateHosts(files, known(true, "10.1.0.2 me")))
                .isInstanceOf(EngineException.class).hasMessageContaining("larger than 1048576 bytes");
        assertThatThrownBy(() -> etc().writeResolver(files, HostConfig.parse(Json.object().build()), known(true)))
                .isInstanceOf(EngineException.class).hasMessageContaining("larger than 1048576 bytes");
        assertThat(files.hosts()).hasSize(8L << 30);
        write("{}", known(false, "10.0.0.2 me"));
        assertThat(Files.readString(files.hosts())).as("the next start's").endsWith("\n10.0.0.2\tme\n");
    }

    @Test
    void whoAsksForServersGetsThem() throws Exception {
        host("resolv.conf", RESOLVED);
        assertThat(resolver("{\"Dns\":[\"192.0.2.9\"]}", false)).isEqualTo("nameserver 192.0.2.9\n");
        assertThat(resolver("{\"Dns\":[\"192.0.2.9\"]}", true)).startsWith("nameserver 127.0.0.11\n")
                .doesNotContain("192.0.2.9");
    }
}
