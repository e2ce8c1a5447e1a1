package carafe.engine;

import static carafe.engine.EngineHarness.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.engine.volume.VolumeRequest;
import carafe.image.TestTar;
import carafe.spec.EngineException;
import carafe.spec.docker.PathStat;
import carafe.spec.tar.SentTar;
import carafe.spec.tar.TarReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

/// Files copied in and out of real containers, and the attacks of CVE-2018-15664, 2019-14271, 2026-41567, 2026-42306.
final class LinuxCopiesTest {
    private LinuxStage stage;
    private Containers containers;

    @BeforeEach
    void open() throws Exception {
        stage = new LinuxStage();
        containers = stage.containers();
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        var left = stage.leftAfterRemoval();
        stage.close();
        assertThat(left).isEmpty();
    }

    private void run(String name, String host, String script) throws Exception {
        containers.create(request(name, host, "sh", "-c", script));
        containers.start(name);
    }

    private void ran(String name, String host, String script) throws Exception {
        containers.create(request(name, host, "sh", "-c", script));
        var wait = containers.await(name, WaitCondition.NEXT_EXIT);
        containers.start(name);
        assertThat(wait.await().exitCode()).isZero();
    }

    private void started(String name, String host, String script) throws Exception {
        run(name, host, script + "; echo ready; exec sleep 1000");
        EngineHarness.eventually(() -> stage.log(name).contains("ready"));
    }

    /// Name to content of what is read, links as `-> target`.
    private Map<String, String> read(String name, String path) throws Exception {
        var out = new ByteArrayOutputStream();
        var stat = new AtomicReference<PathStat>();
        containers.readArchive(name, path, of -> {
            stat.set(of);
            return out;
        });
        assertThat(stat.get()).isNotNull();
        var found = new TreeMap<String, String>();
        var tar = new TarReader(new ByteArrayInputStream(out.toByteArray()));
        for (var entry = tar.next(); entry != null; entry = tar.next()) {
            found.put(entry.name(), entry.linkName().isEmpty()
                    ? new String(tar.data().readAllBytes(), StandardCharsets.UTF_8) : "-> " + entry.linkName());
        }
        return found;
    }

    private static SentTar sent(InputStream bytes) {
        return new SentTar(bytes, () -> false);
    }

    private void write(String name, String path, TestTar tar) throws Exception {
        containers.writeArchive(name, new ArchiveTarget(path, true, false), sent(new ByteArrayInputStream(tar.bytes())));
    }

    @Test
    void filesOfAStoppedContainerAreThoseItLeft() throws Exception {
        ran("web", "{\"Binds\":[\"data:/data\"]}",
                "mkdir -p /a/b; echo x > /a/b/f; busybox ln -s b /a/l; echo v > /data/v");
        assertThat(read("web", "/a")).isEqualTo(Map.of("a/", "", "a/b/", "", "a/b/f", "x\n", "a/l", "-> b"));
        assertThat(read("web", "/a/l")).isEqualTo(Map.of("l", "-> b"));
        assertThat(read("web", "/a/l/")).isEqualTo(Map.of("l/", "", "l/f", "x\n"));
        assertThat(read("web", "a/b/.")).isEqualTo(Map.of("./", "", "./f", "x\n"));
        assertThat(read("web", "/data")).isEqualTo(Map.of("data/", "", "data/v", "v\n"));
        var stat = containers.pathStat("web", "/a/l");
        assertThat(stat.name()).isEqualTo("l");
        assertThat(stat.isSymlink()).isTrue();
        assertThat(stat.linkTarget()).isEqualTo("/a/b");
        assertThat(containers.pathStat("web", "/a").mode()).isEqualTo(PathStat.DIRECTORY | 0755);
        assertThatThrownBy(() -> containers.pathStat("web", "/nope/x"))
                .isInstanceOf(EngineException.NotFound.class)
                .hasMessageStartingWith("Could not find the file /nope/x in container ");
        stage.engine.volumes().remove("nothing", true);
    }

