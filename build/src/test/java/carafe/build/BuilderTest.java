package carafe.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.build.step.StepRunner;
import carafe.build.step.WrongFormat;
import carafe.build.tree.MountedTree;
import carafe.build.tree.RootView;
import carafe.build.tree.TarText;
import carafe.kernel.FileTree;
import carafe.spec.EngineException;
import carafe.spec.build.BuildContexts;
import carafe.spec.build.BuildEvent;
import carafe.spec.build.BuildLimits;
import carafe.spec.build.BuildRequest;
import carafe.spec.build.CachePrune;
import carafe.spec.build.CacheUse;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Platform;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorOutputStream;
import org.junit.jupiter.api.Test;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

/// The builder on a real image store; only the programs of RUN are played, by a few words that the runner below knows.
class BuilderTest extends BuilderScene {

    private final Words runner = new Words();

    /// `write PATH TEXT`, `delete PATH`, `mkdir PATH`, `see PATH` (prints a file), `fail`, `wait`; `strange` is no program.
    private static final class Words implements StepRunner {
        private final List<StepRun> runs = new CopyOnWriteArrayList<>();
        private final CountDownLatch waiting = new CountDownLatch(1);

        @Override
        public int run(StepRun run, Output output) throws EngineException, InterruptedException, WrongFormat {
            runs.add(run);
            String[] words = run.arguments().getLast().split(" ");
            if (words[0].equals("strange")) {
                throw new WrongFormat("exec format error", new IOException());
            }
            try (var tree = RootView.writable(run.root())) {
                return play(words, tree, run, output);
            } catch (IOException e) {
                throw new EngineException.Internal("the played program failed: " + e.getMessage(), e);
            }
        }

        private int play(String[] words, MountedTree root, StepRun run, Output output)
                throws IOException, InterruptedException {
            FileTree tree = root.tree();
            for (var mount : run.mounts()) { // as a runtime makes mount points
                tree.mkdirs(mount.target().substring(0, mount.target().lastIndexOf('/') + 1), 0755, 0, 0).close();
                tree.writeFile(mount.target(), new byte[0], 0644, 0, 0);
            }
            switch (words[0]) {
                case "write" -> tree.writeFile(words[1], words[2].getBytes(StandardCharsets.UTF_8), 0644, 0, 0);
                case "delete" -> tree.deleteTree(words[1]);
                case "mkdir" -> tree.mkdirs(words[1], 0755, 0, 0).close();
                case "see" -> output.print(1, tree.readFile(words[1], 1000));
                case "fail" -> {
                    return 3;
                }
                case "wait" -> {
                    waiting.countDown();
                    Thread.sleep(60_000);
                }
                default -> { }
            }
            return 0;
        }
    }

    @Override
    int play(StepRunner.StepRun run, StepRunner.Output output) throws EngineException, InterruptedException, WrongFormat {
        return runner.run(run, output);
    }

    private Digest build(String dockerfile) throws Exception {
        return build(dockerfile, new TarText());
    }

    @Test
    void whatStepsDoIsInTheImage() throws Exception {
        var id = build("""
                FROM scratch
                WORKDIR /w
                COPY a d/ ./
                RUN write /w/new text
                RUN delete /w/a
                CMD ["x"]
                """, new TarText().file("a", "A").file("d/b", "B", 0755), request("made:1"));
        try (var tree = files(id)) {
            assertThat(text(tree, "w/new")).isEqualTo("text");
            assertThat(text(tree, "w/b")).isEqualTo("B");
            assertThat(tree.find("w/b").orElseThrow().mode()).isEqualTo(0755);
            assertThat(tree.find("w/b").orElseThrow().owner().uid()).isZero();
            assertThat(tree.find("w/a")).isEmpty();
            assertThat(tree.list("")).extracting("path").containsExactly("w");
        }
        var image = images.find("made:1");
        assertThat(image.id()).isEqualTo(id);
        assertThat(image.config().run().cmd()).containsExactly("x");
        assertThat(image.config().history()).hasSize(5);
        assertThat(image.config().history().get(2).createdBy()).isEqualTo("RUN /bin/sh -c write /w/new text # buildkit");
    }

    @Test
    void theSecondTimeEverythingIsCachedAndTheImageTheSame() throws Exception {
        String file = "FROM scratch\nCOPY a /a\nRUN write /x 1\n";
        var first = build(file, new TarText().file("a", "A"), request());
        builder.close();
        reopen("build"); // the cache survives
        var second = build(file, new TarText().file("a", "A"), request());
        assertThat(second).isEqualTo(first);
        assertThat(cachedSteps()).isEqualTo(2);
        assertThat(runner.runs).hasSize(1);
    }

