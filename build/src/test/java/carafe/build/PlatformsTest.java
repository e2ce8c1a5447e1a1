package carafe.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.build.cache.CacheImage;
import carafe.build.plan.BaseImages;
import carafe.build.step.StepRunner;
import carafe.build.tree.RootView;
import carafe.build.tree.TarText;
import carafe.spec.EngineException;
import carafe.spec.build.BuildContexts;
import carafe.spec.build.BuildEvent;
import carafe.spec.build.BuildOutcome;
import carafe.spec.build.BuildRequest;
import carafe.spec.build.CacheExport;
import carafe.spec.build.CacheImport;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Index;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Platform;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/// Builds for several platforms at once, on a real image store; a RUN writes the file that its text names.
class PlatformsTest extends BuilderScene {

    private static final String HOST = Platform.host().toString();
    private static final String OWN = Platform.host().architecture();
    private static final String OTHER = "linux/s390x";
    private static final List<String> BOTH = List.of(HOST, OTHER);

    private final List<String> programs = new CopyOnWriteArrayList<>();

    @Override
    int play(StepRunner.StepRun run, StepRunner.Output output) throws EngineException {
        String arch = run.environment().stream().filter(entry -> entry.startsWith("TARGETARCH=")).findFirst()
                .orElse("=").replaceFirst(".*=", "");
        String word = run.arguments().getLast().replace("$TARGETARCH", arch); // as a shell does
        programs.add(word);
        try (var root = RootView.writable(run.root())) {
            root.tree().writeFile("/" + word, word.getBytes(StandardCharsets.UTF_8), 0644, 0, 0);
        } catch (IOException e) {
            throw new EngineException.Internal("the played program failed", e);
        }
        return 0;
    }

    private final class Bases implements BaseImages {
        @Override
        public BaseImage find(String reference, Platform platform) throws EngineException {
            return base(reference, platform);
        }

        @Override
        public List<CacheImage> cache(CacheImport asked, List<Platform> platforms) throws EngineException {
            var image = images.find(asked.reference());
            return List.of(new CacheImage(asked.reference(), images.configBytes(image.id()), image.config(),
                    image.manifest(), (diffId, intake) -> intake.has(diffId)));
        }
    }

    private BuildOutcome build(String file, List<String> platforms, BuildRequest.Cache cache, Map<String, String> arguments)
            throws Exception {
        events.clear();
        var request = new BuildRequest("Dockerfile", List.of("made:1"), arguments, Map.of(), Optional.empty(), platforms,
                cache, BuildRequest.Running.PLAIN, BuildRequest.Result.IMAGE, BuildContexts.NONE);
        var context = new TarText().file(OWN, "own").file("s390x", "other").file("same", "same");
        return builder.build(request, new Bases(), context.file("Dockerfile", file).stream(), events::add);
    }

    private BuildOutcome build(String file) throws Exception {
        return build(file, BOTH, BuildRequest.Cache.USE, Map.of());
    }

    private List<String> stages() {
        return events.stream().filter(BuildEvent.Planned.class::isInstance).map(BuildEvent.Planned.class::cast)
                .flatMap(planned -> planned.vertices().stream()).map(BuildEvent.Vertex::stage).distinct().toList();
    }

    /// Of the steps that can be: whether they were found.
    private List<Boolean> cached() {
        var all = events.stream().filter(BuildEvent.Planned.class::isInstance).map(BuildEvent.Planned.class::cast)
                .findFirst().orElseThrow().vertices();
        return events.stream().filter(BuildEvent.Done.class::isInstance).map(BuildEvent.Done.class::cast)
                .filter(done -> all.get(done.vertex()).text().matches("(RUN|COPY) .*")).map(BuildEvent.Done::cached).toList();
    }

    @Test
    void eachPlatformHasItsImageAndOneIndexHoldsThem() throws Exception {
        var made = build("FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /f\n");
        assertThat(made.images()).extracting(image -> image.platform().toString()).containsExactly(HOST, OTHER);
        assertThat(images.find("made:1").id().toString()).isEqualTo(made.imageId().orElseThrow())
                .isEqualTo(made.images().getFirst().id());
        var other = images.find("made:1", Platform.parse(OTHER));
        assertThat(other.id().toString()).isEqualTo(made.images().getLast().id());
        assertThat(other.config().platform().toString()).isEqualTo(OTHER);
        var about = made.result().orElseThrow();
        assertThat(about.mediaType()).isEqualTo(MediaTypes.OCI_INDEX);
        assertThat(images.find(about.digest().toString(), Platform.parse(OTHER)).id()).isEqualTo(other.id());
        assertThat(stages()).containsExactly(HOST, OTHER);
        var again = build("FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /f\n");
        assertThat(again).isEqualTo(made);
        assertThat(cached()).containsExactly(true, true);
    }

    @Test
    void aStageOfTheBuildingPlatformIsSharedByAll() throws Exception {
        build("FROM --platform=$BUILDPLATFORM scratch AS tool\nCOPY same /bin/sh\nRUN once\n"
                + "FROM scratch\nARG TARGETARCH\nCOPY --from=tool /once /$TARGETARCH\n");
        assertThat(programs).containsExactly("once");
        assertThat(stages()).containsExactly(HOST + " tool", HOST + " stage-1", OTHER + " stage-1");
        for (String platform : BOTH) {
            assertThat(images.find("made:1", Platform.parse(platform)).config().diffIds()).hasSize(1);
        }
    }