    @Test
    void aVolumeThatCannotBeMountedLeavesNoOtherOneMounted() throws Exception {
        stage.engine.volumes().create(new VolumeRequest("mem", "local", Map.of("type", "tmpfs", "device", "tmpfs"), Map.of()));
        stage.engine.volumes().create(new VolumeRequest("nowhere", "local",
                Map.of("type", "none", "device", "/nowhere/at/all", "o", "bind"), Map.of()));
        containers.create(request("idle", "{\"Binds\":[\"mem:/m\",\"nowhere:/n\"]}", "true"));
        Path mounted = stage.engine.volumes().inspect("mem").mountpoint();
        assertThatThrownBy(() -> containers.pathStat("idle", "/etc")).hasMessageContaining("/nowhere/at/all");
        assertThat(Files.readString(Path.of("/proc/self/mountinfo"))).doesNotContain(mounted.toString());
        assertThatThrownBy(() -> containers.start("idle")).hasMessageContaining("/nowhere/at/all");
        assertThat(Files.readString(Path.of("/proc/self/mountinfo"))).doesNotContain(mounted.toString());
    }

    @Test
    void filesGoIntoStoppedAndRunningContainersAndVolumes() throws Exception {
        containers.create(request("idle", "{\"Binds\":[\"data:/data\"]}", "cat", "/in", "/data/in"));
        write("idle", "/", new TestTar().add(TestTar.file("in", "root\n")));
        write("idle", "/data", new TestTar().add(TestTar.file("in", "volume\n").owner(7, 8).mode(0640)));
        var wait = containers.await("idle", WaitCondition.NEXT_EXIT);
        containers.start("idle");
        wait.await();
        assertThat(stage.log("idle")).isEqualTo("root\nvolume\n");
        started("live", "{\"Tmpfs\":{\"/scratch\":\"\"},\"Binds\":[\"data:/data:ro\"]}", "mkdir /d");
        write("live", "/d", new TestTar().add(TestTar.directory("sub")).add(TestTar.file("sub/f", "new\n")));
        write("live", "/scratch", new TestTar().add(TestTar.file("s", "tmpfs\n")));
        assertThat(read("live", "/d")).containsEntry("d/sub/f", "new\n");
        assertThat(read("live", "/scratch/s")).containsEntry("s", "tmpfs\n");
        assertThatThrownBy(() -> write("live", "/data", new TestTar().add(TestTar.file("x", ""))))
                .isInstanceOf(EngineException.Forbidden.class).hasMessage("mounted volume is marked read-only");
        assertThatThrownBy(() -> write("live", "/d/sub/f", new TestTar().add(TestTar.file("x", ""))))
                .hasMessage("extraction point is not a directory");
        assertThatThrownBy(() -> write("live", "/", new TestTar().add(TestTar.file("d", ""))))
                .hasMessageStartingWith("cannot overwrite directory");
        containers.remove("live", new RemoveRequest(true, false));
        containers.remove("idle", new RemoveRequest(true, false));
        stage.engine.volumes().remove("data", false);
    }

    @Test
    void aReadOnlyRootStaysSo() throws Exception {
        containers.create(request("bare", "{\"ReadonlyRootfs\":true}", "true"));
        assertThatThrownBy(() -> write("bare", "/tmp", new TestTar().add(TestTar.file("x", ""))))
                .isInstanceOf(EngineException.Forbidden.class).hasMessage("container rootfs is marked read-only");
        containers.create(request("sealed", "{\"ReadonlyRootfs\":true,\"Binds\":[\"" + stage.root
                + ":/in:ro\"],\"Mounts\":[{\"Type\":\"volume\",\"Target\":\"/v\"}]}", "true"));
        write("sealed", "/v", new TestTar().add(TestTar.file("x", "y")));
        assertThat(read("sealed", "/v/x")).containsEntry("x", "y");
        assertThatThrownBy(() -> write("sealed", "/in", new TestTar().add(TestTar.file("x", ""))))
                .isInstanceOf(EngineException.Forbidden.class).hasMessage("mounted volume is marked read-only");
        assertThatThrownBy(() -> write("sealed", "/tmp", new TestTar().add(TestTar.file("x", ""))))
                .isInstanceOf(EngineException.Forbidden.class).hasMessage("container rootfs is marked read-only");
    }

