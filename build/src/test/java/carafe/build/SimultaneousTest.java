package carafe.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.build.step.StepRunner;
import carafe.build.tree.RootView;
import carafe.build.tree.TarText;
import carafe.image.ImageUsers;
import carafe.spec.EngineException;
import carafe.spec.build.BuildContexts;
import carafe.spec.build.BuildEvent;
import carafe.spec.build.BuildLimits;
import carafe.spec.build.BuildRequest;
import carafe.spec.build.CachePrune;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Stages and builds at the same time, on a real image store. Programs of RUN are played: `gate` prints, waits until it is
/// opened, prints again and writes `/gate`, `chat` prints two
/// megabytes, `meet` waits for another that does, `write` writes `/x`, `fail` fails, `burst` has
/// no memory.
class SimultaneousTest extends BuilderScene {

    private final CountDownLatch waiting = new CountDownLatch(1);
    private final CountDownLatch gate = new CountDownLatch(1);
    private final CyclicBarrier meeting = new CyclicBarrier(2);
    private final AtomicBoolean failing = new AtomicBoolean();
    private final AtomicInteger runs = new AtomicInteger();

    @Override
    int play(StepRunner.StepRun run, StepRunner.Output output) throws EngineException, InterruptedException {
        runs.incrementAndGet();
        try (var root = RootView.writable(run.root())) {
            switch (run.arguments().getLast().split(" ")[0]) {
                case "gate" -> {
                    output.print(1, "before\n".getBytes(StandardCharsets.US_ASCII));
                    waiting.countDown();
                    gate.await();
                    output.print(2, "behind\n".getBytes(StandardCharsets.US_ASCII));
                    if (failing.getAndSet(false)) {
                        return 4;
                    }
                    root.tree().writeFile("/gate", new byte[] {'g'}, 0644, 0, 0);
                }
                case "chat" -> {
                    for (int i = 0; i < 2000; i++) {
                        output.print(1, ("line " + i + " " + "x".repeat(1000) + "\n").getBytes(StandardCharsets.US_ASCII));
                        waiting.countDown();
                    }
                }
                case "meet" -> meeting.await(60, TimeUnit.SECONDS);
                case "write" -> root.tree().writeFile("/x", new byte[] {'x'}, 0644, 0, 0);
                case "burst" -> throw new OutOfMemoryError("played");
                default -> {
                    return 3;
                }
            }
            return 0;
        } catch (BrokenBarrierException | TimeoutException e) {
            throw new EngineException.Internal("the other stage does not run at the same time", e);
        } catch (IOException e) {
            throw new EngineException.Internal("the played program failed: " + e.getMessage(), e);
        }
    }

    private static BuildRequest withSecret(Map<String, String> arguments) {
        var running = new BuildRequest.Running("default", BuildLimits.NONE,
                Map.of("key", "hush".getBytes(StandardCharsets.US_ASCII)), Map.of(), false, false);
        return new BuildRequest("Dockerfile", List.of(), arguments, Map.of(), Optional.empty(), List.of(),
                BuildRequest.Cache.USE, running, BuildRequest.Result.IMAGE, BuildContexts.NONE);
    }

    private void build(String dockerfile) throws Exception {
        build(dockerfile, new TarText());
    }

    @Test
    @Timeout(60)
    void aStageThatHasNoMemoryEndsTheBuild() {
        assertThatThrownBy(() -> build("FROM scratch AS a\nRUN burst\nFROM scratch\nCOPY --from=a / /\n"))
                .isInstanceOf(EngineException.Unavailable.class)
                .hasMessageStartingWith("the build needs more memory than the engine has (");
    }

    @Test
    @Timeout(120)
    void stagesThatNeedNothingOfEachOtherRunAtTheSameTime() throws Exception {
        build("FROM scratch AS a\nRUN meet a\nFROM scratch AS b\nRUN meet b\nFROM scratch\n"
                + "COPY --from=a / /\nCOPY --from=b / /\n");
        assertThat(runs).hasValue(2);
    }

    @Test
    @Timeout(120)
    void aLayerOfAnotherBuildStaysForTheOneThatWaitedForIt() throws Exception {
        var first = Thread.ofVirtual().start(() -> assertThatThrownBy(() -> build("FROM scratch\nRUN gate\nRUN fail\n"))
                .hasMessageContaining("non-zero code"));
        waiting.await();
        var stage = new AtomicReference<Thread>();
        var passed = new CountDownLatch(1);
        var pruned = new CountDownLatch(1);
        var second = begin("FROM scratch\nRUN gate\nRUN write /x 1\n", request(), event -> {
            if (event instanceof BuildEvent.Started(int vertex) && vertex == 1) {
                stage.set(Thread.currentThread());
            } else if (event instanceof BuildEvent.Done(int vertex, var _, var _) && vertex == 1) {
                passed.countDown();
                uninterrupted(pruned);
            }
        });
        while (stage.get() == null || stage.get().getState() != Thread.State.WAITING) { // for the first one's step
            Thread.onSpinWait();
        }
        gate.countDown();
        passed.await();
        first.join();
        builder.keeping().prune(new CachePrune(Optional.empty(), CachePrune.Space.NONE, CachePrune.Kept.ANY, true),
                Instant.now());
        pruned.countDown();
        try (var tree = files(second.get())) {
            assertThat(text(tree, "gate")).isEqualTo("g");
        }
        assertThat(runs).hasValue(3);
    }

