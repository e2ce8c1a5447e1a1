package carafe.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.build.source.ContextMemory;
import carafe.build.source.Contexts;
import carafe.build.source.Remotes;
import carafe.build.step.StepRunner;
import carafe.build.tree.IndexMemory;
import carafe.build.tree.RootView;
import carafe.build.tree.Scratch;
import carafe.build.tree.TarText;
import carafe.image.TestPlatform;
import carafe.spec.EngineException;
import carafe.spec.build.BuildContexts;
import carafe.spec.build.BuildRequest;
import carafe.spec.build.GitAddress;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Index;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Platform;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/// Builds whose files are fetched or come by name, on a real image store; the web and its repositories are played. RUN
/// writes what its words say: `write PATH TEXT`; `see PATH` fails where a mount or the root has no such file.
class FetchedTest extends BuilderScene {

    @Override
    int play(StepRunner.StepRun run, StepRunner.Output output) throws EngineException {
        String[] words = run.arguments().getLast().split(" ");
        try (var root = RootView.writable(run.root())) {
            if (words[0].equals("write")) {
                root.tree().writeFile(words[1], bytes(words[2]), 0644, 0, 0);
                return 0;
            }
            for (var mount : run.mounts()) {
                if (mount instanceof StepRunner.StepMount.Bind bind && Files.exists(Path.of(bind.source() + words[1]))) {
                    return 0;
                }
            }
            return root.find(words[1].substring(1)).isPresent() ? 0 : 1;
        } catch (IOException e) {
            throw new EngineException.Internal("the played program failed: " + e.getMessage(), e);
        }
    }

    private Digest build(String dockerfile) throws Exception {
        return build(dockerfile, new TarText());
    }

    private static final String URL = "https://files.example/dir/a.tar?x=1";
    private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void aFileOfTheWebIsAddedAsTheServerDescribesIt() throws Exception {
        remotes.put(URL, new TarText().file("inner", "I").bytes(), "Wed, 21 Oct 2015 07:28:00 GMT");
        var id = build("FROM scratch\nADD " + URL + " /d/\nADD --chmod=644 --chown=3:4 " + URL + " /other\nADD --unpack "
                + URL + " /u/\n");
        try (var tree = files(id)) {
            var file = tree.find("d/a.tar").orElseThrow();
            assertThat(file.mode()).isEqualTo(0600);
            assertThat(file.owner().uid()).isZero();
            assertThat(file.modified().seconds()).isEqualTo(1445412480L);
            assertThat(tree.find("other").orElseThrow().mode()).isEqualTo(0644);
            assertThat(tree.find("other").orElseThrow().owner().gid()).isEqualTo(4);
            assertThat(text(tree, "u/inner")).isEqualTo("I");
        }
    }

    @Test
    void aFileThatTheServerStillHasInTheSameVersionIsNotFetchedAgain() throws Exception {
        remotes.put(URL, bytes("one"), "");
        build("FROM scratch\nADD " + URL + " /d/\n");
        builder.close();
        reopen("build");
        build("FROM scratch\nADD " + URL + " /d/\n");
        assertThat(cachedSteps()).isEqualTo(1);
        assertThat(remotes.asked).containsExactly("get " + URL, "same " + URL);
        remotes.put(URL, bytes("other"), "");
        build("FROM scratch\nADD " + URL + " /d/\n");
        assertThat(cachedSteps()).isZero();
        remotes.put(URL, bytes("other"), "Wed, 21 Oct 2015 07:28:00 GMT"); // a time alone changes nothing
        build("FROM scratch\nADD " + URL + " /d/\n");
        assertThat(cachedSteps()).isEqualTo(1);
    }

