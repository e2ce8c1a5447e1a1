package carafe.cli.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.cli.session.TestSession;
import carafe.spec.build.ContextListing;
import carafe.spec.build.FileStamp;
import carafe.spec.build.IgnorePatterns;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// Listings of a directory, and what is told of its files when they were sent.
class ContextListerTest {

    private static final Path ROOT = Path.of("/home/user");
    private static final long NOW = 1_000_000_000_000L;
    private static final Clock CLOCK = Clock.fixed(Instant.ofEpochSecond(1000), ZoneOffset.UTC);

    private final TestSession session = new TestSession();

    /// Paths, and what was said of them.
    private static final class Names implements ContextListing.Visitor {
        private final Map<String, String> names = new TreeMap<>();

        @Override
        public void file(String path, int mode, long size, FileStamp stamp) {
            put(path, stamp.present() ? "stamped" : "file");
        }

        @Override
        public void shown(String path, int mode, byte[] content) {
            put(path, new String(content, StandardCharsets.UTF_8));
        }

        @Override
        public void folder(String path, int mode) {
            put(path + "/", "folder");
        }

        @Override
        public void link(String path, String target) {
            put(path, target);
        }

        private void put(String path, String what) {
            assertThat(names.put(path, what)).as(path).isNull();
        }
    }

    private ContextDirectory context(String dockerfile, List<ContextStream.Extra> extras, String... ignored) throws Exception {
        return new ContextDirectory(session, ROOT, new ContextRules(IgnorePatterns.of(List.of(ignored)), Set.of(dockerfile)),
                extras);
    }

    private static Map<String, String> names(byte[] listing) throws Exception {
        var names = new Names();
        ContextListing.read(listing, names);
        return names.names;
    }

    private Map<String, String> listed(ContextDirectory context) throws Exception {
        return names(context.listing(CLOCK).orElseThrow());
    }

    private void manyFiles() {
        for (int i = 0; i < 1200; i++) {
            session.file("src/d" + i % 40 + "/e/f" + i, "file " + i);
        }
        session.file("Dockerfile", "FROM scratch");
        session.file("a.log", "log");
        session.file("src/d1/keep.log", "kept");
        session.file("out/x/Dockerfile", "FROM x");
        session.file("out/x/y", "no");
    }

    @Test
    void aDockerfileWithACapabilityIsNotShown() throws Exception {
        manyFiles();
        assertThat(context("Dockerfile", List.of()).listing(CLOCK)).isPresent();
        session.capabilities.put(ROOT.resolve("Dockerfile"), new byte[] {1});
        assertThat(context("Dockerfile", List.of()).listing(CLOCK)).isEmpty();
    }

    @Test
    void aListingHasWhatTheTarHas() throws Exception {
        manyFiles();
        for (String[] ignored : new String[][] {{}, {"*.log"}, {"out", "**/*.log", "!src/d1/keep.log"}, {"*", "!src/d2"},
            {"out/x/Dockerfile", "Dockerfile"}, {"**/e", "!src/d3/e/f3"}}) {
            for (String dockerfile : new String[] {"Dockerfile", "out/x/Dockerfile"}) {
                var context = context(dockerfile, List.of(), ignored);
                var names = new TreeSet<String>();
                new Members(context.tar()).forEach((name, _) -> names.add(name));
                if (names.size() < 1000) {
                    assertThat(context.listing(CLOCK)).isEmpty();
                } else {
                    var listing = listed(context);
                    assertThat(listing.keySet()).as(List.of(ignored).toString()).isEqualTo(names);
                    assertThat(listing.get(dockerfile)).isEqualTo(dockerfile.startsWith("out") ? "FROM x" : "FROM scratch");
                }
            }
        }
    }

    /// A tar's members.
    private static final class Members extends TreeMap<String, String> {
        private static final long serialVersionUID = 1;

        Members(InputStream tar) throws IOException {
            var in = new DataInputStream(tar);
            byte[] block = new byte[512];
            for (in.readFully(block); block[0] != 0; in.readFully(block)) {
                int size = Integer.parseInt(new String(block, 124, 11, StandardCharsets.US_ASCII), 8);
                String content = new String(in.readNBytes(size), StandardCharsets.UTF_8);
                in.readNBytes(-size & 511);
                put(new String(block, 0, 100, StandardCharsets.UTF_8).replaceAll("\0.*", ""), content);
            }
        }
    }

    @Test
    void smallContextsAreNotListedAndLargeFilesAre() throws Exception {
        session.file("Dockerfile", "FROM scratch");
        session.file("a", "x");
        assertThat(context("Dockerfile", List.of()).listing(CLOCK)).isEmpty();
        session.files.put(ROOT.resolve("large"), new byte[8 << 20]);
        assertThat(listed(context("Dockerfile", List.of()))).isEqualTo(Map.of("Dockerfile", "FROM scratch", "a", "stamped",
                "large", "stamped"));
    }

    @Test
    void filesFromElsewhereAreShown() throws Exception {
        manyFiles();
        var extra = new ContextStream.Extra(".outside", "FROM y".getBytes(StandardCharsets.UTF_8));
        assertThat(listed(context(".outside", List.of(extra)))).containsEntry(".outside", "FROM y")
                .containsEntry("Dockerfile", "stamped");
        session.file(".outside", "the same name");
        assertThat(context(".outside", List.of(extra)).listing(CLOCK)).isEmpty();
    }

