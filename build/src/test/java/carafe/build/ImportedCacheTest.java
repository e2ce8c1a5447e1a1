package carafe.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.build.cache.CacheDocument;
import carafe.build.cache.CacheImage;
import carafe.build.plan.BaseImages;
import carafe.build.step.StepRunner;
import carafe.build.tree.TarText;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.build.BuildEvent;
import carafe.spec.build.BuildOutcome;
import carafe.spec.build.BuildContexts;
import carafe.spec.build.BuildLimits;
import carafe.spec.build.BuildRequest;
import carafe.spec.build.CacheExport;
import carafe.spec.build.CacheImport;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Platform;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/// What caches from elsewhere may do, and what hostile ones may not. Programs of RUN do nothing here.
class ImportedCacheTest extends BuilderScene {

    private CacheImage.Layers layers = (diffId, intake) -> intake.has(diffId);
    private final List<String> programs = new CopyOnWriteArrayList<>();

    @Override
    int play(StepRunner.StepRun run, StepRunner.Output output) {
        programs.add(run.arguments().getLast());
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
                    image.manifest(), layers));
        }
    }

    private BuildOutcome build(String dockerfile, TarText context, BuildRequest.Cache cache)
            throws Exception {
        events.clear();
        var request = new BuildRequest("Dockerfile", List.of(), Map.of(), Map.of(), Optional.empty(), List.of(), cache,
                BuildRequest.Running.PLAIN, BuildRequest.Result.IMAGE, BuildContexts.NONE);
        return builder.build(request, new Bases(), context.file("Dockerfile", dockerfile).stream(), events::add);
    }

    private static BuildRequest.Cache from(String reference) {
        return new BuildRequest.Cache(false, List.of(), List.of(new CacheImport(reference, false, true)), List.of());
    }

    private static BuildRequest.Cache to(boolean all) {
        return new BuildRequest.Cache(false, List.of(), List.of(),
                List.of(new CacheExport(CacheExport.Kind.IMAGE, "", all, true)));
    }

    @Test
    void whatOneBuilderExportsAnotherImports() throws Exception {
        String file = "FROM scratch AS a\nCOPY x /x\nRUN one\nFROM scratch\nCOPY --from=a /x /y\nRUN two\n";
        var first = build(file, new TarText().file("x", "X"), to(true));
        builder.close();
        reopen("other");
        var second = build(file, new TarText().file("x", "X"), from(first.cacheIds().getFirst()));
        assertThat(second.imageId()).isEqualTo(first.imageId());
        assertThat(cachedSteps()).isEqualTo(4);
        assertThat(programs).containsExactly("one", "two");
        build(file, new TarText().file("x", "X"), BuildRequest.Cache.USE); // nothing of it stayed
        assertThat(programs).hasSize(4);
    }

    @Test
    void theDocumentTellsKeysOnly() throws Exception {
        var made = build("FROM scratch\nARG A=s3cr3t\nRUN one $A\n", new TarText(), to(true));
        String config = new String(images.configBytes(Digest.parse(made.cacheIds().getFirst())), StandardCharsets.UTF_8);
        assertThat(config).contains(CacheDocument.FIELD).doesNotContain("s3cr3t", "one");
    }

    @Test
    void aDocumentThatNamesLayersOfOthersIsToldAndNotUsed() throws Exception {
        var foreign = image(List.of(), document(Digest.sha256(new byte[0]), Digest.sha256(new byte[1])), "");
        build("FROM scratch\nRUN one\n", new TarText(), from(foreign));
        assertThat(notes()).singleElement().asString()
                .contains(foreign + " cannot be used: the cache names a layer that it does not have");
        assertThat(programs).containsExactly("one");
    }

    private List<String> notes() {
        return events.stream().filter(BuildEvent.Note.class::isInstance).map(event -> ((BuildEvent.Note) event).text())
                .toList();
    }

    @Test
    void layersThatCannotBeFetchedAreMadeHereAndThatIsToldOnce() throws Exception {
        String file = "FROM scratch AS a\nCOPY x /x\nRUN --mount=type=cache,id=m,target=/m one\nFROM scratch\n"
                + "COPY --from=a /x /y\nRUN two\n";
        var first = build(file, new TarText().file("x", "X"), to(true));
        builder.close();
        reopen("other");
        layers = (_, _) -> {
            throw new EngineException.Unavailable("registry.example.com: connection refused");
        };
        var second = build(file, new TarText().file("x", "X"), from(first.cacheIds().getFirst()));
        assertThat(second.imageId()).isPresent();
        assertThat(cachedSteps()).isEqualTo(2); // what has no layer
        assertThat(notes()).singleElement().asString()
                .isEqualTo("the cache " + first.cacheIds().getFirst()
                        + " is not used any more: registry.example.com: connection refused");
    }

    @Test
    void aDocumentThatIsNoneIsToldAndNotUsed() throws Exception {
        for (String wrong : List.of("{\"version\":1,\"steps\":7}", "{\"version\":1,\"steps\":[{\"key\":\"x\"}]}",
                "{\"version\":1,\"mounts\":[{\"id\":\"\"}]}",
                "{\"version\":1,\"steps\":[{\"key\":\"sha256:" + "0".repeat(64) + "\",\"created\":\"soon\"}]}")) {
            String id = image(List.of(), Json.parseObject(wrong.getBytes(StandardCharsets.UTF_8)), "");
            build("FROM scratch\nRUN one\n", new TarText(), from(id));
            assertThat(notes()).as(wrong).singleElement().asString().contains(id + " cannot be used: ");
        }
        assertThat(programs).containsExactly("one");
    }

    @Test
    void aCopiedLayerCountsOnlyWithExactlyTheFiles() throws Exception {
        String file = "FROM scratch\nCOPY x /x\nRUN one\n";
        String history = "[{\"created_by\":\"COPY x /x # buildkit\"},{\"created_by\":\"RUN /bin/sh -c one # buildkit\"}]";
        var run = new TarText().file("made", "by one");
        String honest = image(List.of(copied(new TarText(), "X"), run), Json.object().build(), history);
        build(file, new TarText().file("x", "X"), from(honest));
        assertThat(cachedSteps()).isEqualTo(2);
        assertThat(programs).isEmpty();
        for (var hostile : List.of(copied(new TarText(), "Y"), copied(new TarText().file(".wh.etc", ""), "X"),
                copied(new TarText().file("more", ""), "X"), copied(copied(new TarText(), "Y"), "X"))) {
            programs.clear();
            String id = image(List.of(hostile, run), Json.object().build(), history);
            build(file, new TarText().file("x", "X"), from(id));
            assertThat(programs).containsExactly("one");
            assertThat(openLayers()).isEmpty();
            builder.close();
            reopen("again" + id.substring(7, 15));
        }
    }

    /// The files of layers that this process has open.
    private static List<String> openLayers() throws IOException {
        var open = new ArrayList<String>();
        try (var descriptors = Files.list(Path.of("/proc/self/fd"))) {
            for (var descriptor : descriptors.toList()) {
                try {
                    open.add(Files.readSymbolicLink(descriptor).toString());
                } catch (NoSuchFileException e) {
                    continue; // the listing's own, say
                }
            }
        }
        return open.stream().filter(path -> path.matches(".*/layers/[0-9a-f]{64}")).toList();
    }

    /// `x` as COPY makes it: root's.
    private static TarText copied(TarText tar, String content) {
        return tar.rootFile("x", content);
    }

    @Test
    void aHistoryTellsNoNamesOfHosts() throws Exception {
        String history = "[{\"created_by\":\"RUN /bin/sh -c one # buildkit\"}]";
        String id = image(List.of(new TarText().file("made", "by one")), Json.object().build(), history);
        String file = "FROM scratch\nRUN one\n";
        build(file, new TarText(), from(id));
        assertThat(programs).as("what the history tells whole").isEmpty();
        var hosts = new BuildLimits(0, 0, BuildLimits.Cpu.NONE, 0, "", List.of("db:10.0.0.2"), List.of());
        builder.build(new BuildRequest("Dockerfile", List.of(), Map.of(), Map.of(), Optional.empty(), List.of(), from(id),
                new BuildRequest.Running("default", hosts, Map.of(), Map.of(), false, false), BuildRequest.Result.IMAGE,
                BuildContexts.NONE), new Bases(), new TarText().file("Dockerfile", file).stream(), events::add);
        assertThat(programs).containsExactly("one");
    }

    @Test
    void mountsAreFilledOnceAndNeverOverwritten() throws Exception {
        String file = "FROM scratch\nRUN --mount=type=cache,id=m,target=/m one\n";
        var exported = build(file, new TarText(), to(true));
        Path first = directory.resolve("build/mounts");
        String name;
        try (var names = Files.newDirectoryStream(first)) {
            name = String.valueOf(names.iterator().next().getFileName());
        }
        Files.writeString(first.resolve(name).resolve("data/f"), "one's");
        exported = build(file, new TarText(), to(true));
        builder.close();
        reopen("other");
        build(file, new TarText(), from(exported.cacheIds().getFirst()));
        Path there = directory.resolve("other/mounts").resolve(name).resolve("data/f");
        assertThat(there).hasContent("one's");
        Files.writeString(there, "ours");
        build(file, new TarText(), from(exported.cacheIds().getFirst()));
        assertThat(there).hasContent("ours");
    }

    @Test
    void aNameThatLayersGiveAnotherMeaningIsNotExported() throws Exception {
        String file = "FROM scratch\nRUN --mount=type=cache,id=m,target=/m one\n";
        build(file, new TarText(), BuildRequest.Cache.USE);
        try (var names = Files.newDirectoryStream(directory.resolve("build/mounts"))) {
            Files.writeString(names.iterator().next().resolve("data/.wh.f"), "");
        }
        assertThatThrownBy(() -> builder.exportMounts(List.of("m"))).isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining(".wh.f");
        assertThatThrownBy(() -> builder.exportMounts(List.of("n"))).isInstanceOf(EngineException.NotFound.class)
                .hasMessage("No such cache mount: n");
    }

    private static Json.Obj document(Digest key, Digest layer) {
        return new CacheDocument(List.of(new CacheDocument.Step(key, "run", Optional.of(layer), Instant.EPOCH)),
                List.of()).toJson();
    }

    /// An image as somebody made it; its id.
    private String image(List<TarText> layers, Json.Obj document, String history) throws EngineException, IOException {
        try (var intake = images.intake()) {
            var diffIds = new ArrayList<String>();
            var blobs = new ArrayList<Descriptor>();
            for (var layer : layers) {
                var taken = intake.layer(layer.stream());
                diffIds.add(taken.diffId().toString());
                blobs.add(taken.blob());
            }
            byte[] config = Json.object().put("architecture", Platform.host().architecture()).put("os", "linux")
                    .put("rootfs", Json.object().put("type", "layers").put("diff_ids", Json.ofTexts(diffIds)).build())
                    .put("history", Json.parse(history.isEmpty() ? "[]" : history))
                    .put(CacheDocument.FIELD, document).build().printBytes();
            intake.commit(config, Manifest.of(Descriptor.of(MediaTypes.OCI_CONFIG, config), blobs).toJson().printBytes(),
                    List.of(), Optional.empty());
            return Digest.sha256(config).toString();
        }
    }
}