    @Test
    void linksInAContainerLeadNowhereOutside() throws Exception {
        Path outside = Files.createDirectory(stage.root.resolve("outside"));
        Files.writeString(outside.resolve("secret"), "host");
        for (boolean running : new boolean[] {false, true}) {
            String name = "evil" + running;
            String script = "busybox ln -s " + outside + " /abs; busybox ln -s ../../../../../.." + outside + " /rel;"
                    + " mkdir /dir; busybox ln -s /proc/self/root" + outside + " /magic; busybox ln -s /proc/1/root /root1";
            if (running) {
                started(name, "{}", script);
            } else {
                ran(name, "{}", script);
            }
            for (var path : new String[] {"/abs/secret", "/rel/secret", "/magic/secret", "/root1" + outside + "/secret"}) {
                assertThatThrownBy(() -> read(name, path)).as(path).isInstanceOf(EngineException.class);
            }
            for (var path : new String[] {"/abs", "/rel", "/magic"}) {
                assertThatThrownBy(() -> write(name, path + "/", new TestTar().add(TestTar.file("planted", "x"))))
                        .isInstanceOf(EngineException.class);
            }
            // a member's parent is a link: it leads inside
            write(name, "/", new TestTar().add(TestTar.symlink("dir/l", outside.toString()))
                    .add(TestTar.file("dir/l/planted", "x")));
            assertThat(read(name, outside + "/planted")).containsEntry("planted", "x");
            assertThat(outside).isDirectoryContaining(file -> file.endsWith("secret"));
            try (var files = Files.list(outside)) {
                assertThat(files).hasSize(1);
            }
        }
    }

    @Test
    void namesThatLeaveTheDirectoryAreRefused() throws Exception {
        containers.create(request("web", "{}", "true"));
        for (var name : new String[] {"../evil", "a/../../evil", "/../evil"}) {
            assertThatThrownBy(() -> write("web", "/tmp", new TestTar().add(TestTar.file(name, "x"))))
                    .as(name).isInstanceOf(EngineException.Invalid.class).hasMessageContaining("outside");
        }
        assertThatThrownBy(() -> write("web", "/tmp",
                new TestTar().add(TestTar.hardLink("l", "../etc/passwd")))).isInstanceOf(EngineException.Invalid.class);
    }

    /// CVE-2018-15664: the container swaps a directory for a link to the host's while the daemon copies.
    @Test
    void aRaceOfTheContainerAgainstTheCopyIsLost() throws Exception {
        Path outside = Files.createDirectory(stage.root.resolve("outside"));
        Files.writeString(outside.resolve("w00t"), "host\n");
        started("racer", "{}", "mkdir /stash; echo inside > /stash/w00t; (while true; do busybox mv /stash /s2;"
                + " busybox ln -s " + outside + " /stash; rm /stash; busybox mv /s2 /stash; done) & true");
        for (int i = 0; i < 200; i++) {
            try {
                assertThat(read("racer", "/stash/w00t").values()).doesNotContain("host\n");
            } catch (EngineException.NotFound e) {
                assertThat(e.getMessage()).startsWith("Could not find the file");
            }
            try {
                write("racer", "/stash", new TestTar().add(TestTar.file("planted", "x")));
            } catch (EngineException e) {
                assertThat(e.getMessage()).isNotBlank();
            }
        }
        assertThat(outside.resolve("planted")).doesNotExist();
    }