    @Test
    void aChecksumIsHeldAndSparesTheQuestion() throws Exception {
        remotes.put(URL, bytes("one"), "");
        String good = "FROM scratch\nADD --checksum=" + Digest.sha256(bytes("one")) + " " + URL + " /d/\n";
        build(good);
        build(good);
        assertThat(remotes.asked).containsExactly("get " + URL);
        assertThatThrownBy(() -> build("FROM scratch\nADD --checksum=" + Digest.sha256(bytes("two")) + " " + URL + " /d/\n"))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("as --checksum says")
                .hasMessageContaining(Digest.sha256(bytes("one")).toString());
    }

    @Test
    void aFileWithoutANameNeedsOneInTheDestination() throws Exception {
        remotes.put("https://files.example/", bytes("one"), "");
        assertThatThrownBy(() -> build("FROM scratch\nADD https://files.example/ /d/\n"))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("name it in the destination");
        remotes.put("https://files.example/a/%2e%2e", bytes("one"), "");
        assertThatThrownBy(() -> build("FROM scratch\nADD https://files.example/a/%2e%2e /d/\n"))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("name it in the destination");
        remotes.put("https://files.example/a%2F..%2F..%2Fetc", bytes("one"), "");
        var id = build("FROM scratch\nADD https://files.example/a%2F..%2F..%2Fetc /d/\n");
        try (var tree = files(id)) {
            assertThat(text(tree, "d/etc")).isEqualTo("one");
        }
    }

    @Test
    void aRepositoryIsAddedAndKnownByItsCommit() throws Exception {
        remotes.commits.put("https://h/r.git#v1", COMMIT);
        remotes.trees.put(COMMIT, new TarText().file("f", "F").file("docs/d", "D").link("out", "/etc")
                .link("up", "docs/../docs"));
        String file = "FROM scratch\nADD https://h/r.git#v1 /all/\nADD https://h/r.git?ref=v1&subdir=up /some/\n";
        var id = build(file);
        try (var tree = files(id)) {
            assertThat(text(tree, "all/f")).isEqualTo("F");
            assertThat(tree.find("all/out").orElseThrow().target()).isEqualTo("/etc");
            assertThat(text(tree, "some/d")).isEqualTo("D");
        }
        remotes.asked.clear();
        build(file);
        assertThat(cachedSteps()).isEqualTo(2);
        assertThat(remotes.asked).containsExactly("commit https://h/r.git#v1", "commit https://h/r.git#v1:up");
        assertThatThrownBy(() -> build("FROM scratch\nADD https://h/r.git#v1:out /x/\n"))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("there is no directory out");
        assertThatThrownBy(() -> build("FROM scratch\nADD --checksum=02 https://h/r.git#v1 /x/\n"))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining(COMMIT);
        build("FROM scratch\nADD --checksum=01 --keep-git-dir https://h/r.git#v1 /x/\n");
        assertThat(remotes.asked).contains("checkout " + COMMIT + " with .git");
        assertThatThrownBy(() -> build("FROM scratch\nADD https://me:pw@h/r.git#v1 /x/\n"))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("GIT_AUTH_TOKEN")
                .hasMessageContaining(">>> ADD https://xxxxx@h/r.git#v1 /x/").hasMessageNotContaining("pw");
    }

    @Test
    void localFilesAndFetchedOnesComeInTheirOrder() throws Exception {
        remotes.put("http://h/a", bytes("web"), "");
        var id = build("FROM scratch\nADD http://h/a a /one/\nADD a http://h/a /two/\n", new TarText().file("a", "local"),
                request());
        try (var tree = files(id)) {
            assertThat(text(tree, "one/a")).isEqualTo("local");
            assertThat(text(tree, "two/a")).isEqualTo("web");
        }
    }

    private Digest from(BuildContexts contexts, byte[] body) throws Exception {
        var outcome = builder.build(BuildRequest.of(List.of()).from(contexts), this::base, new ByteArrayInputStream(body),
                events::add);
        return Digest.parse(outcome.imageId().orElseThrow());
    }

