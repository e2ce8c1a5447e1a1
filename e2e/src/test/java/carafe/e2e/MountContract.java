package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// `-v`, `--mount` and `--tmpfs`: what is seen where, and how inspect tells it.
abstract class MountContract extends Contract {

    private Path host = Path.of("/");

    MountContract(DockerCommandContract whole) {
        super(whole);
    }

    @BeforeEach
    void makeADirectory() throws Exception {
        host = Files.createTempDirectory(engine().directory(), "host-");
        Files.writeString(host.resolve("file"), "from the host\n");
    }

    private static final String MOUNT = "{{range .Mounts}}{{.Type}}|{{.Source}}|{{.Destination}}|{{.Mode}}|{{.RW}}|"
            + "{{.Propagation}}{{end}}";

    @Test
    void directoriesAndFilesAreBound() throws Exception {
        assertThat(docker("run", "--rm", "-v", host + ":/in", IMAGE, "sh", "-c", "cat /in/file; echo y > /in/out").text())
                .isEqualTo("from the host");
        assertThat(host.resolve("out")).hasContent("y");
        assertThat(docker("run", "--rm", "-v", host.resolve("file") + ":/a/new/place", IMAGE, "cat", "/a/new/place").text())
                .isEqualTo("from the host");
        assertThat(docker("run", "--rm", "--mount", "type=bind,src=" + host + ",dst=/in,readonly", IMAGE, "sh", "-c",
                "touch /in/x 2>&1 || cat /in/file").text()).endsWith("from the host");
    }

    @Test
    void whatIsMissingIsMadeByVAndRefusedByMount() throws Exception {
        docker("run", "--rm", "-v", host + "/new/dir:/in", IMAGE, "touch", "/in/x");
        assertThat(host.resolve("new/dir/x")).exists();
        assertThat(failing(125, "run", "--rm", "--mount", "type=bind,src=" + host + "/missing,dst=/in", IMAGE, "true").err())
                .contains("invalid mount config for type \"bind\": bind source path does not exist: " + host + "/missing");
        assertThat(host.resolve("missing")).doesNotExist();
    }