    /// CVE-2019-14271 and 2026-41567: nothing found in the container is loaded or run while its files are copied.
    /// Of a container that does not run the archive is unpacked on its queue, where its removal waits too.
    @Test
    void whatNobodyWaitsForIsNotUnpackedFurtherAndKeepsNoRemovalWaiting() throws Exception {
        containers.create(request("idle", "{}", "true"));
        started("live", "{}", "true");
        for (var name : new String[] {"idle", "live"}) {
            var bytes = new AtomicLong();
            var zeros = new InputStream() { // what a tar may end with, without end
                @Override
                public int read() {
                    bytes.incrementAndGet();
                    return 0;
                }

                @Override
                public int read(byte[] to, int offset, int length) {
                    Arrays.fill(to, offset, offset + length, (byte) 0);
                    bytes.addAndGet(length);
                    return length;
                }
            };
            var sent = new SentTar(zeros, () -> bytes.get() > 10 << 20);
            assertThatThrownBy(() -> containers.writeArchive(name, new ArchiveTarget("/", true, false), sent))
                    .isInstanceOf(EngineException.Unavailable.class)
                    .hasMessage("the archive was not read to its end: nobody waits for it any more");
            containers.remove(name, new RemoveRequest(true, false));
        }
    }

    @Test
    void programsAndLibrariesOfTheContainerAreNotTouched() throws Exception {
        started("trojan", "{}", "mkdir -p /lib /usr/lib /usr/bin; for f in /lib/libnss_files.so.2 /usr/bin/xz"
                + " /usr/bin/gzip /bin/unpigz; do echo '#!/bin/sh' > $f; echo 'touch /pwned' >> $f; chmod 755 $f; done");
        var gzipped = new ByteArrayOutputStream();
        try (var out = new java.util.zip.GZIPOutputStream(gzipped)) {
            out.write(new TestTar().add(TestTar.file("f", "zipped")).bytes());
        }
        containers.writeArchive("trojan", new ArchiveTarget("/tmp", true, true),
                sent(new ByteArrayInputStream(gzipped.toByteArray())));
        assertThat(read("trojan", "/tmp/f")).containsEntry("f", "zipped");
        var packed = new ByteArrayOutputStream();
        try (var out = new XZOutputStream(packed, new LZMA2Options(0))) {
            out.write(new TestTar().add(TestTar.file("g", "packed")).bytes());
        }
        containers.writeArchive("trojan", new ArchiveTarget("/tmp", true, true),
                sent(new ByteArrayInputStream(packed.toByteArray())));
        assertThat(read("trojan", "/tmp/g")).containsEntry("g", "packed");
        assertThatThrownBy(() -> read("trojan", "/pwned")).isInstanceOf(EngineException.NotFound.class);
        assertThat(Path.of("/pwned")).doesNotExist();
    }

    /// CVE-2026-42306: bind targets swapped for links, so that the daemon's own mounts land elsewhere.
    @Test
    void mountPointsThatBecameLinksLeadNowhereOutside() throws Exception {
        Path outside = Files.createDirectory(stage.root.resolve("outside"));
        ran("web", "{\"Binds\":[\"data:/data/deep\"]}", "true");
        ran("swap", "{\"VolumesFrom\":[\"web\"]}", "true");
        var upper = Path.of(containers.inspect("web", false).layers().get("UpperDir"));
        Files.delete(upper.resolve("data/deep"));
        Files.delete(upper.resolve("data"));
        Files.createSymbolicLink(upper.resolve("data"), outside);
        try {
            write("web", "/data/deep", new TestTar().add(TestTar.file("f", "x")));
        } catch (EngineException e) {
            assertThat(e.getMessage()).isNotBlank();
        }
        try (var files = Files.list(outside)) {
            assertThat(files).isEmpty();
        }
        containers.remove("web", new RemoveRequest(true, false));
        containers.remove("swap", new RemoveRequest(true, false));
        stage.engine.volumes().remove("data", false);
    }

    @Test
    void theKernelsOwnFilesAreNotCopied() throws Exception {
        started("web", "{}", "busybox ln -s /proc/sys/kernel /k");
        assertThat(read("web", "/proc")).isEqualTo(Map.of("proc/", ""));
        assertThatThrownBy(() -> write("web", "/k/", new TestTar().add(TestTar.file("hostname", "x"))))
                .isInstanceOf(EngineException.class);
    }

    @Test
    void devicesAndPipesAreNeverOpened() throws Exception {
        started("web", "{}", "busybox mkfifo /p; busybox mknod /null c 1 3");
        assertThat(read("web", "/p")).containsOnlyKeys("p");
        assertThat(read("web", "/null")).containsOnlyKeys("null");
    }
}
