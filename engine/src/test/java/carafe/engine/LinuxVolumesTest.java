package carafe.engine;

import static carafe.engine.EngineHarness.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.engine.volume.Volume;
import carafe.engine.volume.VolumeRequest;
import carafe.engine.volume.Volumes;
import carafe.kernel.Linux;
import carafe.kernel.Mounts;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.docker.Filters;
import carafe.spec.tar.SentTar;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Volumes with real containers.
final class LinuxVolumesTest {
    private LinuxStage stage;

    @BeforeEach
    void open() throws Exception {
        stage = new LinuxStage();
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        var left = stage.leftAfterRemoval();
        for (var volume : volumes().list(Filters.NONE)) {
            volumes().remove(volume.name(), false);
        }
        stage.engine.settle();
        try (var entries = Files.list(stage.root.resolve("data/volumes"))) {
            entries.filter(entry -> !entry.getFileName().toString().startsWith(".")).forEach(entry -> left.add(entry.toString()));
        }
        stage.close();
        assertThat(left).isEmpty();
    }

    private Volumes volumes() {
        return stage.engine.volumes();
    }

    private List<String> names() throws Exception {
        return volumes().list(Filters.NONE).stream().map(Volume::name).toList();
    }

    private int run(String name, String host, String script) throws Exception {
        stage.containers().create(request(name, host, "sh", "-c", script));
        var wait = stage.containers().await(name, WaitCondition.NEXT_EXIT);
        stage.containers().start(name);
        return wait.await().exitCode();
    }

    private void remove(String name, boolean volumes) throws Exception {
        stage.containers().remove(name, new RemoveRequest(true, volumes));
    }

    private static VolumeRequest named(String name, Map<String, String> options) {
        return new VolumeRequest(name, "local", options, Map.of());
    }

    @Test
    void aNamedVolumeOutlivesItsContainersAndGetsTheImagesContentOnce() throws Exception {
        String host = "{\"Binds\":[\"data:/etc\"]}";
        assertThat(run("one", host, "cat /etc/group && echo mine > /etc/mine && rm /etc/group")).isZero();
        remove("one", true);
        assertThat(names()).containsExactly("data");
        stage.crash();
        assertThat(run("two", host, "cat /etc/mine && test ! -e /etc/group")).isZero();
        assertThat(stage.log("two")).isEqualTo("mine\n");
        assertThatThrownBy(() -> volumes().remove("data", false))
                .isInstanceOf(EngineException.Conflict.class)
                .hasMessage("remove data: volume is in use - ["
                        + stage.containers().inspect("two", false).container().id() + "]");
    }

    @Test
    void nocopyAndFullVolumesGetNothingOfTheImage() throws Exception {
        assertThat(run("none", "{\"Binds\":[\"data:/etc:nocopy\"]}", "test ! -e /etc/passwd && echo x > /etc/x")).isZero();
        assertThat(run("full", "{\"Binds\":[\"data:/bin2\"]}", "ls /bin2")).isZero();
        assertThat(stage.log("full")).as("x, and the points where the engine's files were mounted, as Docker leaves them")
                .isEqualTo("hostname\nhosts\nresolv.conf\nx\n");
    }

    @Test
    void anonymousVolumesGoWithRmAndWithRemovalThatSaysSo() throws Exception {
        String host = "{\"Mounts\":[{\"Type\":\"volume\",\"Target\":\"/v\"}]}";
        run("kept", host, "echo x > /v/x");
        assertThat(names()).hasSize(1);
        assertThat(volumes().inspect(names().getFirst()).labels()).containsKey("com.docker.volume.anonymous");
        remove("kept", false);
        assertThat(names()).hasSize(1);
        run("goes", host, "true");
        remove("goes", true);
        assertThat(names()).hasSize(1);
        stage.containers().create(request("once", "{\"AutoRemove\":true,\"Mounts\":[{\"Type\":\"volume\",\"Target\":\"/v\"}]}",
                "true"));
        var gone = stage.containers().await("once", WaitCondition.REMOVED);
        stage.containers().start("once");
        gone.await();
        assertThat(names()).hasSize(1);
        assertThat(volumes().prune(Filters.NONE).names()).hasSize(1);
        assertThat(names()).isEmpty();
    }

