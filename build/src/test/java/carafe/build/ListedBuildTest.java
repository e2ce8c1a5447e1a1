package carafe.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.build.step.StepRunner;
import carafe.build.tree.RootView;
import carafe.build.tree.TarText;
import carafe.spec.EngineException;
import carafe.spec.build.BuildContexts;
import carafe.spec.build.BuildEvent;
import carafe.spec.build.BuildOutcome;
import carafe.spec.build.BuildRequest;
import carafe.spec.build.ContextListing;
import carafe.spec.build.FileStamp;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Builds from contexts that are only listed, on a real image store: what they give, and when the files are wanted.
class ListedBuildTest extends BuilderScene {

    private static final String COPY = "FROM scratch\nCOPY src /src\n";

    private final List<String> programs = new CopyOnWriteArrayList<>();
    /// The client's files, the Dockerfile apart.
    private final Map<String, ClientFile> files = new TreeMap<>();
    private long changes = 1000;

    private record ClientFile(String content, int mode, FileStamp stamp) {}

    @BeforeEach
    void someFiles() {
        write("src/a", "one");
        write("src/d/b", "two");
        write("other", "three");
    }

    @Override
    int play(StepRunner.StepRun run, StepRunner.Output output) throws EngineException {
        programs.add(run.arguments().getLast());
        output.print(1, "ran".getBytes(StandardCharsets.UTF_8));
        try (var tree = RootView.writable(run.root())) {
            tree.tree().writeFile("/made", run.arguments().getLast().getBytes(StandardCharsets.UTF_8), 0644, 0, 0);
        } catch (IOException e) {
            throw new EngineException.Internal("the played program failed: " + e.getMessage(), e);
        }
        return 0;
    }

    private void write(String path, String content) {
        files.put(path, new ClientFile(content, 0644, stamp(content)));
    }

    private FileStamp stamp(String content) {
        return new FileStamp(1, ++changes, content.length(), 5, changes);
    }

    private byte[] listing(String dockerfile) {
        var listing = new ContextListing.Writer();
        listing.directory("");
        listing.shown("Dockerfile", 0644, dockerfile.getBytes(StandardCharsets.UTF_8));
        listing.folder("src", 0755);
        listing.link("link", "src/a");
        files.forEach((path, file) -> {
            listing.directory(path.substring(0, Math.max(0, path.lastIndexOf('/'))));
            listing.file(path.substring(path.lastIndexOf('/') + 1), file.mode, file.content.length(), file.stamp);
        });
        return listing.bytes();
    }

    private byte[] tar(String dockerfile) {
        var tar = new TarText().rootFile("Dockerfile", dockerfile).directory("src").link("link", "src/a");
        var names = new HashMap<FileStamp, String>();
        files.forEach((path, file) -> {
            String first = names.putIfAbsent(file.stamp, path);
            if (first == null) {
                tar.file(path, file.content, file.mode);
            } else {
                tar.hardLink(path, first);
            }
        });
        return tar.bytes();
    }

    private BuildOutcome build(BuildRequest request, byte[] body) throws Exception {
        events.clear();
        programs.clear();
        return builder.build(request, this::base, new ByteArrayInputStream(body), events::add);
    }

    private static BuildRequest request(boolean alone, boolean explain) {
        var plain = BuildRequest.of(List.of());
        var result = new BuildRequest.Result(BuildRequest.Call.BUILD, Optional.empty(), explain, false);
        return new BuildRequest(plain.dockerfile(), plain.tags(), plain.arguments(), plain.labels(), plain.target(),
                plain.platforms(), plain.cache(), plain.running(), result, new BuildContexts("", Map.of(), List.of(),
                Optional.of(new BuildContexts.Listing("/home/user 1:2", alone))));
    }

    private BuildOutcome listed(String dockerfile) throws Exception {
        return build(request(true, false), listing(dockerfile));
    }

    /// With all files, and what they were.
    private BuildOutcome whole(String dockerfile) throws Exception {
        return build(request(false, true), whole(tar(dockerfile), listing(dockerfile)));
    }