    @Test
    void aChangedFileMakesItsStepAndAllBehindItRunAgain() throws Exception {
        String file = "FROM scratch\nRUN write /first 1\nCOPY a /a\nRUN write /x 1\n";
        build(file, new TarText().file("a", "A"), request());
        var explained = new BuildRequest("Dockerfile", List.of(), Map.of(), Map.of(), Optional.empty(), List.of(),
                BuildRequest.Cache.USE, BuildRequest.Running.PLAIN,
                new BuildRequest.Result(BuildRequest.Call.BUILD, Optional.empty(), true, false), BuildContexts.NONE);
        build(file, new TarText().file("a", "B"), explained);
        assertThat(cachedSteps()).isEqualTo(1);
        assertThat(runner.runs).hasSize(3);
        assertThat(events).contains(new BuildEvent.Explained(2, "not cached: a was changed"));
        assertThat(events).contains(new BuildEvent.Explained(3, "not cached: an earlier step of the stage has another result"));
    }

    @Test
    void aChangedFileOfAMountIsNamed() throws Exception {
        String file = "FROM scratch\nRUN --mount=target=/src,source=d write /x 1\n";
        build(file, new TarText().file("d/a", "A").file("d/b", "B").file("c", "C"), request());
        var explained = new BuildRequest("Dockerfile", List.of(), Map.of(), Map.of(), Optional.empty(), List.of(),
                BuildRequest.Cache.USE, BuildRequest.Running.PLAIN,
                new BuildRequest.Result(BuildRequest.Call.BUILD, Optional.empty(), true, false), BuildContexts.NONE);
        build(file, new TarText().file("d/a", "A").file("d/b", "other").file("d/n", "N").file("c", "other"), explained);
        assertThat(events).contains(
                new BuildEvent.Explained(1, "not cached: mount 0 changed; d/b was changed; d/n was added"));
    }

    @Test
    void aChangedDirectoryAboveACopiedFileIsNamed() throws Exception {
        String file = "FROM scratch\nCOPY --parents a/f /x/\n";
        build(file, new TarText().directory("a").file("a/f", "F"), request());
        var explained = new BuildRequest("Dockerfile", List.of(), Map.of(), Map.of(), Optional.empty(), List.of(),
                BuildRequest.Cache.USE, BuildRequest.Running.PLAIN,
                new BuildRequest.Result(BuildRequest.Call.BUILD, Optional.empty(), true, false), BuildContexts.NONE);
        build(file, new TarText().directory("a", 0700).file("a/f", "F"), explained);
        assertThat(events).contains(new BuildEvent.Explained(1, "not cached: a was changed"));
    }

    @Test
    void aNewTimeOfAFileChangesNothing() throws Exception {
        String file = "FROM scratch\nCOPY a /a\n";
        build(file, new TarText().file("a", "A"), request());
        build(file, new TarText().directory("unused").file("a", "A"), request());
        assertThat(cachedSteps()).isEqualTo(1);
    }

    @Test
    void noCacheRunsAgain() throws Exception {
        String file = "FROM scratch\nRUN write /x 1\n";
        build(file);
        build(file, new TarText(), new BuildRequest("Dockerfile", List.of(), Map.of(), Map.of(), Optional.empty(), List.of(),
                new BuildRequest.Cache(true, List.of()), BuildRequest.Running.PLAIN, BuildRequest.Result.IMAGE,
                BuildContexts.NONE));
        assertThat(runner.runs).hasSize(2);
    }

    @Test
    void aCutRecordIsNeverUsed() throws Exception {
        String file = "FROM scratch\nRUN write /x 1\n";
        build(file);
        builder.close();
        try (var records = Files.newDirectoryStream(directory.resolve("build/steps"))) {
            for (Path record : records) {
                byte[] bytes = Files.readAllBytes(record);
                Files.write(record, Arrays.copyOf(bytes, bytes.length - 5));
            }
        }
        reopen("build");
        build(file);
        assertThat(runner.runs).hasSize(2);
    }

    @Test
    void unneededStagesNeverRun() throws Exception {
        build("FROM scratch AS unused\nRUN fail\nFROM scratch\nRUN write /x 1\n");
        assertThat(runner.runs).hasSize(1);
    }