    @Test
    void volumesFromBringsAllAndReadOnlyIfAsked() throws Exception {
        run("source", "{\"Binds\":[\"data:/data\"],\"Mounts\":[{\"Type\":\"volume\",\"Target\":\"/anon\"}]}",
                "echo d > /data/d; echo a > /anon/a");
        assertThat(run("reader", "{\"VolumesFrom\":[\"source:ro\"]}",
                "cat /data/d /anon/a && ! touch /data/x && ! touch /anon/x")).isZero();
        remove("source", true);
        assertThat(names()).hasSize(2); // the reader still names the anonymous one
        remove("reader", true);
        assertThat(names()).containsExactly("data");
        assertThatThrownBy(() -> stage.containers().create(request("xx", "{\"VolumesFrom\":[\"nobody\"]}", "true")))
                .isInstanceOf(EngineException.Invalid.class).hasMessage("No such container: nobody");
    }

    @Test
    void aVolumeWithAFilesystemIsMountedWhileItIsUsed() throws Exception {
        volumes().create(named("mem", Map.of("type", "tmpfs", "device", "tmpfs", "o", "size=1m,uid=1000,mode=750")));
        var data = volumes().inspect("mem").mountpoint();
        stage.containers().create(request("one", "{\"Binds\":[\"mem:/m:nocopy\"]}", "sh", "-c",
                "echo shared > /m/x; sleep 1000"));
        stage.containers().start("one");
        EngineHarness.eventually(() -> Files.exists(data.resolve("x")));
        stage.crash();
        assertThat(run("two", "{\"Binds\":[\"mem:/m:nocopy\"]}", "cat /m/x; ls -lnd /m")).isZero();
        assertThat(stage.log("two")).contains("shared").contains("drwxr-x---").contains("1000");
        stage.containers().stop("one", new StopRequest(java.util.Optional.of("KILL"), java.util.Optional.of(0)));
        EngineHarness.eventually(() -> !Files.exists(data.resolve("x")));
        assertThat(mountsOf(data)).isEmpty();
    }

    /// The image's content does not fit: each start says so, until one says that it needs none of it.
    @Test
    void aFilesystemTooSmallForTheImagesContentIsNeverTakenEmpty() throws Exception {
        volumes().create(named("mem", Map.of("type", "tmpfs", "device", "tmpfs", "o", "size=64k")));
        stage.containers().create(request("one", "{\"Binds\":[\"mem:/bin\"]}", "true"));
        for (int start = 0; start < 2; start++) {
            assertThatThrownBy(() -> stage.containers().start("one")).isInstanceOf(EngineException.Unavailable.class)
                    .hasMessageContaining("cannot copy the image's content at /bin to").hasMessageContaining("no space left");
            assertThat(mountsOf(stage.root)).isEmpty();
        }
        assertThat(run("two", "{\"Binds\":[\"mem:/m:nocopy\"]}", "echo x > /m/x")).isZero();
    }