    @Test
    void whatIsTooMuchIsNotListed() throws Exception {
        manyFiles();
        session.files.put(ROOT.resolve("Dockerfile"), new byte[ContextListing.MAX_SHOWN_BYTES + 1]);
        assertThat(context("Dockerfile", List.of()).listing(CLOCK)).isEmpty();
        assertThat(listed(context("a.log", List.of()))).containsEntry("a.log", "log");
        for (int i = 0; i < ContextListing.MAX_ENTRIES; i++) {
            session.files.put(ROOT.resolve("more" + i), new byte[0]);
        }
        assertThat(context("a.log", List.of()).listing(CLOCK)).isEmpty();
    }

    @Test
    void aFileThatHasJustChangedHasNoStamp() throws Exception {
        manyFiles();
        session.stamps.put(ROOT.resolve("a.log"), new FileStamp(1, 2, 3, 0, NOW - 2_000_000_000L));
        assertThat(listed(context("Dockerfile", List.of()))).containsEntry("a.log", "file");
        session.stamps.put(ROOT.resolve("a.log"), new FileStamp(1, 2, 3, 0, NOW - 2_000_000_001L));
        assertThat(listed(context("Dockerfile", List.of()))).containsEntry("a.log", "stamped");
    }

    /// As files of EROFS or squashfs have it, and those of layers below an overlay: of the next image's they may be the same.
    @Test
    void aFileThatChangedInAWholeSecondHasNoStamp() throws Exception {
        manyFiles();
        session.stamps.put(ROOT.resolve("a.log"), new FileStamp(1, 2, 3, 0, NOW - 9_000_000_000L));
        assertThat(listed(context("Dockerfile", List.of()))).containsEntry("a.log", "file");
    }

    @Test
    void whatCannotBeListedIsTold() throws Exception {
        manyFiles();
        session.unreadable.add(ROOT.resolve("src/d7/e"));
        var context = context("Dockerfile", List.of());
        assertThatThrownBy(() -> context.listing(CLOCK)).hasMessage("open /home/user/src/d7/e: permission denied");
    }

    /// What is told behind the tar of all files.
    private Map<String, String> told() throws Exception {
        byte[] all = context("Dockerfile", List.of()).taughtTar(CLOCK).readAllBytes();
        var in = new DataInputStream(new ByteArrayInputStream(all));
        for (int length = in.readInt(); length > 0; length = in.readInt()) {
            in.readNBytes(length);
        }
        return names(in.readAllBytes());
    }

    private void someFiles() {
        session.file("Dockerfile", "FROM scratch");
        session.file("src/a", "one");
        session.file("src/b", "two");
        session.file("src/d/c", "three");
    }

    private void whenOpened(String file, Runnable change) {
        session.opened = path -> {
            if (path.equals(ROOT.resolve(file))) {
                change.run();
            }
        };
    }

    @Test
    void filesThatStayedAsTheyWereAreTold() throws Exception {
        someFiles();
        assertThat(told()).isEqualTo(Map.of("Dockerfile", "stamped", "src/a", "stamped", "src/b", "stamped", "src/d/c",
                "stamped"));
    }

    @Test
    void aFileThatChangesWhileItIsReadIsNotTold() throws Exception {
        someFiles();
        whenOpened("src/a", () -> session.stamps.put(ROOT.resolve("src/a"), new FileStamp(1, 2, 3, 1, NOW)));
        assertThat(told()).containsOnlyKeys("Dockerfile", "src/b", "src/d/c");
        session.stamps.clear();
        whenOpened("src/b", () -> session.files.put(ROOT.resolve("src/b"), "longer".getBytes(StandardCharsets.UTF_8)));
        assertThat(told()).containsOnlyKeys("Dockerfile", "src/a", "src/d/c");
    }

    @Test
    void aFileThatHasJustChangedIsNotTold() throws Exception {
        someFiles();
        session.stamps.put(ROOT.resolve("src/a"), new FileStamp(1, 2, 3, 1, NOW - 2_000_000_000L));
        session.stamps.put(ROOT.resolve("src/b"), new FileStamp(1, 2, 3, 1, NOW + 2_000_000_000L));
        assertThat(told()).containsOnlyKeys("Dockerfile", "src/d/c");
    }

    @Test
    void filesBelowADirectoryThatChangesAreNotTold() throws Exception { // another may have stood there meanwhile
        someFiles();
        whenOpened("src/a", () -> session.stamps.put(ROOT.resolve("src"), new FileStamp(1, 9, 0, 1, NOW)));
        assertThat(told()).containsOnlyKeys("Dockerfile");
        session.stamps.clear();
        whenOpened("src/d/c", () -> session.stamps.put(ROOT.resolve("src/d"), new FileStamp(1, 9, 0, 1, NOW)));
        assertThat(told()).containsOnlyKeys("Dockerfile", "src/a", "src/b");
        session.stamps.clear();
        whenOpened("src/a", () -> session.stamps.put(ROOT, new FileStamp(1, 9, 0, 1, NOW)));
        assertThat(told()).isEmpty();
    }
}