    @Test
    void copyFromAStageSeesItsFiles() throws Exception {
        var id = build("FROM scratch AS a\nRUN write /f text\nFROM scratch\nCOPY --from=a /f /g/\n");
        try (var tree = files(id)) {
            assertThat(text(tree, "g/f")).isEqualTo("text");
        }
    }

    @Test
    void aFailingProgramFailsTheBuildWithItsCode() {
        assertThatThrownBy(() -> build("FROM scratch\nRUN fail\n")).isInstanceOf(EngineException.Invalid.class)
                .hasMessage("The command '/bin/sh -c fail' returned a non-zero code: 3\n" + shown("RUN fail"));
        assertThat(events).anyMatch(event -> event instanceof BuildEvent.Failed(var _, var _, var code, var _) && code == 3);
    }

    @Test
    void aRunThatLeavesTheNameOfAWhiteoutIsRefused() {
        assertThatThrownBy(() -> build("FROM scratch\nRUN write /home h\nRUN write /.wh.home x\n"))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("a file called .wh.home cannot be part of an image");
        assertThatThrownBy(() -> build("FROM scratch\nRUN mkdir /d/.wh..wh..opq\n"))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("/d/.wh..wh..opq wants another name");
    }

    @Test
    void anErrorShowsTheLineOfItsStep() {
        assertThatThrownBy(() -> build("FROM scratch\nCOPY nosuch /\n")).isInstanceOf(EngineException.Invalid.class)
                .hasMessageEndingWith(": file does not exist\n" + shown("COPY nosuch /"));
        assertThat(events).anyMatch(event -> event instanceof BuildEvent.Failed(var _, var message, var _, var _)
                && message.endsWith(": file does not exist"));
    }

    private static String shown(String line) {
        return """
                Dockerfile:2
                --------------------
                   1 |     FROM scratch
                   2 | >>> %s
                   3 |
                --------------------""".formatted(line);
    }

    @Test
    void anArgumentThatNothingDeclaresIsTold() throws Exception {
        var asked = new BuildRequest("Dockerfile", List.of(), Map.of("NAMED", "1", "MISSPELT", "1"), Map.of(), Optional.empty(),
                List.of(), BuildRequest.Cache.USE, BuildRequest.Running.PLAIN, BuildRequest.Result.IMAGE, BuildContexts.NONE);
        build("FROM scratch\nARG NAMED\n", new TarText(), asked);
        assertThat(events).filteredOn(BuildEvent.Note.class::isInstance).containsExactly(
                new BuildEvent.Note("the build argument MISSPELT was given, and no ARG declares it"));
    }

    @Test
    void anInterruptEndsTheBuild() throws Exception {
        var failure = new ArrayList<Exception>();
        var thread = Thread.ofVirtual().start(() -> {
            try {
                build("FROM scratch\nRUN wait\n");
            } catch (Exception e) {
                failure.add(e);
            }
        });
        assertThat(runner.waiting.await(60, TimeUnit.SECONDS)).isTrue();
        thread.interrupt();
        assertThat(thread.join(Duration.ofSeconds(60))).isTrue();
        assertThat(failure).singleElement().isInstanceOf(InterruptedException.class);
    }

    @Test
    void destinationsStayInsideWhateverLinksSay() throws Exception {
        Path outside = Files.createDirectory(directory.resolve("outside"));
        var evil = build("FROM scratch\nADD links.tar /\nCOPY a /abs/\nCOPY a /rel/x/\n", new TarText().file("a", "A")
                .file("links.tar", new String(new TarText().link("abs", outside.toString()).link("rel", "../../../..")
                        .bytes(), StandardCharsets.ISO_8859_1)), request());
        assertThat(outside).isEmptyDirectory();
        try (var tree = files(evil)) {
            assertThat(text(tree, outside.toString().substring(1) + "/a")).isEqualTo("A");
            assertThat(text(tree, "x/a")).isEqualTo("A");
        }
    }

    @Test
    void addUnpacksWhateverAnArchiveIsCompressedWith() throws Exception {
        var bzip2 = new ByteArrayOutputStream();
        try (var out = new BZip2CompressorOutputStream(bzip2)) {
            out.write(new TarText().file("b", "by bzip2").bytes());
        }
        var xz = new ByteArrayOutputStream();
        try (var out = new XZOutputStream(xz, new LZMA2Options(1))) {
            out.write(new TarText().file("x", "by xz").bytes());
        }
        var id = build("FROM scratch\nADD one two /\nCOPY one /\n", new TarText()
                .file("one", bzip2.toByteArray(), 0644).file("two", xz.toByteArray(), 0644), request());
        try (var tree = files(id)) {
            assertThat(text(tree, "b")).isEqualTo("by bzip2");
            assertThat(text(tree, "x")).isEqualTo("by xz");
            assertThat(text(tree, "one")).startsWith("BZh");
        }
    }