    /// Others write into the directory that is the volume's filesystem while the copy fails; then the daemon dies.
    @Test
    void aCopyIntoASharedFilesystemThatFailedIsFinishedAndRemovesNothingOfOthers() throws Exception {
        Path shared = Files.createDirectory(stage.root.resolve("shared"));
        volumes().create(named("share", Map.of("type", "none", "device", shared.toString(), "o", "bind")));
        stage.containers().create(request("one", "{\"Binds\":[\"share:/etc\"]}", "cat", "/etc/passwd"));
        stage.reopen(Failpoints.parse("volume.copy-up=1*sleep(2000)->off;volume.copied-up=EIO"));
        var start = new FutureTask<>(() -> {
            stage.containers().start("one");
            return true;
        });
        Thread.ofPlatform().start(start);
        Path begun = volumes().inspect("share").mountpoint().resolveSibling("filling");
        EngineHarness.eventually(() -> Files.exists(begun));
        Files.writeString(shared.resolve("theirs"), "kept");
        Files.writeString(shared.resolve("group"), "mine:x:0:\n");
        assertThatThrownBy(start::get).hasMessageContaining("volume.copied-up");
        assertThat(mountsOf(stage.root)).isEmpty();
        assertThat(shared.resolve("theirs")).hasContent("kept");
        assertThat(shared.resolve("passwd")).content().contains("app:x:1000");
        Files.writeString(shared.resolve("passwd"), "ro"); // as a file is whose copy was cut off
        Files.setAttribute(shared.resolve("passwd"), "unix:mode", 0200);
        stage.crash();
        var wait = stage.containers().await("one", WaitCondition.NEXT_EXIT);
        stage.containers().start("one");
        assertThat(wait.await().exitCode()).isZero();
        assertThat(stage.log("one")).contains("root:x:0:0").contains("app:x:1000");
        assertThat(shared.resolve("theirs")).hasContent("kept");
        assertThat(shared.resolve("group")).hasContent("mine:x:0:");
        Files.delete(shared.resolve("passwd"));
        assertThat(run("two", "{\"Binds\":[\"share:/etc\"]}", "test ! -e /etc/passwd")).isZero(); // it is finished
    }

    private static List<String> mountsOf(Path data) throws Exception {
        return Files.readAllLines(Path.of("/proc/self/mountinfo")).stream()
                .filter(line -> line.contains(data.toString())).toList();
    }

    @Test
    void aFilesystemThatCannotBeMountedFailsTheStartInDockersWords() throws Exception {
        volumes().create(named("bad", Map.of("type", "none", "device", "/nowhere/at/all", "o", "bind")));
        stage.containers().create(request("one", "{\"Binds\":[\"bad:/m\"]}", "true"));
        var data = volumes().inspect("bad").mountpoint();
        assertThatThrownBy(() -> stage.containers().start("one"))
                .hasMessage("error while mounting volume '" + data + "': failed to mount local volume: mount"
                        + " /nowhere/at/all:" + data + ", flags: 0x1000: no such file or directory");
        assertThat(mountsOf(data)).isEmpty();
    }

    @Test
    void aSubpathNeverLeadsOutOfItsVolume() throws Exception {
        Files.writeString(stage.root.resolve("secret"), "host");
        run("maker", "{\"Binds\":[\"data:/d\"]}", "mkdir -p /d/a/b && echo in > /d/a/b/f && busybox ln -s "
                + stage.root + " /d/out && busybox ln -s ../../../.. /d/up");
        String mount = "{\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"data\",\"Target\":\"/s\",\"VolumeOptions\":{\"Subpath\":\"%s\"}}]}";
        assertThat(run("good", mount.formatted("a/b"), "cat /s/f && ls /s")).isZero();
        assertThat(stage.log("good")).isEqualTo("in\nf\n");
        stage.containers().create(request("bad", mount.formatted("out"), "cat", "/s/secret"));
        assertThatThrownBy(() -> stage.containers().start("bad")).hasMessageContaining("no such file or directory");
        assertThat(run("up", mount.formatted("up"), "ls /s")).isZero();
        assertThat(stage.log("up")).isEqualTo("a\nout\nup\n"); // above the volume's root there is only its root
    }