    @Test
    void theContextMayLieElsewhere() throws Exception {
        remotes.put("http://h/ctx.tar", new TarText().file("Dockerfile", "FROM scratch\nCOPY f /f\n").file("f", "tar").bytes(),
                "");
        remotes.put("http://h/file", bytes("FROM scratch\nLABEL a=b\n"), "");
        remotes.commits.put("git://h/r#main", COMMIT);
        remotes.trees.put(COMMIT, new TarText().file("Dockerfile", "FROM no-such").file("d/Dockerfile",
                "FROM scratch\nCOPY f ../../x /\n").file("d/f", "git").file("x", "outside").file("d/x", "inside"));
        try (var tree = files(from(new BuildContexts("http://h/ctx.tar", Map.of(), List.of()), new byte[0]))) {
            assertThat(text(tree, "f")).isEqualTo("tar");
        }
        var labelled = from(new BuildContexts("http://h/file", Map.of(), List.of()), new byte[0]);
        assertThat(images.byId(labelled).orElseThrow().config().run().labels()).containsEntry("a", "b");
        try (var tree = files(from(new BuildContexts("git://h/r#main:d", Map.of(), List.of()), new byte[0]))) {
            assertThat(text(tree, "f")).isEqualTo("git");
            assertThat(text(tree, "x")).isEqualTo("inside");
        }
    }

    private static byte[] sent(byte[]... tars) {
        var all = new ByteArrayOutputStream();
        for (byte[] tar : tars) {
            for (int at = 0; at < tar.length; at += 1000) { // pieces that fit no block
                int length = Math.min(1000, tar.length - at);
                all.writeBytes(ByteBuffer.allocate(4).putInt(length).array());
                all.write(tar, at, length);
            }
            all.writeBytes(new byte[4]);
        }
        return all.toByteArray();
    }

    @Test
    void contextsByNameComeBeforeStagesAndImages() throws Exception {
        var body = new ByteArrayOutputStream();
        body.writeBytes(sent(new TarText().file("f", "one").link("out", "/etc/passwd").bytes(), new TarText().file("g", "two")
                .bytes()));
        body.writeBytes(new TarText().file("Dockerfile", """
                FROM nowhere.example/base:1 AS st
                RUN write /x 1
                FROM scratch AS two
                FROM scratch
                COPY --from=one f /f
                COPY --from=two g /g
                COPY --from=st / /base/
                COPY --from=web file.txt /w
                RUN --mount=from=one,target=/m see /f
                """).bytes());
        remotes.put("http://h/file.txt", bytes("web"), "");
        var contexts = new BuildContexts("", Map.of("one", new BuildContexts.Directory(), "two",
                new BuildContexts.Directory(), "nowhere.example/base:1", new BuildContexts.Image("made"), "web",
                new BuildContexts.Remote("http://h/file.txt")), List.of("one", "two"));
        build("FROM scratch\nRUN write /made here\n", new TarText(), request("made"));
        try (var tree = files(from(contexts, body.toByteArray()))) {
            assertThat(text(tree, "f")).isEqualTo("one");
            assertThat(text(tree, "g")).isEqualTo("two");
            assertThat(text(tree, "w")).isEqualTo("web");
            assertThat(text(tree, "base/made")).isEqualTo("here");
            assertThat(text(tree, "base/x")).isEqualTo("1");
        }
        assertThatThrownBy(() -> from(new BuildContexts("", contexts.named(), List.of("one")), body.toByteArray()))
                .isInstanceOf(EngineException.Invalid.class);
    }

