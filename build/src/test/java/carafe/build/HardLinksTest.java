package carafe.build;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.build.step.StepRunner;
import carafe.build.tree.RootView;
import carafe.build.tree.TarText;
import carafe.kernel.FileStat;
import carafe.spec.EngineException;
import carafe.spec.build.BuildEvent;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// Files that have several names, in contexts, stages and archives, and what COPY and ADD make of them. The program of RUN is
/// played: `link A B...` writes a megabyte to A and gives it the other names, `count DIRECTORY` prints how many names the
/// files of a mount have.
class HardLinksTest extends BuilderScene {

    private static final String LARGE = "x".repeat(1 << 20);

    @Override
    int play(StepRunner.StepRun run, StepRunner.Output output) throws EngineException {
        String[] words = run.arguments().getLast().split(" ");
        try (var root = RootView.writable(run.root())) {
            if (words[0].equals("link")) {
                root.tree().writeFile(words[1], LARGE.getBytes(StandardCharsets.US_ASCII), 0644, 3, 4);
                for (int i = 2; i < words.length; i++) {
                    root.tree().link(words[i], words[1]);
                }
                return 0;
            }
            var mount = (StepRunner.StepMount.Bind) run.mounts().getFirst();
            var counts = new TreeMap<String, Object>();
            try (var files = Files.list(mount.source())) {
                for (Path file : files.toList()) {
                    counts.put(file.getFileName().toString(), Files.getAttribute(file, "unix:nlink", LinkOption.NOFOLLOW_LINKS));
                }
            }
            output.print(1, counts.toString().getBytes(StandardCharsets.US_ASCII));
            return 0;
        } catch (IOException e) {
            throw new EngineException.Internal("the played program failed: " + e.getMessage(), e);
        }
    }

    /// What each file of an image is, by its path.
    private Map<String, FileStat> stats(Digest image, String... paths) throws Exception {
        var found = new TreeMap<String, FileStat>();
        try (var tree = files(image)) {
            for (String path : paths) {
                found.put(path, tree.tree().lstat(path));
            }
            return found;
        }
    }

    private static void assertOne(Map<String, FileStat> files, int names) {
        var first = files.values().iterator().next();
        assertThat(files.values()).allSatisfy(file -> {
            assertThat(file.isSame(first)).isTrue();
            assertThat(file.links()).isEqualTo(names);
        });
    }

    private String text(Digest image, String path) throws Exception {
        try (var tree = files(image)) {
            return text(tree, path);
        }
    }

    private long tarBytes(Digest image) throws Exception {
        try (var intake = images.intake()) {
            long bytes = 0;
            for (var diffId : images.byId(image).orElseThrow().config().diffIds()) {
                try (var tar = intake.tar(diffId)) {
                    bytes += tar.readAllBytes().length;
                }
            }
            return bytes;
        }
    }

    @Test
    void namesOfOneFileOfAStageStayNamesOfOneFile() throws Exception {
        String stage = "FROM scratch AS made\nRUN link /a /b /c\nFROM scratch\n";
        for (String copy : List.of("COPY --from=made / /in/", "COPY --from=made --link / /in/",
                "COPY --from=made a b c /in/", "COPY --from=made [a-c] /in/")) {
            var image = build(stage + copy + "\n", new TarText());
            var stats = stats(image, "/in/a", "/in/b", "/in/c");
            assertOne(stats, 3);
            assertThat(stats.get("/in/b")).extracting(FileStat::uid, FileStat::gid).containsExactly(3, 4);
            assertThat(tarBytes(image)).isLessThan(LARGE.length() + 20_000L);
        }
        var owned = stats(build(stage + "COPY --from=made --chown=5:6 --chmod=0600 / /in/\n", new TarText()), "/in/a", "/in/c");
        assertOne(owned, 3);
        assertThat(owned.get("/in/c")).extracting(FileStat::uid, FileStat::gid, file -> file.mode() & 07777)
                .containsExactly(5, 6, 0600);
        var alone = stats(build(stage + "COPY --from=made --exclude=b --exclude=c / /in/\n", new TarText()), "/in/a");
        assertOne(alone, 1);
    }

    private static TarText linked() {
        return new TarText().file("d/a", "same").hardLink("d/b", "d/a").file("other", "same").hardLink("e/c", "d/a");
    }

    @Test
    void namesOfOneFileOfTheContextStayNamesOfOneFile() throws Exception {
        var image = build("FROM scratch\nCOPY . /in/\n", linked());
        assertOne(stats(image, "/in/d/a", "/in/d/b", "/in/e/c"), 3);
        assertOne(stats(image, "/in/other"), 1);
        assertThat(text(image, "/in/e/c")).isEqualTo("same");
        var part = build("FROM scratch\nCOPY d /in/\n", linked());
        assertOne(stats(part, "/in/a", "/in/b"), 2);
        assertThat(build("FROM scratch\nCOPY d /in/\n", linked())).isEqualTo(part);
        assertThat(events).anyMatch(event -> event instanceof BuildEvent.Done done && done.cached());
    }

    @Test
    void filesThatAreEqualAndApartAreAnotherStep() throws Exception {
        var linked = build("FROM scratch\nCOPY d /in/\n", linked());
        var apart = build("FROM scratch\nCOPY d /in/\n", new TarText().file("d/a", "same").file("d/b", "same"));
        assertThat(events).noneMatch(event -> event instanceof BuildEvent.Done done && done.cached());
        assertOne(stats(apart, "/in/a"), 1);
        assertThat(apart).isNotEqualTo(linked);
    }

    @Test
    void aLaterSourceReplacesOneNameOnly() throws Exception {
        var context = new TarText().file("one/x", "old").hardLink("one/y", "one/x").hardLink("one/z", "one/x")
                .file("two/x", "new");
        var image = build("FROM scratch\nCOPY one two /in/\n", context);
        assertThat(text(image, "/in/x")).isEqualTo("new");
        assertThat(text(image, "/in/y")).isEqualTo("old");
        assertOne(stats(image, "/in/x"), 1);
        assertOne(stats(image, "/in/y", "/in/z"), 2);
    }

    @Test
    void archivesAndTheContextHaveFilesOfTheirOwn() throws Exception {
        byte[] archive = new TarText().file("m", "of the archive").hardLink("n", "m").bytes();
        byte[] another = new TarText().file("r", "of another").hardLink("s", "r").bytes();
        var context = new TarText().file("p", "of the context").hardLink("q", "p").file("a.tar", archive, 0644)
                .file("b.tar", another, 0644);
        var image = build("FROM scratch\nADD p q a.tar b.tar /in/\n", context);
        assertOne(stats(image, "/in/m", "/in/n"), 2);
        assertOne(stats(image, "/in/p", "/in/q"), 2);
        assertOne(stats(image, "/in/r", "/in/s"), 2);
        assertThat(text(image, "/in/n")).isEqualTo("of the archive");
        assertThat(text(image, "/in/q")).isEqualTo("of the context");
        assertThat(text(image, "/in/s")).isEqualTo("of another");
    }

    @Test
    void mountsHaveThemToo() throws Exception {
        build("FROM scratch\nRUN --mount=type=bind,source=d,target=/m count\n", linked());
        assertThat(events.stream().flatMap(event -> event instanceof BuildEvent.Log log
                ? List.of(new String(log.bytes(), StandardCharsets.US_ASCII)).stream() : List.<String>of().stream()))
                .containsExactly("{a=2, b=2}");
    }
}