    @Test
    void aSubpathThatIsSwappedForALinkMeanwhileStaysInTheVolume() throws Exception {
        Files.createDirectory(stage.root.resolve("outside"));
        Files.writeString(stage.root.resolve("outside/secret"), "host");
        stage.containers().create(request("swapper", "{\"Binds\":[\"data:/d\"]}", "sh", "-c",
                "mkdir /d/s; while true; do busybox mv /d/s /d/t; busybox ln -s " + stage.root + "/outside /d/s;"
                        + " rm /d/s; busybox mv /d/t /d/s; done"));
        stage.containers().start("swapper");
        String mount = "{\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"data\",\"Target\":\"/s\",\"VolumeOptions\":{\"Subpath\":\"s\"}}]}";
        for (int i = 0; i < 20; i++) {
            String name = "victim" + i;
            stage.containers().create(request(name, mount, "sh", "-c", "ls /s"));
            var wait = stage.containers().await(name, WaitCondition.NEXT_EXIT);
            try {
                stage.containers().start(name);
                wait.await();
                assertThat(stage.log(name)).doesNotContain("secret");
            } catch (EngineException e) {
                assertThat(e.getMessage()).contains("no such file or directory");
            }
        }
    }

    /// A link at the source is followed, as Docker does it, for the host is its owner's; but it is followed once: what the
    /// container gets is the one or the other, whole, and nothing else of the host changes.
    @Test
    void aBindSourceThatIsSwappedForALinkMeanwhileIsOneOfBoth() throws Exception {
        var place = Files.createDirectories(stage.root.resolve("place"));
        var other = Files.createDirectory(stage.root.resolve("other"));
        Files.writeString(Files.createDirectory(place.resolve("s")).resolve("mine"), "m");
        Files.writeString(other.resolve("theirs"), "t");
        var over = new AtomicBoolean();
        var swaps = new AtomicInteger();
        var swapper = new FutureTask<>(() -> {
            while (!over.get()) {
                Files.move(place.resolve("s"), place.resolve("t"), StandardCopyOption.ATOMIC_MOVE);
                Files.createSymbolicLink(place.resolve("s"), other);
                swaps.incrementAndGet();
                LockSupport.parkNanos(300_000); // mostly there, as one or the other
                Files.delete(place.resolve("s"));
                Files.move(place.resolve("t"), place.resolve("s"), StandardCopyOption.ATOMIC_MOVE);
                LockSupport.parkNanos(300_000);
            }
            return true;
        });
        Thread.ofPlatform().start(swapper);
        String mount = "{\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"" + place + "/s\",\"Target\":\"/s\"}]}";
        int ran = 0;
        try {
            for (int i = 0; i < 30 || ran == 0 && i < 3000; i++) {
                String name = "victim" + i;
                try {
                    stage.containers().create(request(name, mount, "sh", "-c", "ls /s; touch /s/" + name + " && rm /s/" + name));
                    var wait = stage.containers().await(name, WaitCondition.NEXT_EXIT);
                    stage.containers().start(name);
                    assertThat(wait.await().exitCode()).isZero();
                    assertThat(stage.log(name)).isIn("mine\n", "theirs\n");
                    ran++;
                } catch (EngineException e) {
                    assertThat(e.getMessage()).containsAnyOf("no such file or directory", "does not exist");
                }
            }
        } finally {
            over.set(true);
        }
        swapper.get();
        assertThat(ran).isPositive();
        assertThat(swaps.get()).isPositive();
        assertThat(place.resolve("s")).isDirectoryNotContaining("glob:**/victim*").isDirectoryContaining("glob:**/mine");
        assertThat(other.toFile().list()).containsExactly("theirs");
        assertThat(place.toFile().list()).containsExactly("s");
    }