    private static byte[] whole(byte[] tar, byte[] listing) {
        var body = new ByteArrayOutputStream();
        body.writeBytes(ByteBuffer.allocate(4).putInt(tar.length).array());
        body.writeBytes(tar);
        body.writeBytes(new byte[4]);
        body.writeBytes(listing);
        return body.toByteArray();
    }

    private void wanted(String dockerfile) throws Exception {
        assertThat(listed(dockerfile)).isEqualTo(BuildOutcome.CONTEXT_WANTED);
        assertThat(events).isEmpty();
        assertThat(programs).isEmpty();
    }

    private void allCached() {
        assertThat(events).filteredOn(BuildEvent.Done.class::isInstance).map(BuildEvent.Done.class::cast)
                .filteredOn(done -> done.vertex() > 0).isNotEmpty().allMatch(BuildEvent.Done::cached);
    }

    @Test
    void anUnchangedContextNeedNotComeAgainAndGivesTheSameImage() throws Exception {
        String dockerfile = COPY + "COPY . /all\nADD link other /x/\nRUN --mount=target=/m step\n";
        wanted(dockerfile);
        var first = whole(dockerfile);
        assertThat(programs).containsExactly("step");
        assertThat(listed(dockerfile).imageId()).isPresent().isEqualTo(first.imageId());
        allCached();
        var plain = build(BuildRequest.of(List.of()), tar(dockerfile));
        assertThat(plain.imageId()).isEqualTo(first.imageId());
        allCached();
        builder.close();
        reopen("build");
        assertThat(listed(dockerfile).imageId()).isEqualTo(first.imageId());
    }

    @Test
    void namesOfOneFileAreThoseOfOneFileInAListingToo() throws Exception {
        files.put("src/z", Objects.requireNonNull(files.get("src/a")));
        whole(COPY);
        assertThat(listed(COPY).imageId()).isPresent();
        allCached();
        var linked = whole(COPY + "COPY . /all\n");
        assertThat(listed(COPY + "COPY . /all\n").imageId()).isEqualTo(linked.imageId());
        allCached();
        write("src/z", "one");
        wanted(COPY);
        assertThat(whole(COPY + "COPY . /all\n").imageId()).isNotEqualTo(linked.imageId());
    }

    /// One that wants the files at once, while the others are only about to begin.
    @Test
    void ofSeveralStagesWhicheverWantsTheFilesFirstIsHeard() throws Exception {
        String dockerfile = "FROM scratch AS a\nCOPY src /src\nFROM scratch AS b\nCOPY src /src\nFROM scratch\nCOPY src /src\n"
                + "COPY --from=a / /a/\nCOPY --from=b / /b/\n";
        for (int round = 0; round < 200; round++) {
            wanted(dockerfile);
        }
        var first = whole(dockerfile);
        assertThat(listed(dockerfile).imageId()).isPresent().isEqualTo(first.imageId());
    }

    @Test
    void aTarAndAListingHaveTheSameKeysWhicheverComesFirst() throws Exception {
        var plain = build(BuildRequest.of(List.of()), tar(COPY));
        wanted(COPY); // nobody told what the files were
        assertThat(whole(COPY).imageId()).isEqualTo(plain.imageId());
        allCached();
        assertThat(listed(COPY).imageId()).isEqualTo(plain.imageId());
    }

    @Test
    void whatChangedIsWantedAndTold() throws Exception {
        var first = whole(COPY);
        var changes = new TreeMap<String, Runnable>();
        changes.put("src/a was changed", () -> write("src/a", "ONE"));
        changes.put("src/new was added", () -> write("src/new", "four"));
        changes.put("src/d/b was removed", () -> files.remove("src/d/b"));
        changes.put("src/c was added", () -> files.put("src/c", files.remove("src/a")));
        changes.put("src/a was changed ", () -> files.computeIfPresent("src/a", (_, old) ->
                new ClientFile(old.content, 0755, stamp(old.content)))); // chmod
        for (var change : changes.entrySet()) {
            var before = new TreeMap<>(files);
            change.getValue().run();
            wanted(COPY);
            assertThat(whole(COPY).imageId()).isPresent().isNotEqualTo(first.imageId());
            assertThat(events).filteredOn(BuildEvent.Explained.class::isInstance).singleElement().asString()
                    .contains("not cached: ", change.getKey().strip());
            files.clear();
            files.putAll(before);
            assertThat(whole(COPY).imageId()).isEqualTo(first.imageId());
        }
    }

