package carafe.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import carafe.build.step.CacheMounts;
import carafe.build.step.StepRunner;
import carafe.build.tree.TarText;
import carafe.image.ImageUsers;
import carafe.kernel.KernelException;
import carafe.kernel.Mounts;
import carafe.spec.EngineException;
import carafe.spec.build.CachePrune;
import carafe.spec.build.CachePrune.Space;
import carafe.spec.build.CacheRules;
import carafe.spec.build.CacheUse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What is collected by itself: when, by which rules, and what builds that go on keep from it.
@Timeout(120)
class CacheCollectorTest extends BuilderScene {

    private static final CachePrune EVERYTHING = new CachePrune(Optional.empty(), Space.NONE, CachePrune.Kept.ANY, true);

    private final List<String> programs = new CopyOnWriteArrayList<>();
    private final List<CacheUse> seen = new ArrayList<>();

    /// `RUN collect` has everything collected, as if another build were over.
    @Override
    int play(StepRunner.StepRun run, StepRunner.Output output) throws EngineException {
        programs.add(run.arguments().getLast());
        if (run.arguments().getLast().equals("collect")) {
            seen.addAll(builder.keeping().list());
            builder.keeping().collect(rules(EVERYTHING), Instant.now());
        }
        return 0;
    }

    private void build(String dockerfile) throws Exception {
        build(dockerfile, new TarText().file("large", "l".repeat(100_000)), request("made"));
    }

    private static CacheRules rules(CachePrune... rules) {
        return new CacheRules(true, Optional.of(List.of(rules)), Space.NONE);
    }

    private int kept() throws EngineException {
        return builder.keeping().list().size();
    }

    private void awaitNothing() throws Exception {
        while (kept() > 0) {
            LockSupport.parkNanos(5_000_000);
        }
    }

    @Test
    void itCollectsOnceAtItsStartAndThenAfterBuilds() throws Exception {
        build("FROM scratch\nRUN one\n");
        try (var collector = CacheCollector.begin(builder.keeping(), rules(EVERYTHING), Clock.systemUTC(), Duration.ZERO)) {
            awaitNothing();
            build("FROM scratch\nRUN two\n");
            assertThat(kept()).as("nobody said that a build was over").isOne();
            collector.soon();
            awaitNothing();
        }
        build("FROM scratch\nRUN three\n");
        assertThat(programs).containsExactly("one", "two", "three");
    }

    @Test
    void whereItIsOffNothingIsCollected() throws Exception {
        build("FROM scratch\nRUN one\n");
        var off = new CacheRules(false, Optional.of(List.of(EVERYTHING)), Space.NONE);
        try (var collector = CacheCollector.begin(builder.keeping(), off, Clock.systemUTC(), Duration.ZERO)) {
            collector.soon();
        }
        assertThat(builder.keeping().collect(off, Instant.now()).ids()).isEmpty();
        assertThat(kept()).isOne();
    }

    @Test
    void whatABuildThatGoesOnFoundOrMadeIsNotCollected() throws Exception {
        build("FROM scratch\nRUN found\n");
        build("FROM scratch\nRUN unused\n");
        build("FROM scratch\nRUN found\nRUN --mount=type=cache,target=/m made\nRUN --mount=type=cache,target=/m collect\n");
        assertThat(seen).extracting(CacheUse::description, CacheUse::inUse).containsExactlyInAnyOrder(
                tuple("0: RUN found", true),
                tuple("0: RUN unused", false),
                tuple("0: RUN --mount=type=cache,target=/m made", true),
                tuple("cached mount /m", true));
        assertThat(builder.keeping().list()).extracting(CacheUse::description).containsExactlyInAnyOrder("0: RUN found",
                "0: RUN --mount=type=cache,target=/m made", "0: RUN --mount=type=cache,target=/m collect", "cached mount /m");
        assertThat(builder.keeping().list()).noneMatch(CacheUse::inUse);
        builder.keeping().collect(rules(EVERYTHING), Instant.now());
        assertThat(kept()).isZero();
    }