    /// Builds the same file twice at the same time, the second when the first one's program runs and until it hears of that.
    /// @return what each heard of programs
    private List<List<String>> bothHear(String run, Map<String, String> arguments) throws Exception {
        var heard = List.<List<String>>of(new CopyOnWriteArrayList<>(), new CopyOnWriteArrayList<>());
        var joined = new CountDownLatch(1);
        var builds = new ArrayList<Thread>();
        for (var mine : heard) {
            builds.add(Thread.ofVirtual().start(() -> {
                String stages = mine == heard.getFirst() ? "" : "FROM scratch AS needed\nWORKDIR /w\n";
                String copy = stages.isEmpty() ? "" : "COPY --from=needed / /\n"; // so that the step has another number
                try {
                    build(stages + "FROM scratch\n" + run + "\n" + copy, new TarText(), withSecret(arguments), event -> {
                        switch (event) {
                            case BuildEvent.Log(int vertex, int stream, byte[] bytes) -> mine.add(stream + " "
                                    + (vertex - (stages.isEmpty() ? 0 : 2)) + " "
                                    + new String(bytes, StandardCharsets.US_ASCII));
                            case BuildEvent.Running _ -> mine.add("running");
                            default -> { }
                        }
                        if (mine == heard.getLast() && !mine.isEmpty()) {
                            joined.countDown();
                        }
                    });
                } catch (EngineException | InterruptedException e) {
                    mine.add("failed");
                }
            }));
            waiting.await();
        }
        joined.await();
        gate.countDown();
        for (var build : builds) {
            build.join();
        }
        return heard;
    }

    @Test
    @Timeout(120)
    void whoWaitsForAStepOfAnotherBuildHearsWhatItPrintsFromItsBeginning() throws Exception {
        var heard = bothHear("RUN gate", Map.of());
        assertThat(heard.getFirst()).containsExactly("running", "1 1 before\n", "2 1 behind\n");
        assertThat(heard.getLast()).isEqualTo(heard.getFirst());
        assertThat(runs).hasValue(1);
    }

    @Test
    @Timeout(120)
    void whatAStepWithASecretPrintsIsForItsOwnBuildOnly() throws Exception {
        isForItsOwnBuildOnly(bothHear("RUN --mount=type=secret,id=key gate", Map.of()));
    }

    @Test
    @Timeout(120)
    void whatAStepWithAProxyPrintsIsForItsOwnBuildOnly() throws Exception {
        isForItsOwnBuildOnly(bothHear("RUN gate", Map.of("HTTP_PROXY", "http://me:hush@proxy")));
    }

    private void isForItsOwnBuildOnly(List<List<String>> heard) {
        assertThat(heard.getFirst()).containsExactly("running", "1 1 before\n", "2 1 behind\n");
        assertThat(heard.getLast()).containsExactly("running",
                "2 1 [its output is not shown here: it may hold secrets of the build that runs it]\n");
        assertThat(runs).hasValue(1);
    }

    @Test
    @Timeout(120)
    void anImageThatIsRemovedMeanwhileStaysForTheBuildThatNamesIt() throws Exception {
        build("FROM scratch\nCOPY f /used\n", new TarText().file("f", "used"), request("used:1"));
        builder.keeping().prune(new CachePrune(Optional.empty(), CachePrune.Space.NONE, CachePrune.Kept.ANY, true), Instant.now());
        var result = begin("FROM scratch AS a\nRUN gate\nCOPY --from=used:1 /used /copied\nFROM used:1\n"
                + "COPY --from=a / /\n", request(), _ -> { });
        waiting.await();
        images.remove("used:1", true, ImageUsers.NONE);
        images.collectGarbage();
        gate.countDown();
        try (var tree = files(result.get())) {
            assertThat(text(tree, "copied")).isEqualTo("used");
            assertThat(text(tree, "used")).isEqualTo("used");
        }
    }

    @Test
    @Timeout(120)
    void aClientThatDoesNotReadHoldsUpNobodyWhoWaitsForItsStep() throws Exception {
        var stalled = new CountDownLatch(1);
        var first = new CopyOnWriteArrayList<String>();
        var slow = Thread.ofVirtual().start(() -> {
            try {
                build("FROM scratch\nRUN chat\n", new TarText(), request(), event -> {
                    if (event instanceof BuildEvent.Log(var _, var _, var bytes)) {
                        first.add(new String(bytes, StandardCharsets.US_ASCII));
                        uninterrupted(stalled);
                    }
                });
            } catch (EngineException | InterruptedException e) {
                first.add("failed");
            }
        });
        waiting.await();
        var second = new StringBuilder();
        build("FROM scratch\nRUN chat\n", new TarText(), request(), event -> {
            if (event instanceof BuildEvent.Log(var _, var _, var bytes)) {
                second.append(new String(bytes, StandardCharsets.US_ASCII));
            }
        });
        assertThat(second).startsWith("line 0").contains("line 1999 ");
        assertThat(first).hasSize(1);
        stalled.countDown();
        slow.join();
        assertThat(runs).hasValue(1);
        assertThat(String.join("", first)).startsWith("line 0").contains("lines of output are left out here")
                .doesNotContain("failed");
    }

    @Test
    @Timeout(120)
    void aStepThatFailedForAnotherBuildIsToldToRunAnew() throws Exception {
        failing.set(true);
        var heard = bothHear("RUN gate", Map.of());
        assertThat(heard.getFirst()).containsExactly("running", "1 1 before\n", "2 1 behind\n", "failed");
        assertThat(heard.getLast()).containsExactly("running", "1 1 before\n", "2 1 behind\n",
                "2 1 [the run of this step that was waited for came to no result; it is run anew]\n",
                "running", "1 1 before\n", "2 1 behind\n");
        assertThat(runs).hasValue(2);
    }

    private static void uninterrupted(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