    @Test
    void aFileThatWasTouchedComesAgainAndIsCached() throws Exception {
        var first = whole(COPY);
        write("src/a", "one");
        wanted(COPY);
        assertThat(whole(COPY).imageId()).isEqualTo(first.imageId());
        allCached();
        assertThat(listed(COPY).imageId()).isEqualTo(first.imageId());
    }

    @Test
    void onlyTheInodesChangeTellsThatAFileWasReplaced() throws Exception { // same size, same time of its content
        whole(COPY);
        files.computeIfPresent("src/a", (_, old) -> new ClientFile("ONE", old.mode, new FileStamp(1, old.stamp.inode(), 3, 5,
                old.stamp.changedNanos() + 1)));
        wanted(COPY);
    }

    @Test
    void aFileWithoutStampIsWanted() throws Exception {
        whole(COPY);
        files.computeIfPresent("src/a", (_, old) -> new ClientFile(old.content, old.mode, FileStamp.NONE));
        wanted(COPY);
    }

    @Test
    void whatIsNotCopiedMayChange() throws Exception {
        var first = whole(COPY);
        write("other", "changed");
        assertThat(listed(COPY).imageId()).isEqualTo(first.imageId());
    }

    @Test
    void aProgramRunsFromAListingOnceNoFileCanBeWantedAnyMore() throws Exception {
        whole(COPY + "RUN one\n");
        var run = listed(COPY + "RUN two\n");
        assertThat(programs).containsExactly("two");
        assertThat(events).anyMatch(BuildEvent.Log.class::isInstance).hasAtLeastOneElementOfType(BuildEvent.Planned.class);
        assertThat(whole(COPY + "RUN two\n").imageId()).isEqualTo(run.imageId());
        wanted("FROM scratch\nRUN three\nCOPY src /src\n");
        wanted(COPY + "RUN --mount=target=/m four\n");
    }

    @Test
    void anErrorFromAListingIsToldAsOne() throws Exception {
        whole(COPY);
        assertThatThrownBy(() -> listed(COPY + "COPY none /\n")).isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("none");
        assertThat(events).hasAtLeastOneElementOfType(BuildEvent.Failed.class);
        assertThatThrownBy(() -> listed("FROM scratch\nCOPPY a b\n")).isInstanceOf(EngineException.Invalid.class);
    }

    @Test
    void aDamagedMemoryWantsTheWholeContext() throws Exception {
        var first = whole(COPY);
        try (var memories = Files.list(directory.resolve("build/contexts"))) {
            Path memory = memories.findFirst().orElseThrow();
            byte[] bytes = Files.readAllBytes(memory);
            bytes[bytes.length / 2]++;
            Files.write(memory, bytes);
        }
        wanted(COPY);
        assertThat(whole(COPY).imageId()).isEqualTo(first.imageId());
        assertThat(listed(COPY).imageId()).isEqualTo(first.imageId());
    }

    @Test
    void hostileListingsAreRefused() throws Exception {
        byte[] good = listing(COPY);
        byte[] cut = Arrays.copyOf(good, good.length - 1);
        assertThatThrownBy(() -> build(request(true, false), cut)).isInstanceOf(EngineException.Invalid.class)
                .hasMessage("the context's listing breaks off");
        byte[] tar = tar(COPY);
        assertThatThrownBy(() -> build(request(false, false), whole(tar, cut))).isInstanceOf(EngineException.Invalid.class)
                .hasMessage("the context's listing breaks off");
        wanted(COPY); // and nothing was learnt
        var outside = new ContextListing.Writer();
        outside.directory("../etc");
        byte[] bytes = outside.bytes();
        assertThatThrownBy(() -> build(request(true, false), bytes)).isInstanceOf(EngineException.Invalid.class);
    }
}