    @Test
    void contextsThatTheMemoryDoesNotHoldTogetherAreRefused() throws Exception {
        builder.close();
        memory = new IndexMemory(1 << 20);
        reopen("build");
        var tar = new TarText();
        for (int i = 0; i < 900; i++) {
            tar.file("f" + i, "");
        }
        var contexts = new TreeMap<String, BuildContexts.Place>();
        var body = new ByteArrayOutputStream();
        for (String name : List.of("a", "b", "c")) {
            contexts.put(name, new BuildContexts.Directory());
            body.writeBytes(sent(tar.bytes()));
        }
        body.writeBytes(new TarText().file("Dockerfile", "FROM scratch\nCOPY --from=a f1 /\n").bytes());
        assertThatThrownBy(() -> from(new BuildContexts("", contexts, List.copyOf(contexts.keySet())), body.toByteArray()))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessageStartingWith("the context has too many files for the engine's memory: ")
                .hasMessageContaining(", while other contexts and steps hold ");
        assertThat(memory.heldBytes()).isZero();
    }

    @Test
    void aStageMayBeginWithAContext() throws Exception {
        var body = new ByteArrayOutputStream();
        body.writeBytes(sent(new TarText().file("f", "one").bytes()));
        body.writeBytes(new TarText().file("Dockerfile", "FROM root\nRUN see /f\n").bytes());
        var contexts = new BuildContexts("", Map.of("root", new BuildContexts.Directory()), List.of("root"));
        var id = from(contexts, body.toByteArray());
        try (var tree = files(id)) {
            assertThat(text(tree, "f")).isEqualTo("one");
            assertThat(tree.find("f").orElseThrow().owner().uid()).isEqualTo(7);
        }
        events.clear();
        assertThat(from(contexts, body.toByteArray())).isEqualTo(id);
        assertThat(cachedSteps()).isEqualTo(1);
    }

    @Test
    void aContextByNameMayBeAnImageLayout() throws Exception {
        var made = build("FROM scratch\nRUN write /made here\n", new TarText(), request("made:1"));
        var archive = new ByteArrayOutputStream();
        try (var saved = images.save(List.of("made:1"), Optional.empty())) {
            saved.write(archive);
        }
        var body = new ByteArrayOutputStream();
        body.writeBytes(sent(archive.toByteArray()));
        body.writeBytes(new TarText().file("Dockerfile", "FROM base\nRUN see /made\n").bytes());
        var contexts = new BuildContexts("", Map.of("base", new BuildContexts.Layout("")), List.of("base"));
        try (var tree = files(from(contexts, body.toByteArray()))) {
            assertThat(text(tree, "made")).isEqualTo("here");
        }
        assertThat(images.find("made:1").id()).isEqualTo(made);
        var missing = new BuildContexts("", Map.of("base", new BuildContexts.Layout("no")), List.of("base"));
        assertThatThrownBy(() -> from(missing, body.toByteArray())).isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("no image called no");
    }

    @Test
    void eachPlatformGetsItsImageOfALayout() throws Exception {
        var other = Platform.of("linux", "s390x");
        var both = new ArrayList<TestPlatform>();
        for (var platform : List.of(other, Platform.host())) {
            both.add(TestPlatform.of(platform, Optional.empty(), "of " + platform));
        }
        byte[] layout = TestPlatform.archive("base", List.of(both));
        for (String dockerfile : List.of("FROM base\n", "FROM scratch\nCOPY --from=base /f /f\n")) {
            var body = new ByteArrayOutputStream();
            body.writeBytes(sent(layout));
            body.writeBytes(new TarText().file("Dockerfile", dockerfile).bytes());
            var contexts = new BuildContexts("", Map.of("base", new BuildContexts.Layout("")), List.of("base"));
            var plain = request("many:1").from(contexts);
            for (var order : List.of(List.of(Platform.host(), other), List.of(other, Platform.host()))) {
                var made = builder.build(platforms(plain, order), this::base, new ByteArrayInputStream(body.toByteArray()),
                        events::add);
                for (var image : made.images()) {
                    try (var tree = files(Digest.parse(image.id()))) {
                        assertThat(text(tree, "f")).as(dockerfile).isEqualTo("of " + image.platform());
                    }
                }
            }
            var none = Platform.of("linux", "riscv64");
            assertThatThrownBy(() -> builder.build(platforms(plain, List.of(none)), this::base,
                    new ByteArrayInputStream(body.toByteArray()), events::add)).isInstanceOf(EngineException.NotFound.class)
                    .hasMessageStartingWith("the OCI layout base has no image for linux/riscv64\nDockerfile:");
        }
    }

