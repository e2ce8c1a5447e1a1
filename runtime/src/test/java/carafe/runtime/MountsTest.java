package carafe.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import carafe.kernel.Linux;
import carafe.kernel.Mounts;
import carafe.runtime.StartFailure.Kind;
import carafe.spec.oci.RootfsPlan;
import carafe.spec.oci.RuntimeSpec.Mount;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The mounts a user asks for.
class MountsTest extends StageTest {

    private Path host() throws Exception {
        Path host = Files.createDirectories(stage.directory.resolve("host"));
        Files.writeString(host.resolve("file"), "from the host\n");
        Files.createDirectories(host.resolve("sub"));
        return host;
    }

    private RuntimeStage.Output run(String script, Mount... mounts) throws Exception {
        return stage.run(stage.bundle(
                TestSpecs.withMounts(TestSpecs.standard(stage.id(), "sh", "-c", script), mounts)));
    }

    private static Mount bind(Path source, String destination, String... options) {
        var all = new ArrayList<String>(List.of("rbind"));
        all.addAll(List.of(options));
        return Mount.of(destination, "bind", source.toString(), all);
    }

    @Test
    void directoriesAndFilesAreBound() throws Exception {
        Path host = host();
        var output = run("cat /new/place/file /etc/given; echo changed > /new/place/file",
                bind(host, "/new/place"), bind(host.resolve("file"), "/etc/given"));
        assertThat(output.out()).isEqualTo("from the host\nfrom the host\n");
        assertThat(host.resolve("file")).hasContent("changed");
    }

    @Test
    void readOnlyBindsCannotBeWritten() throws Exception {
        var output = run("echo x > /h/file; grep ' /h ' /proc/self/mountinfo | cut -d' ' -f6",
                bind(host(), "/h", "ro", "nosuid"));
        assertThat(output.err()).contains("Read-only file system");
        assertThat(output.out()).startsWith("ro,nosuid,"); // what follows about access times is the host's
    }

    @Test
    void recursiveReadOnlyReachesMountsBelow() throws Exception {
        Path host = host();
        Mounts.mount("tmpfs", host.resolve("sub"), "tmpfs", 0, "");
        try {
            assertThat(run("touch /h/sub/x && echo written", bind(host, "/h", "ro")).out()).isEqualTo("written\n");
            assertThat(run("touch /h/sub/y", bind(host, "/h", "rro")).err()).contains("Read-only file system");
        } finally {
            Mounts.detach(host.resolve("sub"));
        }
    }

    @Test
    void bindsInBindsAndInTmpfsGetTheirPlace() throws Exception {
        Path host = host();
        var output = run("cat /h/inner/file /run/deep/er/file; stat -c %a /run",
                bind(host, "/h"), bind(host, "/h/inner"),
                Mount.of("/run", "tmpfs", "tmpfs", List.of("mode=1770", "size=1m")), bind(host, "/run/deep/er"));
        assertThat(output.err()).isEmpty();
        assertThat(output.out()).isEqualTo("from the host\nfrom the host\n1770\n");
    }

    /// As runc does it, but that a second start does not find the directory that the first one made and copy its mode.
    @Test
    void aTmpfsHasTheModeOfWhatItCovers() throws Exception {
        Path home = Files.createDirectory(stage.image.resolve("private"));
        Files.setAttribute(home, "unix:mode", 0700);
        Files.setAttribute(Files.createDirectory(stage.image.resolve("sticky")), "unix:mode", 01770);
        Files.createSymbolicLink(stage.image.resolve("link"), Path.of("/private"));
        Path host = host();
        Files.setAttribute(host.resolve("sub"), "unix:mode", 0751);
        var bundle = stage.bundle(TestSpecs.withMounts(
                TestSpecs.standard(stage.id(), "sh", "-c",
                        "stat -c '%n %a %u' /private /sticky /new /deep/er /given /b/sub /b/new"),
                bind(host, "/b"), tmpfs("/link"), tmpfs("/sticky"), tmpfs("/new"), tmpfs("/deep/er"),
                tmpfs("/given", "mode=711"), tmpfs("/b/sub"), tmpfs("/b/new")));
        for (int start = 0; start < 2; start++) {
            var output = stage.run(bundle);
            assertThat(output.err()).isEmpty();
            assertThat(output.out()).isEqualTo("/private 700 0\n/sticky 1770 0\n/new 1777 0\n/deep/er 1777 0\n"
                    + "/given 711 0\n/b/sub 751 0\n/b/new 1777 0\n");
        }
    }

