package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// Runs the tests of the rooms that meet the kernel on a host with systemd and pure cgroup v2, and with an older kernel
/// than most developers have: one boot, one JVM.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class VmTest {

    /// Rooms whose tests run inside, and those they import.
    private static final List<String> TESTED = List.of("kernel", "runtime");
    private static final List<String> IMPORTED = List.of("spec");

    private static final Duration DEADLINE = Duration.ofMinutes(10);
    private static final Pattern COUNT = Pattern.compile("\\[ +(\\d+) (containers|tests) (\\w+) +]");

    private Outcome outcome = new Outcome(List.of(), -1, "", "");

    @BeforeAll
    void bootAndRun(@TempDir Path disk) throws Exception {
        copyRooms(disk);
        outcome = VirtualMachine.run(disk, script(), DEADLINE);
    }

    private static void copyRooms(Path disk) throws IOException, InterruptedException {
        for (String room : Stream.concat(TESTED.stream(), IMPORTED.stream()).toList()) {
            for (String part : List.of("target/classes", "target/test-classes", "src")) {
                copy(Tools.ROOT.resolve(room).resolve(part), disk.resolve(room).resolve(part));
            }
        }
        copy(Tools.ROOT.resolve("native/target"), disk.resolve("native/target"));
        copy(Tools.E2E.resolve("target/vm-jars"), disk.resolve("jars"));
    }

    private static void copy(Path from, Path to) throws IOException, InterruptedException {
        if (Files.exists(from)) {
            Files.createDirectories(to.getParent());
            Command.of("cp", "-a", from.toString(), to.toString()).run().good();
        }
    }

    private static String script() {
        var path = new ArrayList<String>();
        for (String room : Stream.concat(TESTED.stream(), IMPORTED.stream()).toList()) {
            path.add("/carafe/" + room + "/target/classes");
        }
        String tests = String.join(":", TESTED.stream()
                .map(room -> "/carafe/" + room + "/target/test-classes")
                .toList());
        path.add(tests);
        return """
                echo "cgroup file system: $(stat -fc %%T /sys/fs/cgroup)"
                echo "systemd: $(systemctl is-system-running --wait)"
                echo "delegated: $(cat /sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)/cgroup.controllers)"
                cd /carafe
                java -Xshare:auto -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx1g --enable-native-access=ALL-UNNAMED \\
                  --sun-misc-unsafe-memory-access=allow -Dcarafe.root=/carafe -Dcarafe.native=/carafe/native/target \\
                  -cp '%s:jars/*' org.junit.platform.console.ConsoleLauncher execute --scan-class-path=%s \\
                  --disable-banner --disable-ansi-colors --details=tree --fail-if-no-tests
                """
                .formatted(String.join(":", path), tests);
    }

    @Test
    void theMachineIsASystemdHostWithPureCgroupV2() {
        assertThat(outcome.lines())
                .contains("cgroup file system: cgroup2fs", "systemd: running", "delegated: cpuset cpu io memory pids");
    }

    @Test
    void theRoomsTestsPassThere() {
        var counts = COUNT.matcher(outcome.out()).results().filter(c -> c.group(2).equals("tests")).toList();
        assertThat(counts).as(outcome.toString()).isNotEmpty();
        for (var count : counts) {
            long tests = Long.parseLong(count.group(1));
            switch (count.group(3)) {
                case "found", "started", "successful" -> assertThat(tests).as(count.group()).isPositive();
                default -> assertThat(tests).as(count.group()).isZero();
            }
        }
        assertThat(counts).extracting(count -> count.group(3)).contains("found", "skipped", "successful", "failed");
        outcome.good();
    }
}