    @Test
    void sourcesMayBeLinksAndSockets() throws Exception {
        Files.createSymbolicLink(host.resolve("link"), host.resolve("file"));
        assertThat(docker("run", "--rm", "-v", host + "/link:/f", IMAGE, "cat", "/f").text()).isEqualTo("from the host");
        assertThat(docker("run", "--rm", "-v", engine().socket() + ":/s", IMAGE, "sh", "-c", "test -S /s && echo socket")
                .text()).isEqualTo("socket");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
        "-v                | HOST:/b                                                   | bind,HOST,/b,,true,rprivate",
        "-v                | HOST:/b:ro                                                | bind,HOST,/b,ro,false,rprivate",
        "-v                | HOST:/b:rslave                                            | bind,HOST,/b,rslave,true,rslave",
        "-v                | HOST:/b:z                                                 | bind,HOST,/b,z,true,rprivate",
        "--mount           | type=bind,src=HOST,dst=/b                                 | bind,HOST,/b,,true,rprivate",
        "--mount           | type=bind,src=HOST,dst=/b,ro,bind-propagation=private     | bind,HOST,/b,,false,private",
        "--mount           | type=tmpfs,dst=/b                                         | tmpfs,,/b,,true,",
    })
    void inspectTellsTheMount(String flag, String value, String told) throws Exception {
        docker("create", "--name", "told", flag, value.replace("HOST", host.toString()), IMAGE);
        assertThat(inspect("told", MOUNT)).isEqualTo(told.replace("HOST", host.toString()).replace(',', '|'));
    }

    @Test
    void inspectTellsVolumesByName() throws Exception {
        docker("create", "--name", "told", "-v", "data:/b", IMAGE);
        assertThat(inspect("told", "{{range .Mounts}}{{.Name}} {{.Driver}} {{.Source}} [{{.Mode}}] {{.RW}}{{end}}"))
                .isEqualTo("data local " + engine().dataRoot() + "/volumes/data/_data [z] true");
        docker("rm", "told");
        docker("volume", "rm", "data");
    }

    @Test
    void volumesAreMadeAsTheMountSays() throws Exception {
        docker("run", "--rm", "--mount", "type=volume,src=labelled,dst=/b,volume-label=a=b,volume-label=c,volume-driver=local,"
                + "volume-opt=type=tmpfs,volume-opt=device=tmpfs,volume-opt=o=size=64k", IMAGE, "sh", "-c",
                "mount | grep -q ' /b .*size=64k'");
        assertThat(docker("volume", "inspect", "-f", "{{.Driver}} {{.Labels}} {{.Options}}", "labelled").text())
                .isEqualTo("local map[a:b c:] map[device:tmpfs o:size=64k type:tmpfs]");
        docker("volume", "rm", "labelled");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
        "-v       | /a:/b:odd        | invalid mode: odd",
        "-v       | /a:/             | destination can't be '/'",
        "-v       | vol:/b:shared    | invalid mount config for type \"volume\": field BindOptions must not be specified",
    })
    void whatMakesNoSenseIsRefused(String flag, String value, String said) throws Exception {
        assertThat(failing(125, "run", "--rm", flag, value, IMAGE, "true").err()).contains(said);
    }

    @Test
    void twoMountsOfOnePlaceAreRefused() throws Exception {
        assertThat(failing(125, "run", "--rm", "-v", host + ":/b", "-v", "/etc:/b", IMAGE, "true").err())
                .contains("Duplicate mount point: /b");
        assertThat(failing(125, "run", "--rm", "-v", host + ":/b", "--tmpfs", "/b", IMAGE, "true").err())
                .contains("Duplicate mount point: /b");
        assertThat(failing(125, "run", "--rm", "-v", host + ":/b", "--mount", "type=tmpfs,dst=/b", IMAGE, "true").err())
                .contains("Duplicate mount point: /b");
    }

    @Test
    void tmpfsHasItsOptions() throws Exception {
        assertThat(failing(125, "run", "--rm", "--tmpfs", "/t:bogus", IMAGE, "true").err())
                .contains("invalid tmpfs option [\"bogus\"]");
        assertThat(docker("run", "--rm", "--tmpfs", "/t:size=64k,mode=700,uid=5", IMAGE, "sh", "-c",
                "stat -c '%a %u' /t; mount | grep ' /t ' | grep -o size=64k; mount | grep ' /t ' | grep -o noexec").text())
                .isEqualTo("700 5\nsize=64k\nnoexec");
        assertThat(docker("run", "--rm", "--mount", "type=tmpfs,dst=/t,tmpfs-size=65536,tmpfs-mode=0711", IMAGE, "sh", "-c",
                "stat -c %a /t; mount | grep ' /t ' | grep -o size=64k").text()).isEqualTo("711\nsize=64k");
    }

    @Test
    void aTmpfsHasTheModeOfWhatItCovers() throws Exception {
        assertThat(docker("run", "--rm", "--tmpfs", "/root", "--tmpfs", "/new/one", "--mount", "type=tmpfs,dst=/etc", IMAGE, "sh",
                "-c", "stat -c '%n %a' /root /new/one /etc").lines()).containsExactly(
                        "/root " + modeIn("/root"), "/new/one 1777", "/etc " + modeIn("/etc"));
    }

    private String modeIn(String path) throws Exception {
        return docker("run", "--rm", IMAGE, "stat", "-c", "%a", path).text();
    }

    @Test
    void mountsNest() throws Exception {
        Files.createDirectories(host.resolve("sub"));
        assertThat(docker("run", "--rm", "--tmpfs", "/a/t", "-v", host + ":/a", "-v", "inner:/a/sub", IMAGE, "sh", "-c",
                "ls /a; echo deep > /a/sub/x; ls /a/t").text()).contains("file");
        assertThat(host.resolve("sub/x")).doesNotExist();
        docker("volume", "rm", "inner");
    }
}
