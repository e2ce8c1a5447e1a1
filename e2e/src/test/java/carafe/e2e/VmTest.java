package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/// Runs the tests of the rooms that meet the kernel, and what the contract asks of limits, on a host with systemd and
/// pure cgroup v2, with file systems that have quotas, and with an older kernel than most developers have; one boot for
/// all. It touches nothing of this host, so the other classes run meanwhile.
@Execution(ExecutionMode.CONCURRENT)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class VmTest {

    /// Rooms whose tests run inside, and those they import; `@` names the file system they have their files on.
    private static final List<String> TESTED = List.of("kernel", "runtime", "image", "network", "files", "e2e", "e2e@/tmp",
            "e2e@/mnt/ext4", "e2e@/mnt/xfs");
    private static final List<String> IMPORTED = List.of("spec");

    private static final Duration DEADLINE = Duration.ofMinutes(60);
    private static final Pattern COUNT = Pattern.compile("\\[ +(\\d+) tests (\\w+) +]");

    private Outcome outcome = new Outcome(List.of(), -1, "", "");

    @BeforeAll
    void bootAndRun(@TempDir Path disk) throws Exception {
        copyRooms(disk);
        outcome = VirtualMachine.run(disk, script(), DEADLINE);
    }

    private static void copyRooms(Path disk) throws IOException, InterruptedException {
        for (String room : List.of("kernel", "runtime", "image", "network", "files", "spec")) {
            for (String part : List.of("target/classes", "target/test-classes", "src")) {
                copy(Tools.ROOT.resolve(room).resolve(part), disk.resolve(room).resolve(part));
            }
        }
        fileSystems(disk);
        copy(Tools.ROOT.resolve("native/target"), disk.resolve("native/target"));
        copy(Tools.E2E.resolve("target/vm-jars"), disk.resolve("jars"));
        copy(Tools.E2E.resolve("target/tools/busybox"), disk.resolve("e2e/target/tools/busybox"));
        for (String part : List.of("test-classes", "tools/busybox", "tools/docker28", "tools/netfilter", "tools/nfs")) {
            copy(Tools.E2E.resolve("target").resolve(part), disk.resolve("e2e/target").resolve(part));
        }
        Path ours = Path.of("packaging/target/carafe");
        copy(Tools.ROOT.resolve(ours), disk.resolve(ours));
        Files.delete(disk.resolve(ours).resolve("jre"));
        Files.createSymbolicLink(disk.resolve(ours).resolve("jre"), Path.of("/usr/lib/jdk"));
    }

    /// Two small ones with project quotas, which the machine mounts.
    private static void fileSystems(Path disk) throws IOException, InterruptedException {
        Path ext4 = disk.resolve("ext4.img");
        Command.of("truncate", "-s", "400M", ext4.toString()).run().good();
        Command.of("mke2fs", "-q", "-t", "ext4", "-O", "quota,project", "-E", "quotatype=prjquota", ext4.toString()).run()
                .good();
        Path xfs = disk.resolve("xfs.img");
        Command.of("truncate", "-s", "400M", xfs.toString()).run().good();
        String libraries = Tools.fetched("xfsprogs", "usr/lib/x86_64-linux-gnu").toString();
        Command.of(Tools.fetched("xfsprogs", "sbin/mkfs.xfs").toString(), "-q", xfs.toString())
                .with("LD_LIBRARY_PATH", libraries).run().good();
    }

    private static void copy(Path from, Path to) throws IOException, InterruptedException {
        if (Files.exists(from)) {
            Files.createDirectories(to.getParent());
            Command.of("cp", "-a", from.toString(), to.toString()).run().good();
        }
    }

    /// A server of /srv/nfs, by version 4 alone, which needs no other program; and two addresses that answer nothing,
    /// though there is a way to them.
    private static String nfs() {
        return """
                programs=/carafe/e2e/target/tools/nfs
                mkdir -p /srv/nfs /var/lib/nfs/v4recovery
                touch /etc/exports /var/lib/nfs/etab /var/lib/nfs/rmtab
                modprobe nfsd
                mount -t nfsd nfsd /proc/fs/nfsd
                LD_LIBRARY_PATH=$programs/usr/lib/x86_64-linux-gnu bash -c "
                  $programs/usr/sbin/exportfs -o rw,no_root_squash,no_subtree_check,fsid=7 127.0.0.1:/srv/nfs
                  $programs/usr/sbin/rpc.mountd -N 3
                  $programs/usr/sbin/rpc.nfsd -p 2049 -N 3 -V 4 2"
                echo Y >/proc/fs/nfsd/v4_end_grace
                ip link add away type dummy
                ip address add 192.0.2.9/24 dev away
                ip link set away up
                ip neighbour add 192.0.2.1 lladdr 02:00:00:00:00:01 dev away
                ip neighbour add 192.0.2.2 lladdr 02:00:00:00:00:01 dev away
                """;
    }

    /// As Maven does, each room's tests run in a JVM of their own whose working directory is the room's. The checks of
    /// the C code are left out, which compile it, and those of gzip, which compile too: it is the same code.
    private static String script() {
        var script = new StringBuilder("""
                echo "cgroup file system: $(stat -fc %T /sys/fs/cgroup)"
                echo "systemd: $(systemctl is-system-running --wait)"
                echo "delegated: $(cat /sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)/cgroup.controllers)"
                code=0
                # The emulator loses track of code that two compilers replace while it runs (SIGSEGV at a method's
                # first instruction was seen): the daemon is interpreted here.
                echo 'daemon_options="$daemon_options -Xint"' >>/carafe/packaging/target/carafe/bin/java-options
                modprobe loop
                mkdir -p /mnt/ext4 /mnt/xfs
                mount -o loop,prjquota /carafe/ext4.img /mnt/ext4
                mount -o loop,pquota /carafe/xfs.img /mnt/xfs
                """ + nfs());
        String classes = String.join(":", Stream.concat(TESTED.stream(), IMPORTED.stream())
                .filter(room -> !room.contains("@"))
                .map(room -> "/carafe/" + room + "/target/classes")
                .toList());
        String codecs = Stream.of("xz", "zstd-jni", "commons-compress", "commons-io")
                .map(jar -> "/carafe/packaging/target/carafe/lib/" + jar + ".jar")
                .collect(Collectors.joining(":"));
        for (String name : TESTED) {
            String room = name.replaceFirst("@.*", "");
            String files = name.contains("@") ? name.replaceFirst(".*@", "") : "/tmp";
            // Of images, how layers are kept on a kernel that mounts none of their files, which is chosen by trying.
            // Of our own, only the limits and the quotas, of networks what needs modules that a host may lack, and users of
            // a container's own, whose layers an older kernel takes in another way: all else is the same on any host, and
            // an emulated one is slow.
            String tests = switch (name) {
                case "e2e@/tmp" -> "--select-class=carafe.e2e.CarafeOwnUsersTest";
                case "e2e@/mnt/ext4" -> "--select-class=carafe.e2e.CarafeQuotasTest";
                case "e2e@/mnt/xfs" -> Stream.of("aVolumeHoldsNoMoreThanItsSize", "aContainerWritesNoMoreThanItMay",
                                "aCloneHasTheSameSizeAndAnImportIsRefusedWhenItIsLarger")
                        .map(test -> "--select-method=carafe.e2e.CarafeQuotasTest#" + test)
                        .collect(Collectors.joining(" "));
                case "image" -> "--select-class=carafe.image.ChosenLayersTest --select-class=carafe.image.HostileChosenLayersTest"
                        + " --select-method=carafe.image.LayerChoiceTest#aKernelThatMountsNoSuchFilesHasDirectories";
                case "files" -> "--scan-class-path=target/test-classes --include-tag=quota";
                case "e2e" -> "--select-class=carafe.e2e.CarafeWithDocker28Test --include-tag=cgroup --include-tag=nfs";
                case "network" -> "--scan-class-path=target/test-classes --include-tag=modules";
                default ->
                    "--scan-class-path=target/test-classes --exclude-classname='.*(NativeCheck|AttachedLayers|Gzip)Test'";
            };
            script.append("""
                    echo "room: %s"
                    cd /carafe/%s
                    java -Xshare:auto -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx1g \\
                      --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \\
                      -Djava.io.tmpdir=%s -Dcarafe.root=/carafe -Dcarafe.native=/carafe/native/target -Dcarafe.fd.strict=true \\
                      -cp 'target/test-classes:%s:%s:/carafe/jars/*' org.junit.platform.console.ConsoleLauncher execute \\
                      %s --disable-banner --disable-ansi-colors --details=tree --fail-if-no-tests || code=1
                    """.formatted(name, room, files, classes, codecs, tests));
        }
        return script.append("exit $code\n").toString();
    }

    @Test
    void theMachineIsASystemdHostWithPureCgroupV2() {
        assertThat(outcome.lines())
                .contains("cgroup file system: cgroup2fs", "systemd: running", "delegated: cpuset cpu io memory pids");
    }

    @ParameterizedTest
    @FieldSource("TESTED")
    void theRoomsTestsPassThere(String room) {
        String said = outcome.out()
                .replaceFirst("(?s)^.*\nroom: " + Pattern.quote(room) + "\n", "")
                .replaceFirst("(?s)\nroom: .*$", "");
        var counts = COUNT.matcher(said).results()
                .collect(Collectors.toMap(count -> count.group(2), count -> Long.parseLong(count.group(1))));
        assertThat(counts).as(outcome.toString()).containsKeys("found", "successful");
        assertThat(counts.get("found")).as(() -> "tests of " + room + "; " + failures(said)).isPositive()
                .isEqualTo(counts.get("successful"));
        assertThat(counts).containsEntry("skipped", 0L).containsEntry("aborted", 0L).containsEntry("failed", 0L);
    }

    /// What the launcher says of those that failed, at its end: each with its cause and the beginning of its trace.
    private static String failures(String said) {
        int at = said.lastIndexOf("\nFailures (");
        return at < 0 ? "none failed" : said.substring(at + 1);
    }

    @Test
    void theMachineEndsWithSuccess() {
        outcome.good();
    }
}
