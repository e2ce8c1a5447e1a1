package carafe.build;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.build.step.CacheMounts;
import carafe.build.step.StepRunner;
import carafe.build.tree.TarText;
import carafe.image.ImageUsers;
import carafe.spec.build.BuildContexts;
import carafe.spec.build.BuildRequest;
import carafe.spec.build.CachePrune;
import carafe.spec.build.CacheUse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/// What prune takes and what it leaves: by age, size, kind and id. The clock is the test's.
class CacheKeepingTest extends BuilderScene {

    private final List<String> programs = new CopyOnWriteArrayList<>();
    private Instant now = Instant.parse("2026-01-01T00:00:00Z");

    @Override
    int play(StepRunner.StepRun run, StepRunner.Output output) {
        programs.add(run.arguments().getLast());
        return 0;
    }

    @Override
    Clock clock() {
        return new Clock() {
            @Override
            public Instant instant() {
                return now;
            }

            @Override
            public ZoneId getZone() {
                return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(ZoneId zone) {
                return this;
            }
        };
    }

    private void build(String dockerfile, BuildRequest.Cache cache) throws Exception {
        var request = new BuildRequest("Dockerfile", List.of(), Map.of(), Map.of(), Optional.empty(), List.of(), cache,
                BuildRequest.Running.PLAIN, BuildRequest.Result.IMAGE, BuildContexts.NONE);
        build(dockerfile, new TarText().file("small", "s").file("large", "l".repeat(100_000)), request);
    }

    private void build(String dockerfile) throws Exception {
        build(dockerfile, BuildRequest.Cache.USE);
    }

    private List<String> kept() throws Exception {
        return builder.keeping().list().stream().map(CacheUse::description).toList();
    }

    private static CachePrune prune(Optional<Duration> unused, Optional<Long> keep, List<String> ids, List<String> kinds) {
        return new CachePrune(unused, new CachePrune.Space(keep.orElse(0L), 0, 0),
                new CachePrune.Kept(ids, kinds, List.of(), Optional.empty(), Optional.empty()), true);
    }

    @Test
    void whatWasNotUsedForLongGoes() throws Exception {
        build("FROM scratch\nCOPY small /old\n");
        build("FROM scratch\nCOPY small /used\n");
        now = now.plus(Duration.ofHours(3));
        build("FROM scratch\nCOPY small /used\n");
        build("FROM scratch\nCOPY small /new\n");
        builder.keeping().prune(prune(Optional.of(Duration.ofHours(2)), Optional.empty(), List.of(), List.of()), now);
        assertThat(kept()).containsExactlyInAnyOrder("0: COPY small /used", "0: COPY small /new");
    }

    @Test
    void theLongestUnusedGoUntilTheRestIsSmallEnough() throws Exception {
        three();
        var pruned = builder.keeping().prune(prune(Optional.empty(), Optional.of(250_000L), List.of(), List.of()), now);
        assertThat(kept()).containsExactly("0: COPY large /two", "0: COPY large /three");
        assertThat(pruned.ids()).hasSize(1);
        assertThat(pruned.bytes()).isBetween(100_000L, 110_000L);
    }

    /// Three results of 100 000 bytes that no image has, one after the other.
    private void three() throws Exception {
        for (String name : List.of("one", "two", "three")) {
            build("FROM scratch\nCOPY large /" + name + "\n");
            now = now.plus(Duration.ofMinutes(1));
        }
        forgetImages();
    }

    private void forgetImages() throws Exception {
        for (var image : images.list()) {
            images.remove(image.id().toString(), true, ImageUsers.NONE);
        }
    }

    /// How many of three results are left by a prune for `space` on a disk with 1000 bytes.
    private int left(CachePrune.Space space) throws Exception {
        var keeping = builder.keeping();
        keeping.prune(new CachePrune(Optional.empty(), space, CachePrune.Kept.ANY, true), now, 1000);
        return keeping.list().size();
    }

    @Test
    void nothingGoesFromADiskWithRoom() throws Exception {
        three();
        assertThat(left(new CachePrune.Space(0, 0, 1000))).isEqualTo(3);
        assertThat(left(new CachePrune.Space(0, 0, 1001))).isEqualTo(2);
        assertThat(left(new CachePrune.Space(0, 0, 1_000_000))).isZero();
    }

    @Test
    void whatIsReservedStaysAndTheMostIsABound() throws Exception {
        three();
        assertThat(left(new CachePrune.Space(100_000, 300_000, 0))).isEqualTo(3);
        assertThat(left(new CachePrune.Space(100_000, 250_000, 0))).isEqualTo(2);
        assertThat(left(new CachePrune.Space(150_000, 250_000, 1_000_000))).isEqualTo(1);
        assertThat(left(new CachePrune.Space(100_000, 0, 0))).isEqualTo(1);
    }

    @Test
    void whatImagesShareStaysUntilAllIsAskedForAndNeverCounts() throws Exception {
        build("FROM scratch\nCOPY large /image\n");
        var keeping = builder.keeping();
        var some = keeping.prune(new CachePrune(Optional.empty(), CachePrune.Space.NONE, CachePrune.Kept.ANY, false), now);
        assertThat(some.ids()).isEmpty();
        assertThat(left(new CachePrune.Space(1, 0, 0))).isEqualTo(1);
        var all = keeping.prune(like(List.of(), Optional.empty(), Optional.empty()), now);
        assertThat(all.ids()).hasSize(1);
        assertThat(all.bytes()).isZero();
    }

    @Test
    void aLayerOfTwoResultsIsFreedOnceAndWithTheLast() throws Exception {
        build("FROM scratch\nCOPY large /a\nCOPY large /a\n");
        forgetImages();
        var keeping = builder.keeping();
        String first = keeping.list().getFirst().id();
        assertThat(keeping.prune(prune(Optional.empty(), Optional.empty(), List.of(first), List.of()), now).bytes()).isZero();
        assertThat(keeping.prune(like(List.of(), Optional.empty(), Optional.empty()), now).bytes()).isEqualTo(100_000);
    }

    @Test
    void oneIsNamedByIdOrKind() throws Exception {
        build("FROM scratch\nCOPY small /a\nRUN --mount=type=cache,id=m,target=/m x\n");
        var copied = builder.keeping().list().stream().filter(use -> use.description().contains("COPY")).findFirst();
        builder.keeping().prune(prune(Optional.empty(), Optional.empty(),
                List.of(copied.orElseThrow().id().substring(0, 12)), List.of()), now);
        assertThat(kept()).hasSize(2).noneMatch(description -> description.contains("COPY"));
        builder.keeping().prune(prune(Optional.empty(), Optional.empty(), List.of(), List.of("exec.cachemount")), now);
        assertThat(kept()).singleElement().asString().contains("RUN");
    }

    @Test
    void aMountGoesWithoutAllWhereItsKindIsNamed() throws Exception {
        build("FROM scratch\nRUN --mount=type=cache,id=m,target=/m x\n");
        var keeping = builder.keeping();
        forgetImages();
        keeping.prune(new CachePrune(Optional.empty(), CachePrune.Space.NONE, CachePrune.Kept.ANY, false), now);
        assertThat(kept()).containsExactly("cached mount m");
        keeping.prune(new CachePrune(Optional.empty(), CachePrune.Space.NONE, new CachePrune.Kept(List.of(),
                List.of("exec.cachemount"), List.of(), Optional.empty(), Optional.empty()), false), now);
        assertThat(kept()).isEmpty();
    }

    private static CachePrune like(List<String> descriptions, Optional<Boolean> inUse, Optional<Boolean> shared) {
        return new CachePrune(Optional.empty(), CachePrune.Space.NONE,
                new CachePrune.Kept(List.of(), List.of(), descriptions, inUse, shared), true);
    }

    @Test
    void oneIsNamedByItsDescriptionOrByWhoElseHasIt() throws Exception {
        build("FROM scratch\nCOPY small /a\nCOPY small /b\n");
        build("FROM scratch\nCOPY small /c\n");
        images.remove(images.list().getFirst().id().toString(), false, ImageUsers.NONE);
        images.remove(images.list().getFirst().id().toString(), false, ImageUsers.NONE);
        var keeping = builder.keeping();
        assertThat(keeping.prune(like(List.of("0: COPY"), Optional.empty(), Optional.empty()), now).ids()).isEmpty();
        assertThat(keeping.prune(like(List.of(), Optional.of(true), Optional.empty()), now).ids()).isEmpty();
        keeping.prune(like(List.of("0: COPY small /a"), Optional.of(false), Optional.of(false)), now);
        assertThat(kept()).containsExactlyInAnyOrder("0: COPY small /b", "0: COPY small /c");
        keeping.prune(like(List.of(), Optional.empty(), Optional.of(true)), now);
        assertThat(kept()).hasSize(2);
        keeping.prune(like(List.of(), Optional.empty(), Optional.of(false)), now);
        assertThat(kept()).isEmpty();
    }

    @Test
    void aMountThatAStepUsesStays() throws Exception {
        build("FROM scratch\nRUN --mount=type=cache,id=m,target=/m x\n");
        var mounts = CacheMounts.open(directory.resolve("build/mounts"));
        mounts.look("m", _ -> {
            assertThat(mounts.remove(mounts.list().getFirst())).isFalse();
            return true;
        });
        assertThat(mounts.remove(mounts.list().getFirst())).isTrue();
    }

    @Test
    void stepsWithTheSameLayerCountItOnce() throws Exception {
        build("FROM scratch\nCOPY large /a\nCOPY large /a\n");
        images.remove(images.list().getFirst().id().toString(), false, ImageUsers.NONE);
        assertThat(builder.keeping().list()).hasSize(2).extracting(CacheUse::bytes).containsExactly(100_000L, 100_000L);
        assertThat(builder.keeping().list()).extracting(CacheUse::shared).containsExactlyInAnyOrder(true, false);
        assertThat(images.layerBytes()).isEqualTo(100_000);
    }

    @Test
    void prunedLayersAreGoneAndTheStepRunsAgain() throws Exception {
        build("FROM scratch\nRUN x\n");
        builder.keeping().prune(prune(Optional.empty(), Optional.empty(), List.of(), List.of()), now);
        build("FROM scratch\nRUN x\n");
        assertThat(programs).hasSize(2);
    }

    @Test
    void onlyTheStagesNamedRunAgain() throws Exception {
        String file = "FROM scratch AS a\nRUN a\nFROM scratch AS b\nRUN b\nFROM scratch\n"
                + "RUN --mount=from=a,target=/a --mount=from=b,target=/b last\n";
        build(file);
        build(file, new BuildRequest.Cache(false, List.of("b")));
        assertThat(programs).containsExactlyInAnyOrder("a", "b", "last", "b");
    }

    @Test
    void halfACopyOfAMountNeverCounts() throws Exception {
        var mounts = CacheMounts.open(directory.resolve("build/mounts"));
        build("FROM scratch\nRUN --mount=type=cache,id=m,target=/m x\n");
        var kept = mounts.list().getFirst();
        Path place = kept.data().resolveSibling("arriving");
        mounts.remove(kept);
        Files.createDirectories(place);
        Files.writeString(place.resolve("half"), "");
        Files.writeString(place.resolveSibling("id"), "m");
        assertThat(mounts.has("m")).isFalse();
        assertThat(mounts.list()).isEmpty();
        build("FROM scratch\nRUN --mount=type=cache,id=m,target=/m y\n");
        assertThat(mounts.list().getFirst().data()).isEmptyDirectory();
    }
}