    @Test
    void aStageOfTheBuildingPlatformBeginsWithThatPlatformsImageOfALayout() throws Exception {
        var other = Platform.of("linux", "s390x");
        var body = new ByteArrayOutputStream();
        body.writeBytes(sent(layoutOf(List.of(other, Platform.host()))));
        body.writeBytes(new TarText().file("Dockerfile", "FROM --platform=$BUILDPLATFORM base AS tools\nFROM base\n"
                + "COPY --from=tools f g\n").bytes());
        var contexts = new BuildContexts("", Map.of("base", new BuildContexts.Layout("v1")), List.of("base"));
        var asked = platforms(request("many:1").from(contexts), List.of(Platform.host(), other));
        for (var image : builder.build(asked, this::base, new ByteArrayInputStream(body.toByteArray()), events::add).images()) {
            try (var tree = files(Digest.parse(image.id()))) {
                assertThat(text(tree, "f")).isEqualTo("of " + image.platform());
                assertThat(text(tree, "g")).isEqualTo("of " + Platform.host());
            }
        }
    }

    /// A layout whose table has an entry, all called v1, for each platform.
    private static byte[] layoutOf(List<Platform> platforms) throws Exception {
        var layout = new TarText().file("oci-layout", "{}");
        var entries = new ArrayList<Descriptor>();
        for (var platform : platforms) {
            var image = TestPlatform.of(platform, Optional.empty(), "of " + platform);
            var bare = Descriptor.of(MediaTypes.OCI_MANIFEST, image.manifest());
            entries.add(new Descriptor(bare.mediaType(), bare.digest(), bare.size(), Optional.of(platform),
                    Map.of("org.opencontainers.image.ref.name", "v1"), Optional.empty()));
            for (byte[] blob : List.of(image.manifest(), image.config(), image.layer())) {
                layout.file("blobs/sha256/" + Digest.sha256(blob).hex(), blob, 0644);
            }
        }
        return layout.file("index.json", Index.of(entries).toJson().print()).bytes();
    }

    @Test
    void ofTheVariantsInALayoutTheBestIsTaken() throws Exception {
        var body = new ByteArrayOutputStream();
        body.writeBytes(sent(layoutOf(List.of(Platform.parse("linux/arm/v5"), Platform.parse("linux/arm/v6"),
                Platform.of("linux", "arm"), Platform.parse("linux/arm/v8"), Platform.parse("linux/amd64/v3"), Platform.parse("linux/amd64")))));
        body.writeBytes(new TarText().file("Dockerfile", "FROM base\n").bytes());
        var contexts = new BuildContexts("", Map.of("base", new BuildContexts.Layout("v1")), List.of("base"));
        var best = Map.of("linux/arm/v5", "linux/arm/v5", "linux/arm/v6", "linux/arm/v6", "linux/arm/v7", "linux/arm",
                "linux/amd64", "linux/amd64", "linux/amd64/v2", "linux/amd64");
        for (var each : best.entrySet()) {
            var made = builder.build(platforms(request().from(contexts), List.of(Platform.parse(each.getKey()))), this::base,
                    new ByteArrayInputStream(body.toByteArray()), events::add);
            try (var tree = files(Digest.parse(made.imageId().orElseThrow()))) {
                assertThat(text(tree, "f")).as(each.getKey()).isEqualTo("of " + each.getValue());
            }
        }
    }

    private static BuildRequest platforms(BuildRequest request, List<Platform> platforms) {
        return new BuildRequest(request.dockerfile(), request.tags(), request.arguments(), request.labels(), request.target(),
                platforms.stream().map(Platform::toString).toList(), request.cache(), request.running(), request.result(),
                request.contexts());
    }