    private static Mount tmpfs(String destination, String... options) {
        return Mount.of(destination, "tmpfs", "tmpfs", List.of(options));
    }

    @Test
    void linksInTheImageAreFollowedInsideOnly() throws Exception {
        Files.createSymbolicLink(stage.image.resolve("outward"), Path.of("/../../etc-of-image"));
        Files.createSymbolicLink(stage.image.resolve("var"), Path.of("/tmp"));
        Path host = host();
        var output = run("cat /etc-of-image/here/file /tmp/spot/file; readlink -f /outward",
                bind(host, "/outward/here"), Mount.of("/tmp", "tmpfs", "tmpfs", List.of()), bind(host, "/var/spot"));
        assertThat(output.err()).isEmpty();
        assertThat(output.out()).isEqualTo("from the host\nfrom the host\n/etc-of-image\n");
    }

    @Test
    void discardableRootsPromiseNothingAndStartAgain() throws Exception {
        var bundle = stage.bundle(TestSpecs.standard(
                stage.id(), "sh", "-c", "cat /kept; grep ' / ' /proc/mounts; echo old >/kept"));
        var root = ((RootfsPlan.Overlay) bundle.rootfs()).withDiscardable(true);
        var discardable = new Bundle(bundle.id(), bundle.spec(), root, bundle.runDir(), bundle.containerDir(),
                bundle.user(), bundle.stdio(), bundle.log());
        assertThat(stage.run(discardable).out()).containsPattern("[,=]volatile");
        assertThat(stage.run(discardable).out()).startsWith("old\n").containsPattern("[,=]volatile");
        assertThat(stage.run(stage.bundle(TestSpecs.standard(stage.id(), "grep", " / ", "/proc/mounts"))).out())
                .doesNotContain("volatile");
    }

    @Test
    void hostMountsAppearOnlyWithSlavePropagation() throws Exception {
        Path host = host();
        Mounts.mount("tmpfs", host, "tmpfs", 0, "");
        Mounts.mount("", host, "", Linux.MS_SHARED, "");
        try {
            Files.createDirectories(host.resolve("late"));
            var slave = stage.start(stage.bundle(TestSpecs.withMounts(
                    TestSpecs.standard(stage.id(), "sleep", "1000"), bind(host, "/h", "rslave"),
                    bind(host, "/p", "rprivate"))));
            Mounts.mount("tmpfs", host.resolve("late"), "tmpfs", 0, "");
            Files.writeString(host.resolve("late/news"), "news\n");
            assertThat(stage.exec(slave, stage.execSpec("ls", "/h/late", "/p/late")).out())
                    .isEqualTo("/h/late:\nnews\n\n/p/late:\n");
            RuntimeStage.end(slave);
        } finally {
            Mounts.detach(host);
        }
    }

    @Test
    void readOnlyRootIsReadOnlyButItsMountsAreNot() throws Exception {
        var spec = TestSpecs.withReadonlyRoot(TestSpecs.standard(
                stage.id(), "sh", "-c", "touch /x; touch /dev/shm/y && echo shm; echo z > /dev/null && echo null"));
        var output = stage.run(stage.bundle(spec));
        assertThat(output.err()).contains("Read-only file system");
        assertThat(output.out()).isEqualTo("shm\nnull\n");
    }

    @Test
    void wrongKindsAndMissingSourcesAreSentences() throws Exception {
        Path host = host();
        var missing = failure(bind(host.resolve("nothing"), "/h"));
        assertThat(missing.kind()).isEqualTo(Kind.MOUNT);
        assertThat(missing).hasMessageContaining("nothing\" to \"/h\"").hasMessageContaining("no such file or directory");
        assertThat(failure(bind(host, "/etc/passwd"))).hasMessageContaining("mount a directory onto a file");
        assertThat(failure(Mount.of("/x", "no-such-fs", "none", List.of()))).hasMessageContaining("no such device");
        assertThat(failure(bind(host, "/")).kind()).isEqualTo(Kind.INVALID);
    }

    private StartFailure failure(Mount mount) throws Exception {
        var bundle = stage.bundle(TestSpecs.withMounts(TestSpecs.standard(stage.id(), "true"), mount));
        var failure = catchThrowableOfType(StartFailure.class, () -> stage.runtime.start(bundle, List.of()));
        assertThat(failure).isNotNull();
        stage.assertNothingIsLeft();
        return failure;
    }
}