    @Test
    void whatIsSaidOfTheTargetIsDoneForEachAndWhatIsBeforeItOnce() throws Exception {
        build("FROM --platform=$BUILDPLATFORM scratch AS tool\nRUN once\nARG TARGETARCH\nRUN for-$TARGETARCH\n"
                + "FROM scratch\nARG TARGETARCH\nCOPY --from=tool /for-$TARGETARCH /f\n");
        assertThat(programs).containsExactlyInAnyOrder("once", "for-" + OWN, "for-s390x");
        assertThat(stages()).contains(HOST + " tool", HOST + "->s390x tool");
    }

    @Test
    void theSameStepIsDoneForEachPlatformAndFoundForEach() throws Exception {
        String file = "FROM scratch\nRUN same\n";
        build(file);
        assertThat(programs).containsExactly("same", "same");
        build(file);
        assertThat(cached()).containsExactly(true, true);
        assertThat(programs).hasSize(2);
    }

    @Test
    void aProgramThatCannotRunHereIsRefusedAndOtherStepsNeedNone() throws Exception {
        Files.writeString(Files.createDirectory(directory.resolve("handlers")).resolve("status"), "enabled\n");
        build("FROM scratch\nWORKDIR /d\nCOPY same same\n");
        var header = new byte[64];
        System.arraycopy("\177ELF\2\2\1".getBytes(StandardCharsets.ISO_8859_1), 0, header, 0, 7);
        header[17] = 2;
        header[19] = 22;
        var context = new TarText().file("s390x", header, 0755).file(OWN, "own")
                .file("Dockerfile", "FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /bin/sh\nRUN x\n");
        var request = new BuildRequest("Dockerfile", List.of("refused:1"), Map.of(), Map.of(), Optional.empty(), BOTH,
                BuildRequest.Cache.USE, BuildRequest.Running.PLAIN, BuildRequest.Result.IMAGE, BuildContexts.NONE);
        assertThatThrownBy(() -> builder.build(request, new Bases(), context.stream(), events::add))
                .isInstanceOf(EngineException.Unsupported.class).hasMessageContaining("cannot run /bin/sh for " + OTHER);
        assertThatThrownBy(() -> images.find("refused:1")).isInstanceOf(EngineException.NotFound.class);
    }

    @Test
    void platformsAreTakenOnceAndOneAloneHasNoIndexUnlessItIsAskedFor() throws Exception {
        String file = "FROM scratch\nCOPY same /f\n";
        var twice = build(file, List.of("linux/arm64", "linux/arm64/v8"), BuildRequest.Cache.USE, Map.of());
        assertThat(twice.images()).hasSize(1);
        assertThat(twice.result().orElseThrow().mediaType()).isEqualTo(MediaTypes.OCI_MANIFEST);
        assertThat(stages()).containsExactly("");
        var local = build(file, List.of("local"), BuildRequest.Cache.USE, Map.of("BUILDKIT_MULTI_PLATFORM", "1"));
        var about = local.result().orElseThrow();
        assertThat(about.mediaType()).isEqualTo(MediaTypes.OCI_INDEX);
        try (var outgoing = images.outgoing("made:1")) {
            byte[] index = outgoing.index().orElseThrow().over(List.of(new carafe.image.SharedIndex.Part(
                    outgoing.images().getFirst().image(), carafe.spec.oci.Descriptor.of(MediaTypes.OCI_MANIFEST,
                            outgoing.images().getFirst().manifest()))));
            assertThat(about.digest()).isEqualTo(Digest.sha256(index));
            assertThat(Index.parse(index).manifests()).hasSize(1);
        }
    }

    @Test
    void theImageIsOfThePlatformAskedForElseOfItsStage() throws Exception {
        String file = "FROM --platform=linux/arm64 scratch AS a\nCOPY same /f\nFROM a\n";
        for (var asked : List.of(List.<String>of(), List.of(OTHER))) {
            var made = build(file, asked, BuildRequest.Cache.USE, Map.of()).images().getFirst();
            assertThat(made.platform().toString()).isEqualTo(asked.isEmpty() ? "linux/arm64" : OTHER);
            assertThat(images.find(made.id()).config().platform()).isEqualTo(made.platform());
        }
    }

    @Test
    void anExportedCacheHoldsTheStepsOfAll() throws Exception {
        String file = "FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /f\nRUN same\n";
        var cache = new BuildRequest.Cache(false, List.of(), List.of(),
                List.of(new CacheExport(CacheExport.Kind.IMAGE, "", true, false)));
        var made = build(file, BOTH, cache, Map.of());
        builder.close();
        reopen("second");
        programs.clear();
        var imported = new BuildRequest.Cache(false, List.of(),
                List.of(new CacheImport(made.cacheIds().getFirst(), false, false)), List.of());
        assertThat(build(file, BOTH, imported, Map.of()).images()).isEqualTo(made.images());
        assertThat(programs).isEmpty();
        assertThat(cached()).containsOnly(true);
    }

    @Test
    void stagesAreLeftOutOfTheCacheByTheirNumberInTheFile() throws Exception {
        String file = "FROM scratch AS a\nRUN one\nFROM scratch AS b\nRUN two\nCOPY --from=a /one /one\n";
        build(file);
        programs.clear();
        build(file, BOTH, new BuildRequest.Cache(false, List.of("1")), Map.of());
        assertThat(programs).containsExactly("two", "two");
    }
}