    @Test
    void oneRuleComesAfterTheOther() throws Exception {
        build("FROM scratch\nRUN --mount=type=cache,target=/m x\nCOPY large /one\n");
        build("FROM scratch\nCOPY large /two\n");
        for (var image : images.list()) {
            images.remove(image.id().toString(), true, ImageUsers.NONE);
        }
        Instant later = Instant.now().plus(Duration.ofDays(3));
        var usual = new CacheRules(true, Optional.empty(), new Space(150_000, 0, 0)).on(0);
        assertThat(builder.keeping().collect(usual, later, 0).ids()).as("RUN's nothing too").hasSize(2);
        assertThat(builder.keeping().list()).extracting(CacheUse::description)
                .containsExactlyInAnyOrder("cached mount /m", "0: COPY large /two");
        var mounts = new CachePrune(Optional.of(Duration.ofDays(2)), Space.NONE, new CachePrune.Kept(List.of(),
                List.of("exec.cachemount"), List.of(), Optional.empty(), Optional.empty()), false);
        var others = new CachePrune(Optional.empty(), Space.NONE, CachePrune.Kept.ANY, false);
        assertThat(builder.keeping().collect(List.of(mounts, others), later, 0).ids()).hasSize(2);
        assertThat(kept()).isZero();
    }

    @Test
    void whatOneRuleFreedIsFreeForTheNext() throws Exception {
        build("FROM scratch\nCOPY large /one\n");
        build("FROM scratch\nCOPY large /two\n");
        for (var image : images.list()) {
            images.remove(image.id().toString(), true, ImageUsers.NONE);
        }
        var room = new CachePrune(Optional.empty(), new Space(0, 0, 100_000), CachePrune.Kept.ANY, true);
        assertThat(builder.keeping().collect(List.of(room, room), Instant.now(), 0).ids()).hasSize(1);
        assertThat(kept()).isOne();
    }

    @Test
    void bytesAreCountedWhileAStepWorksInItsMount() throws Exception {
        build("FROM scratch\nRUN --mount=type=cache,target=/m x\n");
        Path data = CacheMounts.open(directory.resolve("build/mounts")).list().getFirst().data();
        var over = new AtomicBoolean();
        var failure = new AtomicReference<Exception>();
        var step = Thread.ofPlatform().start(() -> {
            try {
                while (!over.get()) {
                    for (int i = 0; i < 20; i++) {
                        Files.writeString(Files.createDirectories(data.resolve("d" + i)).resolve("f"), "");
                    }
                    for (int i = 0; i < 20; i++) {
                        Files.delete(data.resolve("d" + i + "/f"));
                        Files.delete(data.resolve("d" + i));
                    }
                }
            } catch (IOException e) {
                failure.set(e);
            }
        });
        try {
            for (int i = 0; i < 300; i++) {
                assertThat(kept()).isEqualTo(2);
            }
        } finally {
            over.set(true);
            step.join();
        }
        assertThat(failure).hasNullValue();
    }

    @Test
    void aMountThatIsHalfRemovedNeverCounts() throws Exception {
        build("FROM scratch\nRUN --mount=type=cache,target=/m x\n");
        var mounts = CacheMounts.open(directory.resolve("build/mounts"));
        var kept = mounts.list().getFirst();
        Path busy = Files.createDirectory(kept.data().resolve("busy"));
        Mounts.mount("tmpfs", busy, "tmpfs", 0, "");
        try {
            assertThatThrownBy(() -> mounts.remove(kept)).isInstanceOf(KernelException.class);
            assertThat(mounts.list()).isEmpty();
        } finally {
            Mounts.unmount(Files.isDirectory(busy) ? busy : kept.data().resolveSibling("arriving").resolve("busy"));
        }
        assertThat(CacheMounts.open(directory.resolve("build/mounts")).list()).isEmpty();
        assertThat(kept.data().getParent()).doesNotExist();
    }
}