    @Test
    void whatIsMountedOnASharedBindIsSeenOnBothSides() throws Exception {
        Path host = Files.createDirectory(stage.root.resolve("shared"));
        Mounts.mount("tmpfs", host, "tmpfs", 0, "");
        try {
            Mounts.mount("", host, "", Linux.MS_PRIVATE, "");
            refused("one", host, "rshared", "path " + host + "/in is mounted on " + host + " but it is not a shared mount");
            refused("two", host, "slave", "path " + host + "/in is mounted on " + host
                    + " but it is not a shared or slave mount");
            refused("held", host, "rshared,U", "path " + host + "/in is mounted on " + host + " but it is not a shared mount");
            assertThat(stage.containers().pathStat("two", "/b").name()).as("who only looks shares nothing").isEqualTo("b");
            Mounts.mount("", host, "", Linux.MS_SHARED, "");
            String binds = "{\"Privileged\":true,\"Binds\":[\"" + host + "/in:/b:%s\"]}";
            assertThat(run("three", binds.formatted("rslave"),
                    "mkdir /b/s && busybox mount -t tmpfs x /b/s && touch /b/s/f")).isZero();
            assertThat(host.resolve("in/s")).as("a slave tells nothing").isEmptyDirectory();
            assertThat(run("four", binds.formatted("rshared"),
                    "mkdir /b/t && busybox mount -t tmpfs x /b/t && touch /b/t/f")).isZero();
            assertThat(host.resolve("in/t/f")).exists();
            assertThat(run("five", binds.formatted("rslave"), "test -e /b/t/f")).isZero();
        } finally {
            for (String line : mountsOf(host).reversed()) {
                Mounts.detach(Path.of(line.split(" ")[4]));
            }
        }
    }

    private void refused(String name, Path host, String propagation, String message) throws Exception {
        stage.containers().create(request(name, "{\"Binds\":[\"" + host + "/in:/b:" + propagation + "\"]}", "true"));
        assertThatThrownBy(() -> stage.containers().start(name)).hasMessageStartingWith(message);
    }

    @Test
    void mountsAreToldAsDockerTellsThem() throws Exception {
        Files.createDirectory(stage.root.resolve("here"));
        stage.containers().create(request("all", "{\"Binds\":[\"" + stage.root + "/here:/b:ro\",\"data:/v\"],"
                + "\"Tmpfs\":{\"/hidden\":\"\"},\"Mounts\":[{\"Type\":\"tmpfs\",\"Target\":\"/t\"},"
                + "{\"Type\":\"volume\",\"Target\":\"/anon\"}]}", "true"));
        var mounts = stage.containers().inspect("all", false).mounts();
        assertThat(mounts).extracting("type", "target", "driver", "mode", "writable", "propagation").contains(
                org.assertj.core.groups.Tuple.tuple("bind", "/b", "", "ro", false, "rprivate"),
                org.assertj.core.groups.Tuple.tuple("volume", "/v", "local", "z", true, ""),
                org.assertj.core.groups.Tuple.tuple("tmpfs", "/t", "", "", true, ""),
                org.assertj.core.groups.Tuple.tuple("volume", "/anon", "local", "", true, ""));
        assertThat(mounts).hasSize(4);
        remove("all", true);
    }

    @Test
    void exportImportCloneAndRenameKeepWhatIsInside() throws Exception {
        run("maker", "{\"Binds\":[\"data:/d\"]}", "echo x > /d/f && busybox chown 5:6 /d/f && chmod 4755 /d/f &&"
                + " busybox ln -s f /d/l && busybox ln /d/f /d/h && chmod 700 /d");
        var tar = new ByteArrayOutputStream();
        volumes().pack("data", tar);
        volumes().unpack("copy", Map.of(), new SentTar(new ByteArrayInputStream(tar.toByteArray()), () -> false));
        volumes().duplicate("data", "twin");
        for (var name : List.of("copy", "twin")) {
            assertThat(run("check-" + name, "{\"Binds\":[\"" + name + ":/d\"]}",
                    "busybox stat -c '%a %u %g %h' /d/f; busybox stat -c %a /d; busybox readlink /d/l")).isZero();
            assertThat(stage.log("check-" + name)).isEqualTo("4755 5 6 2\n700\nf\n");
        }
        assertThatThrownBy(() -> volumes().rename("data", "other")).isInstanceOf(EngineException.Conflict.class);
        remove("maker", false);
        volumes().rename("data", "other");
        assertThat(names()).containsExactly("copy", "other", "twin");
        assertThat(volumes().inspect("other").mountpoint().resolve("f")).hasContent("x");
        assertThatThrownBy(() -> volumes().duplicate("other", "twin")).isInstanceOf(EngineException.Conflict.class);
        assertThatThrownBy(() -> volumes().unpack("evil", Map.of(), new SentTar(new ByteArrayInputStream(new byte[600]), () -> false)))
                .isInstanceOf(EngineException.class);
        assertThat(names()).doesNotContain("evil");
        stage.crash();
        assertThat(names()).containsExactly("copy", "other", "twin");
    }

