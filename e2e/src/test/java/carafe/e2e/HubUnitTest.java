package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The unit file by which systemd starts the hub: systemd understands every line of it, and its commands do what they say.
final class HubUnitTest {

    private static final Path UNIT = Tools.ROOT.resolve("packaging/systemd/carafe-hub.service");
    private static final String CONFIG = "/etc/carafe/hub.json";

    private Path directory = Path.of("/");

    @BeforeEach
    void makeDirectory() throws Exception {
        directory = Files.createTempDirectory("e2e-unit-");
    }

    @AfterEach
    void removeDirectory() throws Exception {
        Command.of("rm", "-rf", "--one-file-system", directory.toString()).run().good();
    }

    /// `systemd-analyze verify` of Debian 12 in its own root, into which the package's files are laid as they are installed.
    /// It ends with 0 when a line is unknown, but says so.
    private Outcome verified(String unit) throws Exception {
        Files.writeString(directory.resolve("carafe-hub.service"), unit);
        for (String each : List.of("upper", "work", "root")) {
            Files.createDirectories(directory.resolve(each));
        }
        String script = """
                set -e
                cd "$AT"
                mount -t overlay -o "lowerdir=$ROOT,upperdir=$AT/upper,workdir=$AT/work" overlay root
                mkdir -p root/usr/lib/carafe/bin root/usr/share/doc/carafe
                cp "$PROGRAM" root/usr/lib/carafe/bin/carafe
                cp "$DOCUMENT" root/usr/share/doc/carafe/hub.md
                cp carafe-hub.service root/etc/systemd/system/
                mount -t proc proc root/proc
                exec chroot root systemd-analyze verify /etc/systemd/system/carafe-hub.service
                """;
        return Command.of("unshare", "--mount", "sh", "-c", script)
                .with("AT", directory.toString())
                .with("ROOT", Tools.fetched("vm-root", ".").normalize().toString())
                .with("PROGRAM", Tools.ours("carafe").toString())
                .with("DOCUMENT", Tools.ROOT.resolve("docs/hub.md").toString())
                .run();
    }

    @Test
    void systemdUnderstandsEveryLine() throws Exception {
        String unit = Files.readString(UNIT);
        assertThat(verified(unit).good().all()).isEmpty();
    }

    @Test
    void theJudgeFindsWhatIsWrong() throws Exception {
        String unit = Files.readString(UNIT);
        assertThat(verified(unit.replace("ProtectSystem=", "ProtectSystems=")).all()).contains("Unknown key");
        assertThat(verified(unit.replace("bin/carafe hub", "bin/caraffe hub")).all()).contains("not executable");
    }

    /// The words of the unit's line `key`, with our program and configuration for those of an installation.
    private List<String> words(String key, Path config) throws Exception {
        var line = Files.readAllLines(UNIT).stream().filter(each -> each.startsWith(key + "=")).toList();
        assertThat(line).hasSize(1);
        var words = new ArrayList<>(List.of(line.getFirst().substring(key.length() + 1).split(" ")));
        assertThat(words.getFirst()).isEqualTo("/usr/lib/carafe/bin/carafe");
        assertThat(words).contains(CONFIG);
        words.set(0, Tools.ours("carafe").toString());
        words.replaceAll(word -> word.equals(CONFIG) ? config.toString() : word);
        return words;
    }

    @Test
    void itsCommandsCheckAndServe() throws Exception {
        int port;
        try (var free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        Path config = directory.resolve("hub.json");
        Files.writeString(config, "{\"data\":\"" + directory.resolve("data") + "\",\"listen\":[{\"adress\":\"\"}]}");
        assertThat(Command.of(words("ExecStartPre", config)).run().endedWith(1).err()).contains("adress");

        Files.writeString(config, "{\"data\":\"" + directory.resolve("data") + "\",\"listen\":[{\"address\":\"tcp://127.0.0.1:"
                + port + "\"}],\"rights\":[{\"who\":[\"anonymous\"],\"namespace\":\"**\",\"may\":[\"pull\"]}]}");
        Command.of(words("ExecStartPre", config)).run().good();
        try (var hub = Command.of(words("ExecStart", config)).start()) {
            Deadline.await("the hub listens", () -> {
                assertThat(hub.running()).as(hub::toString).isTrue();
                try (var _ = new Socket("127.0.0.1", port)) {
                    return true;
                } catch (java.net.ConnectException e) {
                    return false;
                }
            });
            hub.signal("TERM"); // as systemd ends it
            hub.await().good();
        }
    }
}
