package carafe.engine;

import static carafe.engine.EngineHarness.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.ContainerConfig;
import carafe.spec.docker.EndpointSettings;
import carafe.spec.docker.Filters;
import carafe.spec.docker.HostConfig;
import carafe.spec.docker.MountRequest;
import carafe.spec.docker.NetworkCreateRequest;
import carafe.spec.docker.NetworkingConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What is refused when a container is made, or connected, before it could fail at its start.
class RefusalsTest {

    @TempDir
    Path root;

    private EngineHarness harness;

    @BeforeEach
    void open() throws Exception {
        harness = new EngineHarness(root);
    }

    @AfterEach
    void close() {
        harness.close();
    }

    /// Clients pull the image, and ask again, when they hear that something was not found.
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {"NetworkMode":"nope"} | {} | network nope not found
            {} | {"nope":{}} | network nope not found
            {"NetworkMode":"container:nope"} | {} | No such container: nope
            {"VolumesFrom":["nope"]} | {} | No such container: nope
            {"Links":["nope:x"]} | {} | could not get container for nope: No such container: nope
            {"Mounts":[{"Type":"image","Source":"nope","Target":"/x"}]} | {} | No such image: nope:latest
            {"VolumeDriver":"no","Binds":["v1:/x"]} | {} | create v1: error looking up volume plugin no: plugin "no" not found
            """)
    void nothingButTheImageItselfIsAnsweredAsMissing(String host, String endpoints, String message) throws Exception {
        var networking = NetworkingConfig.parse((Json.Obj) Json.parse("{\"EndpointsConfig\":" + endpoints + "}"));
        var base = request("web", host, "true");
        assertThatThrownBy(() -> harness.containers().create(
                new CreateRequest("web", "", base.config(), base.host(), networking)))
                .isInstanceOf(EngineException.Invalid.class).hasMessage(message);
        assertThat(harness.engine.volumes().list(Filters.NONE)).isEmpty();
        var missing = ContainerConfig.parse((Json.Obj) Json.parse("{\"Image\":\"nope\"}"));
        assertThatThrownBy(() -> harness.containers().create(new CreateRequest("web", "", missing,
                HostConfig.parse((Json.Obj) Json.parse("{}")), NetworkingConfig.NONE)))
                .isInstanceOf(EngineException.NotFound.class).hasMessage("No such image: nope:latest");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {"Tmpfs":{"/t":"bogus"}} | ["bogus"]
            {"Tmpfs":{"/t":"ro,colour=red=blue"}} | ["colour" "red=blue"]
            {"Tmpfs":{"/t":"size=64mb"}} | ["size" "64mb"]
            {"Tmpfs":{"/t":"mode=rwx"}} | ["mode" "rwx"]
            {"Tmpfs":{"/t":"uid=me"}} | ["uid" "me"]
            {"Tmpfs":{"/t":"size"}} | ["size"]
            {"Tmpfs":{"/t":"bind"}} | ["bind"]
            {"Mounts":[{"Type":"tmpfs","Target":"/t","TmpfsOptions":{"Options":[["noexecute"]]}}]} | ["noexecute"]
            """)
    void anOptionOfAMemoryFileSystemThatThereIsNotIsNamed(String host, String words) throws Exception {
        var asked = request("web", host, "true");
        assertThatThrownBy(() -> harness.containers().create(asked))
                .isInstanceOf(EngineException.Invalid.class).hasMessage("invalid tmpfs option " + words);
    }

    @Test
    void theOptionsThatThereAreStay() throws Exception {
        var words = List.of("rw", "noexec", "nosuid", "nodev", "exec", "size=65536k", "mode=1777", "uid=1000", "gid=0",
                "nr_inodes=1k", "nr_blocks=16", "mpol=default", "size=10%", "relatime", "rprivate", "huge=never", "tmpcopyup");
        harness.containers().create(request(
                "web", "{\"Tmpfs\":{\"/t\":\"" + String.join(",", words) + "\",\"/u\":\"\"}}", "true"));
        assertThat(harness.containers().inspect("web", false).container().host().files().mounts()).anySatisfy(mount ->
                assertThat(((MountRequest.Tmpfs) mount).options()).isEqualTo(words));
    }

    @Test
    void labelsThatAreNotChangedAreTold() throws Exception {
        var host = HostConfig.parse((Json.Obj) Json.parse("{\"Binds\":[\"/a:/b:ro,Z\",\"v:/d:z\",\"/e:/f:ro\",\"w:/g\"]}"));
        assertThat(MountResolver.relabelled(host.files().mounts())).get().asString()
                .startsWith("SELinux labels of /b, /d are left as they are");
        assertThat(MountResolver.relabelled(HostConfig.parse((Json.Obj) Json.parse("{}")).files().mounts())).isEmpty();
        assertThat(HostFacts.read(root).seLinux()).isFalse();
        Files.createDirectories(root.resolve("sys/fs/selinux"));
        Files.writeString(root.resolve("sys/fs/selinux/enforce"), "1");
        assertThat(HostFacts.read(root).seLinux()).isTrue();
    }

    @Test
    void anAddressOutsideOfTheNetworkIsRefusedForOneThatDoesNotRun() throws Exception {
        harness.engine.networks().create(NetworkCreateRequest.parse((Json.Obj) Json.parse(
                "{\"Name\":\"lan\",\"IPAM\":{\"Config\":[{\"Subnet\":\"10.9.0.0/24\"}]}}")));
        harness.create("web", "sleep", "9");
        for (String address : new String[] {"\"IPv4Address\":\"10.8.0.9\"", "\"IPv6Address\":\"fd00:7::9\""}) {
            String text = address.substring(address.indexOf(':') + 2, address.length() - 1);
            assertThatThrownBy(() -> connect(address)).isInstanceOf(EngineException.Invalid.class).hasMessage(
                    "invalid config for network lan: invalid endpoint settings:\n"
                            + "no configured subnet or ip-range contain the IP address " + text);
        }
        connect("\"IPv4Address\":\"10.9.0.9\"");
        harness.containers().start("web");
        assertThat(harness.containers().inspect("web", false).networks().places()).anySatisfy(place ->
                assertThat(place.live().orElseThrow().four()).get().hasToString("10.9.0.9/24"));
    }

    private void connect(String address) throws Exception {
        harness.engine.networks().connect("lan", "web", EndpointSettings.parse(
                (Json.Obj) Json.parse("{\"IPAMConfig\":{" + address + "}}")));
    }
}