    @Test
    void mountsAreGivenToTheContainersUserIfAsked() throws Exception {
        Path outside = Files.writeString(stage.root.resolve("outside"), "x");
        Path host = Files.createDirectories(stage.root.resolve("host/sub"));
        Files.writeString(host.resolve("f"), "x");
        Files.setAttribute(host.resolve("f"), "unix:mode", 04755);
        Files.createSymbolicLink(host.resolve("l"), outside);
        var config = carafe.spec.docker.ContainerConfig.parse((carafe.spec.Json.Obj) carafe.spec.Json.parse(
                "{\"Image\":\"app\",\"User\":\"app\",\"Cmd\":[\"sh\",\"-c\",\"touch /b/new /v/new\"]}"));
        stage.containers().create(new CreateRequest("user", "", config,
                carafe.spec.docker.HostConfig.parse((carafe.spec.Json.Obj) carafe.spec.Json.parse(
                        "{\"Binds\":[\"" + stage.root + "/host:/b:U\",\"data:/v:U\"]}")),
                carafe.spec.docker.NetworkingConfig.NONE));
        var wait = stage.containers().await("user", WaitCondition.NEXT_EXIT);
        stage.containers().start("user");
        assertThat(wait.await().exitCode()).isZero();
        assertThat(Files.getAttribute(host.resolve("f"), "unix:uid")).isEqualTo(1000);
        assertThat((int) Files.getAttribute(host.resolve("f"), "unix:mode") & 07777).isEqualTo(04755);
        assertThat(Files.getAttribute(outside, "unix:uid")).isEqualTo(0);
        stage.containers().remove("user", new RemoveRequest(true, true));
    }

    /// Between the change of owners and the mount somebody puts another directory into the source's place.
    @Test
    void whatIsGivenToTheContainersUserIsWhatIsMounted() throws Exception {
        Path place = Files.createDirectory(stage.root.resolve("place"));
        Path source = Files.createDirectory(place.resolve("s"));
        Path other = Files.createDirectory(place.resolve("other"));
        Files.writeString(source.resolve("mine"), "m");
        Files.writeString(other.resolve("theirs"), "t");
        stage.reopen(Failpoints.parse("start.run=sleep(3000)"));
        var config = carafe.spec.docker.ContainerConfig.parse((carafe.spec.Json.Obj) carafe.spec.Json.parse(
                "{\"Image\":\"app\",\"User\":\"app\",\"Cmd\":[\"sh\",\"-c\",\"ls /s; echo x > /s/new\"]}"));
        stage.containers().create(new CreateRequest("user", "", config,
                carafe.spec.docker.HostConfig.parse((carafe.spec.Json.Obj) carafe.spec.Json.parse(
                        "{\"Binds\":[\"" + source + ":/s:U\"]}")),
                carafe.spec.docker.NetworkingConfig.NONE));
        var wait = stage.containers().await("user", WaitCondition.NEXT_EXIT);
        var starting = new FutureTask<>(() -> {
            stage.containers().start("user");
            return true;
        });
        Thread.ofPlatform().start(starting);
        EngineHarness.eventually(() -> Files.getAttribute(source.resolve("mine"), "unix:uid").equals(1000));
        Files.move(source, place.resolve("t"), StandardCopyOption.ATOMIC_MOVE);
        Files.createSymbolicLink(source, other);
        assertThat(starting.get()).isTrue();
        assertThat(wait.await().exitCode()).isZero();
        assertThat(stage.log("user")).isEqualTo("mine\n");
        assertThat(place.resolve("t/new")).hasContent("x");
        assertThat(other.toFile().list()).containsExactly("theirs");
        assertThat(Files.getAttribute(other, "unix:uid")).isEqualTo(0);
        assertThat(Files.getAttribute(other.resolve("theirs"), "unix:uid")).isEqualTo(0);
    }

