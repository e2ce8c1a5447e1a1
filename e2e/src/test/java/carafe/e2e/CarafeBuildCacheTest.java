package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// Caches of builds that travel: one engine builds and exports, another imports and runs nothing again. Each step computes
/// what it prints, so that what ran can be told from what is only named.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CarafeBuildCacheTest {

    private final EngineUnderTest first;
    private final EngineUnderTest second;
    private final Client carafe = Client.carafe();

    CarafeBuildCacheTest() throws Exception {
        first = new CarafeDaemon();
        second = new CarafeDaemon();
    }

    @BeforeAll
    void start() throws Exception {
        for (var engine : List.of(first, second)) {
            engine.start();
            on(engine, "load", "--input", TestImages.dockerArchive(engine.directory()).toString()).good();
        }
    }

    @AfterAll
    void stop() {
        second.close();
        first.close();
    }

    private Outcome on(EngineUnderTest engine, String... words) throws Exception {
        return carafe.to(engine).and(words).run();
    }

    private Outcome build(EngineUnderTest engine, Path context, String... words) throws Exception {
        var all = Stream.concat(Stream.of("build", "--progress", "plain", "--network", "none"),
                Stream.concat(Stream.of(words), Stream.of(context.toString())));
        return on(engine, all.toArray(String[]::new));
    }

    private Path context(String dockerfile) throws Exception {
        Path directory = Files.createTempDirectory(first.directory(), "context");
        Files.writeString(directory.resolve("Dockerfile"), dockerfile);
        Files.writeString(directory.resolve("file"), "file\n");
        return directory;
    }

    /// Two stages, so that the layer of one of them is not in the image, not even as a copy.
    private Path stages(String word) throws Exception {
        Path context = context("""
                FROM busybox AS tools
                RUN echo %1$s-tools-$((6*7)) && echo tool > /tool && echo rest > /rest
                FROM busybox
                COPY file /file
                COPY --from=tools /tool /tool
                RUN echo %1$s-last-$((6*7)) && cat /file /tool > /both
                """.formatted(word));
        Files.writeString(context.resolve("file"), word + "\n"); // no engine has copied it before
        return context;
    }

    @Test
    void aRegistryHoldsTheResultsOfAllStages() throws Exception {
        Path context = stages("registry");
        try (var registry = DebianRegistry.open()) {
            String cache = registry.host() + "/team/cache:1";
            String made = build(first, context, "-q", "--cache-to", "type=registry,mode=max,ref=" + cache).good().text();
            assertThat(on(first, "images", "-a").good().text()).doesNotContain("team/cache");
            var again = build(second, context, "--iidfile", second.directory().resolve("iid").toString(), "--cache-from",
                    cache).good();
            assertThat(again.err()).contains("CACHED").doesNotContain("-42");
            assertThat(second.directory().resolve("iid")).hasContent(made);
            assertThat(on(second, "images", "-a").good().text()).doesNotContain("team/cache");
        }
    }

    @Test
    void ourHubHoldsThemToo() throws Exception {
        Path context = stages("hub");
        try (var hub = HubUnderTest.open()) {
            String cache = hub.host() + "/team/cache";
            build(first, context, "--cache-to", "type=registry,mode=max,ref=" + cache).good();
            assertThat(build(second, context, "--cache-from", "type=registry,ref=" + cache).good().err())
                    .contains("CACHED").doesNotContain("-42");
        }
    }

    /// `system df`: the size of images, and that of the build cache.
    private List<String> sizes(EngineUnderTest engine) throws Exception {
        return on(engine, "system", "df", "--format", "{{.Type}} {{.Size}}").good().lines().stream()
                .filter(line -> line.startsWith("Images") || line.startsWith("Build Cache")).toList();
    }

    @Test
    void whatOnlyTheCacheKeepsIsCountedThereAndNowhereElse() throws Exception {
        try (var engine = new CarafeDaemon()) {
            engine.start();
            Path context = context("FROM scratch\nCOPY big /big\n");
            Files.write(context.resolve("big"), new byte[3_000_000]);
            var before = sizes(engine);
            assertThat(before).contains("Build Cache 0B");
            build(engine, context, "-t", "big:1").good();
            assertThat(sizes(engine)).contains("Build Cache 0B").doesNotContain(before.getFirst());
            on(engine, "rmi", "big:1").good();
            assertThat(sizes(engine)).containsExactly(before.getFirst(), "Build Cache 3MB");
            on(engine, "builder", "prune", "-af").good();
            assertThat(sizes(engine)).isEqualTo(before);
        }
    }

    private void copied(EngineUnderTest engine, String name) throws Exception {
        Path context = context("FROM scratch\nCOPY big /" + name + "\n");
        Files.write(context.resolve("big"), new byte[3_000_000]);
        build(engine, context, "-t", name).good();
        on(engine, "rmi", name).good();
    }

    private List<String> kept(EngineUnderTest engine) throws Exception {
        return on(engine, "builder", "du", "--format", "{{.Description}}").good().lines();
    }

    @Test
    void itIsCollectedByTheRulesOfTheConfigurationAfterBuildsAndAtTheStart() throws Exception {
        try (var engine = new CarafeDaemon()) {
            Path config = Files.writeString(engine.directory().resolve("daemon.json"),
                    "{\"builder\":{\"gc\":{\"policy\":[{\"keepStorage\":\"5MB\"}]}}}");
            engine.with("--config-file", config.toString());
            engine.start();
            for (String name : List.of("one", "two", "three")) {
                copied(engine, name);
            }
            Path after = context("FROM scratch\nLABEL a=b\n");
            Deadline.await("the oldest are collected", () -> {
                build(engine, after).good(); // the last collection may have come before the last image went
                return kept(engine).equals(List.of("0: COPY big /three"));
            });
            engine.kill();
            Files.writeString(config, "{\"builder\":{\"gc\":{\"policy\":[{\"keepStorage\":\"1MB\",\"all\":true}]}}}");
            engine.start();
            Deadline.await("the rest is collected", () -> kept(engine).isEmpty());
            Files.writeString(config, "{\"builder\":{\"gc\":{\"defaultKeepStorage\":\"much\"}}}");
            assertThat(Command.of(Tools.ours("carafed").toString(), "--validate", "--config-file", config.toString()).run()
                    .endedWith(1).err()).contains("\"builder.gc.defaultKeepStorage\": invalid size: 'much'");
        }
    }

    @Test
    void theLeastIsWhatTheImageHas() throws Exception {
        Path context = stages("least");
        Path cache = first.directory().resolve("least");
        build(first, context, "--cache-to", "type=local,dest=" + cache).good();
        assertThat(build(second, context, "--cache-from", "type=local,src=" + cache).good().err())
                .contains("least-tools-42").doesNotContain("least-last-42");
    }

    @Test
    void anImageCarriesItsOwnCache() throws Exception {
        Path context = stages("inline");
        try (var registry = DebianRegistry.open()) {
            String name = registry.host() + "/team/inline:1";
            build(first, context, "--push", "-t", name, "--cache-to", "type=inline").good();
            assertThat(build(second, context, "--cache-from", name).good().err())
                    .contains("inline-tools-42").doesNotContain("inline-last-42");
        }
    }

    @Test
    void aDirectoryHoldsCacheMountsToo() throws Exception {
        Path context = context("FROM busybox\n"
                + "RUN --mount=type=cache,target=/m,id=kept echo kept > /m/f && ln -s f /m/l && chmod 600 /m/f\n");
        Path cache = first.directory().resolve("mounts");
        build(first, context, "--cache-to", "type=local,mounts=true,dest=" + cache).good();
        Path look = context("FROM busybox\nRUN --mount=type=cache,target=/m,id=kept cat /m/l && stat -c %a /m/f\n");
        String before = on(second, "images", "-aq", "--filter", "dangling=true").good().text();
        assertThat(build(second, look, "-t", "look", "--cache-from", "type=local,mounts=true,src=" + cache).good().err())
                .contains("the cache mount kept comes from", " kept\n", " 600\n");
        assertThat(on(second, "images", "-aq", "--filter", "dangling=true").good().text()).isEqualTo(before);
    }

    @Test
    void cacheMountsTravelAlone() throws Exception {
        build(first, context("FROM busybox\nRUN --mount=type=cache,target=/m,id=alone echo here > /m/f\n")).good();
        Path directory = first.directory().resolve("alone");
        on(first, "builder", "export", "-o", directory.toString(), "alone").good();
        assertThat(on(second, "builder", "import", directory.toString()).good().text()).isEqualTo("alone");
        assertThat(on(second, "builder", "import", directory.toString()).good().text()).as("there is one").isEmpty();
        assertThat(build(second, context("FROM busybox\nRUN --mount=type=cache,target=/m,id=alone cat /m/f\n")).good().err())
                .contains(" here\n");
        assertThat(on(first, "builder", "export", "-o", directory.toString(), "unknown").endedWith(1).err())
                .contains("No such cache mount: unknown");
    }

    @Test
    void aCacheIsUsedOnlyByWhomItIsNamed() throws Exception {
        Path context = stages("named");
        Path cache = first.directory().resolve("named");
        build(first, context, "--cache-to", "type=local,mode=max,dest=" + cache).good();
        build(second, context, "--cache-from", "type=local,src=" + cache).good();
        assertThat(build(second, context).good().err()).contains("named-tools-42", "named-last-42");
    }

    @Test
    void aChangedLayerIsRefused() throws Exception {
        Path context = stages("changed");
        Path cache = first.directory().resolve("changed");
        build(first, context, "--cache-to", "type=local,mode=max,dest=" + cache).good();
        try (var blobs = Files.newDirectoryStream(cache.resolve("blobs/sha256"))) {
            for (Path blob : blobs) {
                byte[] bytes = Files.readAllBytes(blob);
                if (bytes[0] != '{') {
                    bytes[600] ^= 1;
                    Files.write(blob, bytes);
                }
            }
        }
        assertThat(build(second, context, "--cache-from", "type=local,src=" + cache).endedWith(1).err())
                .contains("the cache in " + cache + " cannot be used");
    }

    @Test
    void aCacheTakesNoNameOfAnImage() throws Exception {
        Path context = stages("names");
        Path cache = first.directory().resolve("names");
        build(first, context, "--cache-to", "type=local,dest=" + cache).good();
        Path index = cache.resolve("index.json");
        String bare = Files.readString(index);
        String named = bare.replaceFirst("\"size\":(\\d+)",
                "\"size\":$1,\"annotations\":{\"io.containerd.image.name\":\"docker.io/library/busybox:latest\"}");
        assertThat(named).isNotEqualTo(bare);
        Files.writeString(index, named);
        String before = on(second, "inspect", "--format", "{{.Id}}", "busybox").good().text();
        build(second, context, "--cache-from", "type=local,src=" + cache).good();
        assertThat(on(second, "inspect", "--format", "{{.Id}}", "busybox").good().text()).isEqualTo(before);
    }

    @Test
    void aMissingCacheIsNoFailure() throws Exception {
        assertThat(build(second, stages("missing"), "--cache-from", "type=local,src=/nowhere/at/all").good().err())
                .contains("the cache /nowhere/at/all is not there; building without it");
        assertThat(build(second, stages("missing"), "--cache-from", "127.0.0.1:1/none").good().err())
                .contains("the cache 127.0.0.1:1/none is not there; building without it");
    }

    /// As in CI: an image without any document is loaded, and the classic door told to build from it.
    @Test
    void theClassicDoorTakesImagesAsCaches() throws Exception {
        Path context = context("FROM busybox\nENV A=b\nCOPY file /file\nRUN echo ran-$((6*7)) && cat /file > /c\n");
        build(first, context, "-t", "classic").good();
        Path archive = first.directory().resolve("classic.tar");
        on(first, "save", "-o", archive.toString(), "classic").good();
        on(second, "load", "-i", archive.toString()).good();
        for (var docker : List.of(Client.docker20(), Client.docker28())) {
            assertThat(docker.to(second).and("build", "--network", "none", "--cache-from", "classic", context.toString()).run()
                    .good().text()).contains("Using cache").doesNotContain("ran-42");
            Files.writeString(context.resolve("file"), "other\n");
            assertThat(docker.to(second).and("build", "--network", "none", "--cache-from", "classic", context.toString()).run()
                    .good().text()).contains("ran-42");
            Files.writeString(context.resolve("file"), "file\n");
            on(second, "builder", "prune", "-af").good();
        }
    }
}
