package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The hub as a service, installed and started on a host with systemd: with everything that its unit takes away it still
/// stores an image, as a user of its own, and ends well.
final class HubServiceTest {

    private static final Duration DEADLINE = Duration.ofMinutes(8);

    /// Answers of the hub are looked for once a second: the machine is emulated, and its JVM interpreted.
    private static final String SCRIPT = """
            cp -a /carafe/installed/. /usr/lib/carafe/
            echo 'daemon_options="$daemon_options -Xint"' >>/usr/lib/carafe/bin/java-options
            echo 'carafe-hub:x:990:' >>/etc/group
            echo 'carafe-hub:x:990:990::/nonexistent:/usr/sbin/nologin' >>/etc/passwd
            mkdir -p /etc/carafe
            cat >/etc/carafe/hub.json <<'END'
            {"data":"/var/lib/carafe-hub","listen":[{"address":"tcp://127.0.0.1:443"}],
             "rights":[{"who":["anonymous"],"namespace":"**","may":["admin"]}]}
            END
            cp /usr/lib/carafe/systemd/carafe-hub.service /etc/systemd/system/
            systemctl daemon-reload
            ip link set lo up
            systemctl start carafe-hub
            web="busybox wget -q -O -"
            for second in $(seq 300); do
              $web http://127.0.0.1:443/v2/ >/dev/null && break
              systemctl is-active --quiet carafe-hub || break
              sleep 1
            done
            echo "state: $(systemctl is-active carafe-hub)"
            pid=$(systemctl show --property MainPID --value carafe-hub)
            echo "user: $(stat -c %U /proc/$pid)"
            echo "data: $(stat -c '%U %a' /var/lib/carafe-hub)"
            echo "capabilities: $(sed -n 's/^CapEff:\\t0*//p' /proc/$pid/status)"
            echo "privileges: $(sed -n 's/^NoNewPrivs:\\t//p' /proc/$pid/status)"
            digest=2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881
            $web --post-data=x "http://127.0.0.1:443/v2/a/b/blobs/uploads/?digest=sha256:$digest" >/dev/null
            echo "stored: $(find /var/lib/carafe-hub -name "$digest" -exec cat {} ';')"
            systemctl stop carafe-hub
            echo "result: $(systemctl show --property Result --value carafe-hub)"
            journalctl --no-pager --unit carafe-hub --output cat | sed 's/^/journal: /'
            """;

    @Test
    void systemdStartsAndEndsIt(@TempDir Path disk) throws Exception {
        Path installed = disk.resolve("installed");
        Command.of("cp", "-a", Tools.ROOT.resolve("packaging/target/carafe").toString(), installed.toString()).run().good();
        Files.delete(installed.resolve("jre"));
        Files.createSymbolicLink(installed.resolve("jre"), Path.of("/usr/lib/jdk"));
        var outcome = VirtualMachine.run(disk, SCRIPT, DEADLINE);
        assertThat(outcome.lines()).as(outcome.toString()).contains("state: active", "user: carafe-hub",
                "data: carafe-hub 700", "capabilities: 400", "privileges: 1", "stored: x", "result: success");
    }
}