    @Test
    void anImageIsMountedReadOnlyAndKeptWhileItsContainerIs() throws Exception {
        String mount = "{\"Mounts\":[{\"Type\":\"image\",\"Source\":\"app\",\"Target\":\"/img\"},"
                + "{\"Type\":\"image\",\"Source\":\"app\",\"Target\":\"/sub\",\"ImageOptions\":{\"Subpath\":\"etc\"}}]}";
        assertThat(run("user", mount, "cat /img/etc/group /sub/passwd && ! touch /img/x && ! touch /sub/x")).isZero();
        assertThat(stage.containers().inspect("user", false).mounts()).extracting("type", "source", "writable")
                .contains(org.assertj.core.groups.Tuple.tuple("image", "app", false));
        stage.crash();
        assertThat(run("two", mount, "test -e /img/bin/busybox")).isZero();
        assertThatThrownBy(() -> stage.containers().create(request("bad",
                "{\"Mounts\":[{\"Type\":\"image\",\"Source\":\"nope\",\"Target\":\"/img\"}]}", "true")))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("nope");
    }

    @Test
    void usageCountsUsersAndBytes() throws Exception {
        run("one", "{\"Binds\":[\"data:/d\"]}", "busybox head -c 5000 /dev/zero > /d/f && busybox ln /d/f /d/g");
        var usage = volumes().usage().getFirst();
        assertThat(usage.containers()).isOne();
        assertThat(usage.sizeBytes()).isEqualTo(5000);
        assertThat(volumes().prune(new Filters(Map.of("all", Set.of("1")))).names()).isEmpty();
        remove("one", false);
        assertThat(volumes().prune(Filters.NONE).names()).isEmpty();
        assertThat(volumes().prune(new Filters(Map.of("all", Set.of("1")))).reclaimedBytes()).isEqualTo(5000);
    }

    @Test
    void wrongOptionsAreRefusedInDockersWords() {
        assertThatThrownBy(() -> volumes().create(named("x1", Map.of("color", "red"))))
                .hasMessage("create x1: invalid option: \"color\"");
        assertThatThrownBy(() -> volumes().create(named("x1", Map.of("type", "nfs"))))
                .hasMessage("create x1: missing required option: \"device\"");
        assertThatThrownBy(() -> volumes().create(new VolumeRequest("x1", "magic", Map.of(), Map.of())))
                .hasMessage("create x1: error looking up volume plugin magic: plugin \"magic\" not found");
        assertThatThrownBy(() -> volumes().create(named("a/b", Map.of()))).hasMessageContaining(
                "includes invalid characters for a local volume name");
        assertThatThrownBy(() -> volumes().inspect("x1")).hasMessage("get x1: no such volume");
    }

    /// What a clone or an import has begun when it fails, or the daemon dies, is no volume, and nothing is left of it.
    @ParameterizedTest
    @ValueSource(strings = {"volume.fill", "volume.filled"})
    void aCrashWhileAVolumeIsFilledLeavesNoneAndTheNextTryWorks(String point) throws Exception {
        run("maker", "{\"Binds\":[\"data:/d\"]}", "echo x > /d/f");
        remove("maker", false);
        var tar = new ByteArrayOutputStream();
        volumes().pack("data", tar);
        stage.reopen(Failpoints.parse(point + "=2*EIO->off"));
        assertThatThrownBy(() -> volumes().duplicate("data", "twin")).isInstanceOf(EngineException.class)
                .hasMessageContaining("cannot clone the volume data to twin");
        assertThatThrownBy(() -> volumes().unpack("copy", Map.of(), sent(tar))).isInstanceOf(EngineException.class)
                .hasMessageContaining("cannot import the volume copy");
        assertThat(names()).containsExactly("data");
        stage.crash();
        assertThat(names()).containsExactly("data");
        volumes().duplicate("data", "twin");
        volumes().unpack("copy", Map.of(), sent(tar));
        for (String name : List.of("twin", "copy")) {
            assertThat(volumes().inspect(name).mountpoint().resolve("f")).hasContent("x\n");
        }
    }