    /// Whether a client goes away is known only when all it sends was read.
    @Test
    void nothingIsFetchedBeforeTheBodyIsRead() throws Exception {
        var atEnd = new boolean[1];
        var left = new CopyOnWriteArrayList<String>();
        var watched = new Remotes() {
            @Override
            public WebFile file(String url, Optional<String> version, Proof proof) throws EngineException {
                if (!atEnd[0]) {
                    left.add(url);
                }
                return remotes.file(url, version, proof);
            }

            @Override
            public String commit(GitAddress address, Proof proof) {
                throw new AssertionError(address);
            }

            @Override
            public void checkout(GitAddress address, String commit, boolean keepGit, Proof proof, Receiver receiver) {
                throw new AssertionError(address);
            }
        };
        remotes.put("http://h/file", bytes("FROM scratch\nLABEL a=b\n"), "");
        remotes.put("http://h/w", bytes("web"), "");
        var named = Map.<String, BuildContexts.Place>of("web", new BuildContexts.Remote("http://h/w"));
        var context = new TarText().file("Dockerfile", "FROM scratch\nCOPY --from=web w /w\n").bytes();
        for (var asked : List.of(new BuildContexts("http://h/file", named, List.of()), new BuildContexts("", named, List.of()))) {
            atEnd[0] = false;
            var sent = new ByteArrayInputStream(asked.remote().isEmpty() ? context : new byte[0]);
            var body = new FilterInputStream(sent) {
                @Override
                public int read() throws IOException {
                    int read = super.read();
                    atEnd[0] |= read < 0;
                    return read;
                }

                @Override
                public int read(byte[] into, int offset, int length) throws IOException {
                    int read = super.read(into, offset, length);
                    atEnd[0] |= read < 0;
                    return read;
                }
            };
            var place = new Contexts.Place(Scratch.of(directory), ContextMemory.open(directory.resolve("contexts")));
            try (var contexts = Contexts.read(request().from(asked), body, watched, images, place)) {
                assertThat(contexts.directories()).containsKey("web");
            }
        }
        assertThat(left).isEmpty();
        assertThatThrownBy(() -> from(new BuildContexts("http://h/file", Map.of(), List.of()), context))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("yet one was sent, too");
    }

    @Test
    void aPathThatLooksLikeAHostIsInTheContext() throws Exception {
        var id = build("FROM scratch\nADD github.com/a/f /f\n", new TarText().file("github.com/a/f", "local"), request());
        try (var tree = files(id)) {
            assertThat(text(tree, "f")).isEqualTo("local");
        }
        assertThat(remotes.asked).isEmpty();
    }

    @Test
    void aBuildArgumentKeepsTheRepository() throws Exception {
        remotes.commits.put("git://h/r#", COMMIT);
        remotes.trees.put(COMMIT, new TarText().file("Dockerfile", "FROM scratch\nCOPY Dockerfile /\n"));
        for (var each : Map.of("git://h/r", "true", "git://h/r?keep-git-dir=false", "1", "git://h/r?submodules=false", "0")
                .entrySet()) {
            remotes.asked.clear();
            var plain = BuildRequest.of(List.of());
            var asked = new BuildRequest(plain.dockerfile(), plain.tags(), Map.of("BUILDKIT_CONTEXT_KEEP_GIT_DIR",
                    each.getValue()), plain.labels(), plain.target(), plain.platforms(), plain.cache(), plain.running(),
                    plain.result(), new BuildContexts(each.getKey(), Map.of(), List.of()));
            builder.build(asked, this::base, new ByteArrayInputStream(new byte[0]), events::add);
            assertThat(remotes.asked).contains("checkout " + COMMIT + (each.getValue().equals("true") ? " with .git" : ""));
        }
    }
}