    @Test
    void sourcesDoNotLeaveTheContext() {
        assertThatThrownBy(() -> build("FROM scratch\nCOPY ../../../../etc/passwd /p\n"))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("file not found in build context");
        assertThatThrownBy(() -> build("FROM scratch\nCOPY l /p\n", new TarText().link("l", "/etc/passwd"), request()))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("file not found in build context");
    }

    @Test
    void aFileThatWouldDeleteAnotherIsRefused() {
        assertThatThrownBy(() -> build("FROM scratch\nCOPY . /\n", new TarText().file(".wh.etc", ""), request()))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("cannot be part of an image");
    }

    @Test
    void secretsLeaveNoTrace() throws Exception {
        byte[] secret = "s3cr3t-value".getBytes(StandardCharsets.UTF_8);
        var running = new BuildRequest.Running("default", BuildLimits.NONE, Map.of("key", secret),
                Map.of(), false, false);
        var id = build("FROM scratch\nRUN --mount=type=secret,id=key --mount=type=secret,id=key,env=KEY write /x 1\n",
                new TarText(), new BuildRequest("Dockerfile", List.of(), Map.of(), Map.of(), Optional.empty(), List.of(),
                        BuildRequest.Cache.USE, running, BuildRequest.Result.IMAGE, BuildContexts.NONE));
        assertThat(runner.runs.getFirst().environment()).contains("KEY=s3cr3t-value");
        assertThat(new String(images.configBytes(id), StandardCharsets.UTF_8)).doesNotContain("s3cr3t");
        try (var tree = files(id)) { // not even the empty place where it was mounted
            assertThat(tree.list("")).extracting("path").containsExactly("x");
        }
        try (var records = Files.walk(directory.resolve("build"))) {
            for (Path record : records.filter(Files::isRegularFile).toList()) {
                assertThat(Files.readString(record, StandardCharsets.ISO_8859_1)).doesNotContain("s3cr3t");
            }
        }
    }

    @Test
    void aMissingRequiredSecretIsNamed() {
        assertThatThrownBy(() -> build("FROM scratch\nRUN --mount=type=secret,id=key,required write /x 1\n"))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("secret key: not found");
    }

    @Test
    void aCacheMountOutlivesTheBuildAndGoesWithPrune() throws Exception {
        build("FROM scratch\nRUN --mount=type=cache,target=/c write /x 1\n");
        var bind = (StepRunner.StepMount.Bind) runner.runs.getFirst().mounts().getFirst();
        assertThat(bind.source()).isDirectory();
        assertThat(builder.keeping().list()).extracting("kind").contains("exec.cachemount", "regular");
        var pruned = builder.keeping().prune(new CachePrune(Optional.empty(), CachePrune.Space.NONE, CachePrune.Kept.ANY, true),
                Clock.systemUTC().instant());
        assertThat(pruned.ids()).hasSize(2);
        assertThat(bind.source()).doesNotExist();
        assertThat(builder.keeping().list()).isEmpty();
    }

    @Test
    void theSameInputGivesTheSameImageWithAnEpoch() throws Exception {
        var fixed = new BuildRequest("Dockerfile", List.of(), Map.of(), Map.of(), Optional.empty(), List.of(),
                new BuildRequest.Cache(true, List.of()), BuildRequest.Running.PLAIN,
                new BuildRequest.Result(BuildRequest.Call.BUILD, Optional.of(1_000_000_000L), false, false), BuildContexts.NONE);
        String file = "FROM scratch\nWORKDIR /w\nCOPY a /a\nRUN write /w/x 1\n";
        var first = build(file, new TarText().file("a", "A"), fixed);
        var second = build(file, new TarText().file("a", "A"), fixed);
        assertThat(second).isEqualTo(first);
        assertThat(runner.runs).hasSize(2);
    }