    private static SentTar sent(ByteArrayOutputStream tar) {
        return new SentTar(new ByteArrayInputStream(tar.toByteArray()), () -> false);
    }

    @ParameterizedTest
    @ValueSource(strings = {"create.volumes", "volume.make", "create.row", "create.snapshot", "volume.copy-up",
        "volume.copied-up", "create.durable", "start.mounts", "volume.mount", "volume.mounted", "start.run", "start.row",
        "exit.row", "exit.process", "exit.mounts", "remove.row", "volume.remove", "remove.directory"})
    void aCrashAtAnyPointLeavesNoMountAndNoAnonymousVolume(String point) throws Exception {
        volumes().create(named("mem", Map.of("type", "tmpfs", "device", "tmpfs")));
        String host = "{\"Binds\":[\"mem:/etc\"],\"Mounts\":[{\"Type\":\"volume\",\"Target\":\"/bin2\"},"
                + "{\"Type\":\"volume\",\"Target\":\"/tmp\"}]}";
        stage.reopen(Failpoints.parse(point + "=EIO"));
        try {
            run("web", host, "test -e /etc/passwd");
            remove("web", true);
        } catch (EngineException e) {
            assertThat(e.getMessage()).isNotBlank();
        }
        stage.crash();
        stage.leftAfterRemoval();
        assertThat(mountsOf(stage.root)).isEmpty();
        assertThat(names()).containsExactly("mem");
        assertThat(run("web", host, "test -e /etc/passwd")).isZero();
        remove("web", true);
        assertThat(names()).containsExactly("mem");
    }

    /// A disk of its own has its lost+found, and somebody's backup is nobody's volume.
    @Test
    void whatIsNoVolumeIsLeftWhereItIs() throws Exception {
        var root = volumes().create(named("mine", Map.of())).mountpoint().resolve("../..").normalize();
        Files.writeString(Files.createDirectory(root.resolve("backup")).resolve("f"), "kept");
        Files.writeString(root.resolve("x.tar"), "kept too");
        Files.createDirectory(root.resolve("unfinished"));
        Files.createDirectory(root.resolve("lost+found"));
        Files.createDirectories(root.resolve("broken"));
        Files.writeString(root.resolve("broken/_data"), "no directory");
        stage.crash();
        assertThat(names()).containsExactly("mine");
        assertThat(root.resolve("backup/f")).hasContent("kept");
        assertThat(root.resolve("x.tar")).hasContent("kept too");
        assertThat(root.resolve("broken/_data")).hasContent("no directory");
        assertThat(root.resolve("unfinished")).doesNotExist();
        for (String left : List.of("lost+found", "backup/f", "backup", "x.tar", "broken/_data", "broken")) {
            Files.delete(root.resolve(left));
        }
    }

    @Test
    void aKilledDaemonUnmountsWhatNobodyRunsWith() throws Exception {
        volumes().create(named("mem", Map.of("type", "tmpfs", "device", "tmpfs")));
        var data = volumes().inspect("mem").mountpoint();
        stage.containers().create(request("one", "{\"Binds\":[\"mem:/m\"]}", "sleep", "1000"));
        stage.containers().start("one");
        assertThat(mountsOf(data)).hasSize(1);
        int pid = ((State.Running) stage.state("one")).pid();
        stage.engine.abandon();
        ProcessHandle.of(pid).orElseThrow().destroyForcibly();
        EngineHarness.eventually(() -> ProcessHandle.of(pid).isEmpty());
        stage.reopenAfterAbandon();
        EngineHarness.eventually(() -> mountsOf(data).isEmpty());
    }
}