    @Test
    void twoBuildsShareARunningStep() throws Exception {
        var ids = new CopyOnWriteArrayList<Digest>();
        var threads = new ArrayList<Thread>();
        for (int i = 0; i < 4; i++) {
            threads.add(Thread.ofVirtual().start(() -> {
                try {
                    ids.add(build("FROM scratch\nRUN write /x 1\n", new TarText(), request(), _ -> { }));
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            }));
        }
        for (var thread : threads) {
            thread.join();
        }
        assertThat(ids).hasSize(4);
        assertThat(ids.stream().distinct()).hasSize(1);
        assertThat(runner.runs).hasSize(1);
    }

    @Test
    void callsAnswerInsteadOfBuilding() throws Exception {
        var check = new BuildRequest("Dockerfile", List.of(), Map.of(), Map.of(), Optional.empty(), List.of(),
                BuildRequest.Cache.USE, BuildRequest.Running.PLAIN,
                new BuildRequest.Result(BuildRequest.Call.CHECK, Optional.empty(), false, false), BuildContexts.NONE);
        var outcome = builder.build(check, this::base, new TarText().file("Dockerfile", "FROM scratch AS Base\nRUN fail\n").stream(),
                _ -> { });
        assertThat(outcome.text()).contains("1 warning", "StageNameCasing", ">>> FROM scratch AS Base", "try:  base");
        assertThat(runner.runs).isEmpty();
    }

    private static BuildRequest with(String argument, String value) {
        return new BuildRequest("Dockerfile", List.of(), Map.of(argument, value), Map.of(), Optional.empty(), List.of(),
                BuildRequest.Cache.USE, BuildRequest.Running.PLAIN, BuildRequest.Result.IMAGE, BuildContexts.NONE);
    }

    @Test
    void aHostNameOfTheBuildIsEachProgramsAndMakesItAnotherStep() throws Exception {
        String file = "FROM scratch\nRUN write /x 1\n";
        build(file);
        build(file, new TarText(), with("BUILDKIT_SANDBOX_HOSTNAME", "forge"));
        build(file, new TarText(), with("BUILDKIT_SANDBOX_HOSTNAME", "forge"));
        assertThat(runner.runs).extracting(StepRunner.StepRun::hostName).containsExactly("", "forge");
        assertThatThrownBy(() -> build(file, new TarText(), with("BUILDKIT_SANDBOX_HOSTNAME", "a b")))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("BUILDKIT_SANDBOX_HOSTNAME=a b is no host name");
    }

    @Test
    void cacheMountsOfANamespaceAreItsOwn() throws Exception {
        String file = "FROM scratch\nRUN --mount=type=cache,id=kept,target=/c write /x 1\n";
        build(file);
        build(file, new TarText(), with("BUILDKIT_CACHE_MOUNT_NS", "team"));
        assertThat(builder.keeping().list()).extracting(CacheUse::description)
                .contains("cached mount kept", "cached mount team/kept");
    }

    @Test
    void anArgumentPutsTheCacheIntoTheImage() throws Exception {
        String file = "FROM scratch\nRUN write /x 1\n";
        var plain = build(file);
        var off = build(file, new TarText(), with("BUILDKIT_INLINE_CACHE", "0"));
        var on = build(file, new TarText(), with("BUILDKIT_INLINE_CACHE", "1"));
        assertThat(off).isEqualTo(plain);
        assertThat(new String(images.configBytes(plain), StandardCharsets.UTF_8)).doesNotContain("dev.carafe.build.cache");
        assertThat(new String(images.configBytes(on), StandardCharsets.UTF_8)).contains("dev.carafe.build.cache");
        assertThatThrownBy(() -> build(file, new TarText(), with("BUILDKIT_INLINE_CACHE", "perhaps")))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("neither true nor false");
    }

    @Test
    void checksOfAnArgumentReplaceTheFilesOwn() throws Exception {
        String file = "# check=skip=all\nFROM scratch\nrun write /x 1\nCMD [\"a\"]\n";
        build(file);
        assertThat(events).noneMatch(BuildEvent.Warning.class::isInstance);
        build(file, new TarText(), with("BUILDKIT_DOCKERFILE_CHECK", "skip=JSONArgsRecommended"));
        assertThat(events).anyMatch(event -> event instanceof BuildEvent.Warning warning
                && warning.rule().equals("ConsistentInstructionCasing"));
        assertThatThrownBy(() -> build(file, new TarText(), with("BUILDKIT_DOCKERFILE_CHECK", "error=true")))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("lint violation found for rules: ConsistentInstructionCasing");
        assertThatThrownBy(() -> build(file, new TarText(), with("BUILDKIT_DOCKERFILE_CHECK", "loud=1")))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("invalid check option \"loud\"");
    }

    @Test
    void onlyTheBuiltInFrontEndIsTaken() throws Exception {
        String file = "FROM scratch\nRUN write /x 1\n";
        for (String own : List.of("dockerfile.v0", "docker/dockerfile:1", "docker.io/docker/dockerfile-upstream:master")) {
            build(file, new TarText(), with("BUILDKIT_SYNTAX", own));
        }
        build(file, new TarText(), with("BUILDKIT_BUILD_NAME", "any"));
        assertThat(runner.runs).hasSize(1);
        assertThatThrownBy(() -> build(file, new TarText(), with("BUILDKIT_SYNTAX", "example.com/front:1")))
                .isInstanceOf(EngineException.Unsupported.class)
                .hasMessageContaining("BUILDKIT_SYNTAX=example.com/front:1 names a front end of its own");
    }

    @Test
    void limitsOfProcessesBelongToAStep() throws Exception {
        String file = "FROM scratch\nRUN write /x 1\n";
        var core = new BuildLimits.Ulimit("core", 0, 0);
        for (var limits : List.of(List.<BuildLimits.Ulimit>of(), List.of(new BuildLimits.Ulimit("nofile", 77, 77), core),
                List.of(core, new BuildLimits.Ulimit("nofile", 77, 77)), List.of(new BuildLimits.Ulimit("nofile", 88, 88), core))) {
            var running = new BuildRequest.Running("default", new BuildLimits(0, 0, BuildLimits.Cpu.NONE, 0, "", List.of(),
                    limits), Map.of(), Map.of(), false, false);
            build(file, new TarText(), new BuildRequest("Dockerfile", List.of(), Map.of(), Map.of(), Optional.empty(), List.of(),
                    BuildRequest.Cache.USE, running, BuildRequest.Result.IMAGE, BuildContexts.NONE));
        }
        assertThat(runner.runs).extracting(run -> run.limits().ulimits().size()).containsExactly(0, 2, 2);
        build(file);
        assertThat(runner.runs).hasSize(3);
    }

    private Digest foreign(String word, String script) throws Exception {
        byte[] header = new byte[64]; // of a program for another processor than any machine's that runs this
        System.arraycopy("\177ELF\2\2\1".getBytes(StandardCharsets.ISO_8859_1), 0, header, 0, 7);
        header[17] = 2;
        header[19] = 22;
        var context = new TarText().file("sh", script.isEmpty() ? header : script.getBytes(StandardCharsets.UTF_8), 0755);
        return build("FROM scratch\nCOPY sh /bin/sh\nRUN " + word + "\n", context, new BuildRequest("Dockerfile", List.of(),
                Map.of(), Map.of(), Optional.empty(), List.of("linux/s390x"), BuildRequest.Cache.USE, BuildRequest.Running.PLAIN,
                BuildRequest.Result.IMAGE, BuildContexts.NONE));
    }

    @Test
    void aStepForAnotherProcessorIsRefusedWhereItIsKnownAndExplainedWhereTheKernelRefusedIt() throws Exception {
        String cannot = "cannot run /bin/sh for linux/s390x on this " + Platform.host() + " machine: ";
        foreign("write /x 1", "");
        assertThat(runner.runs).hasSize(1);
        assertThatThrownBy(() -> foreign("strange", "")).isInstanceOf(EngineException.Unsupported.class)
                .hasMessageStartingWith("exec format error; " + cannot + "the kernel has no emulator for s390x; ");
        Files.writeString(Files.createDirectory(directory.resolve("handlers")).resolve("status"), "enabled\n");
        runner.runs.clear();
        assertThatThrownBy(() -> foreign("write /y 1", "")).isInstanceOf(EngineException.Unsupported.class)
                .hasMessageStartingWith(cannot + "no emulator for s390x is registered with the kernel");
        assertThat(runner.runs).isEmpty();
        assertThatThrownBy(() -> foreign("strange", "no program\n")).isInstanceOf(EngineException.Unsupported.class)
                .hasMessageStartingWith("exec format error; " + cannot + "no emulator for s390x is registered");
        assertThat(runner.runs).hasSize(1);
        assertThatThrownBy(() -> build("FROM scratch\nRUN strange\n")).isInstanceOf(EngineException.Invalid.class)
                .hasMessageStartingWith("exec format error\nDockerfile:");
    }
}
