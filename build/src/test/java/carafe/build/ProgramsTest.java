package carafe.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.build.step.StepRunner;
import carafe.build.tree.RootView;
import carafe.build.tree.TarText;
import carafe.kernel.FileTree;
import carafe.spec.EngineException;
import carafe.spec.build.BuildContexts;
import carafe.spec.build.BuildEvent;
import carafe.spec.build.BuildLimits;
import carafe.spec.build.BuildRequest;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What the programs of RUN steps are given and may ask for, on a real image store; the programs themselves are played.
class ProgramsTest extends BuilderScene {

    /// Plays a step's program while its mounts are there.
    @FunctionalInterface
    private interface Played {
        int run(StepRunner.StepRun run) throws IOException, EngineException, InterruptedException;
    }

    private final List<StepRunner.StepRun> runs = new CopyOnWriteArrayList<>();
    private Played program = _ -> 0;

    /// Leaves a file, so that every step has a layer.
    @Override
    int play(StepRunner.StepRun run, StepRunner.Output output) throws EngineException, InterruptedException {
        runs.add(run);
        try (var tree = RootView.writable(run.root())) {
            tree.tree().writeFile("/x", run.arguments().getLast().getBytes(StandardCharsets.UTF_8), 0644, 0, 0);
            return program.run(run);
        } catch (IOException e) {
            throw new EngineException.Internal("the played program failed: " + e.getMessage(), e);
        }
    }

    private static BuildRequest.Running network(String network, boolean host) {
        return new BuildRequest.Running(network, BuildLimits.NONE, Map.of(), Map.of(), false, host, false);
    }

    private static BuildRequest.Running hosts(String... hosts) {
        return new BuildRequest.Running("default", new BuildLimits(0, 0, BuildLimits.Cpu.NONE, 0, "", List.of(hosts), List.of()),
                Map.of(), Map.of(), false, false);
    }

    private static BuildRequest.Running agent(Path socket) {
        return new BuildRequest.Running("default", BuildLimits.NONE, Map.of(), Map.of("default", socket.toString()), false, false);
    }

    private void build(String dockerfile, BuildRequest.Running running) throws Exception {
        var request = new BuildRequest("Dockerfile", List.of(), Map.of(), Map.of(), Optional.empty(), List.of(),
                BuildRequest.Cache.USE, running, BuildRequest.Result.IMAGE, BuildContexts.NONE);
        build(dockerfile, new TarText(), request);
    }

    /// Says `word` at a socket, whose path may be longer than the address of one, and gives what comes back.
    private static String said(Path socket, String word) throws IOException {
        try (var parent = FileTree.open(Objects.requireNonNull(socket.getParent())); var channel = SocketChannel.open(UnixDomainSocketAddress.of(
                Path.of("/proc/self/fd/" + parent.root().number(), Objects.requireNonNull(socket.getFileName()).toString())))) {
            channel.write(ByteBuffer.wrap(word.getBytes(StandardCharsets.UTF_8)));
            channel.shutdownOutput();
            var back = ByteBuffer.allocate(100);
            while (channel.read(back) >= 0) {
                assertThat(back.hasRemaining()).isTrue();
            }
            return new String(back.array(), 0, back.position(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void aMountOfWhatIsNotThereSaysSo() {
        for (String source : List.of("none", "./d/../none")) {
            assertThatThrownBy(() -> build("FROM scratch\nRUN --mount=type=bind,target=/m,source=" + source + " x\n",
                    BuildRequest.Running.PLAIN)).isInstanceOf(EngineException.Invalid.class)
                    .hasMessageContaining("none at /m: there is no such file in the build context, or .dockerignore excludes it")
                    .hasMessageContaining(">>> RUN --mount");
        }
        assertThat(runs).isEmpty();
    }

    @Test
    void aDockerfileThatIsApartIsNoneOfTheContextsFiles() throws Exception {
        var names = new CopyOnWriteArrayList<String>();
        program = run -> {
            try (var tree = FileTree.open(((StepRunner.StepMount.Bind) run.mounts().getFirst()).source())) {
                tree.list("/").forEach(entry -> names.add(entry.name()));
            }
            return 0;
        };
        for (String file : List.of(BuildRequest.FROM_STDIN, BuildRequest.FROM_OUTSIDE, "Dockerfile",
                ".dockerfile.from-me")) {
            var request = new BuildRequest(file, List.of(), Map.of(), Map.of(), Optional.empty(), List.of(),
                    BuildRequest.Cache.USE, BuildRequest.Running.PLAIN, BuildRequest.Result.IMAGE, BuildContexts.NONE);
            builder.build(request, this::base, new TarText().file("f", "").file(file + ".dockerignore", "g\n").file("g", "")
                    .file(file, "FROM scratch\nRUN --mount=type=bind,target=/m x " + file + "\n").stream(), events::add);
        }
        assertThat(names).containsExactlyInAnyOrder("f", "f", "f", "Dockerfile", "Dockerfile.dockerignore", "f",
                ".dockerfile.from-me", ".dockerfile.from-me.dockerignore");
    }

    @Test
    @Timeout(60)
    void theAgentIsReachedThroughASocketOfTheMountsOwner() throws Exception {
        Path socket = directory.resolve("agent");
        try (var agent = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            agent.bind(UnixDomainSocketAddress.of(socket));
            Thread.ofVirtual().start(() -> {
                while (true) {
                    try (var asked = agent.accept()) {
                        var word = ByteBuffer.allocate(100);
                        asked.read(word);
                        asked.write(word.put((byte) '!').flip());
                    } catch (IOException e) {
                        return; // the test is over
                    }
                }
            });
            program = run -> {
                var mount = (StepRunner.StepMount.Own) run.mounts().getFirst();
                assertThat(mount.target()).isEqualTo("/run/buildkit/ssh_agent.0");
                assertThat(run.environment()).contains("SSH_AUTH_SOCK=/run/buildkit/ssh_agent.0");
                assertThat(Files.readAttributes(mount.source(), "unix:uid,gid,mode"))
                        .containsExactlyInAnyOrderEntriesOf(Map.of("uid", 1000, "gid", 7, "mode", 0140666));
                assertThat(said(mount.source(), "sign") + said(mount.source(), "again")).isEqualTo("sign!again!");
                return 0;
            };
            build("FROM scratch\nRUN --mount=type=ssh,uid=1000,gid=7,mode=0666 true\n", agent(socket));
        }
        assertThat(runs).hasSize(1);
    }

    @Test
    void whatIsNoSocketIsNoAgent() throws Exception {
        String asks = "FROM scratch\nRUN --mount=type=ssh true\n";
        Path key = Files.writeString(directory.resolve("key.pem"), "PRIVATE KEY");
        assertThatThrownBy(() -> build(asks, agent(key))).isInstanceOf(EngineException.Invalid.class)
                .hasMessageStartingWith("--ssh default=" + key + " is no socket of an ssh agent; the engine reads no keys from files:"
                        + " add the key to an agent (ssh-add " + key + ") and give --ssh default");
        Path nowhere = directory.resolve("nowhere");
        assertThatThrownBy(() -> build(asks, agent(nowhere))).isInstanceOf(EngineException.Invalid.class)
                .hasMessageStartingWith("--ssh default=" + nowhere + " is not there on the engine's machine; the agent has to run there");
        assertThat(runs).isEmpty();
    }

    @Test
    void theKeptStateOfAFailedStepHasItsVariablesAndItsShellAndTellsWhatItLacks() throws Exception {
        program = _ -> 4;
        var running = new BuildRequest.Running("default", BuildLimits.NONE, Map.of("key", new byte[] {'s'}), Map.of(), false, true);
        assertThatThrownBy(() -> build("FROM scratch\nENV E=e\nWORKDIR /w\nSHELL [\"/bin/ash\", \"-c\"]\nENTRYPOINT [\"/no\"]\n"
                + "ARG V=declared\nRUN --mount=type=tmpfs,target=/t --mount=type=secret,id=key,env=KEY false\n", running))
                .isInstanceOf(EngineException.Invalid.class);
        var failed = (BuildEvent.Failed) events.stream().filter(BuildEvent.Failed.class::isInstance).findFirst().orElseThrow();
        var config = images.find(failed.image()).config().run();
        assertThat(config.env()).contains("E=e", "V=declared").noneMatch(entry -> entry.startsWith("KEY"));
        assertThat(config.workingDir()).isEqualTo("/w");
        assertThat(config.entrypoint()).isEmpty();
        assertThat(config.cmd()).containsExactly("/bin/ash");
        assertThat(events).contains(new BuildEvent.Note("not in the kept state: what was written to /t, the secret key"));
    }

    @Test
    void theKeptStateOfAFailedStepHasWhatWasMounted() throws Exception {
        String begin = "FROM scratch AS other\nCOPY Dockerfile /dir/one\nFROM scratch\nCOPY Dockerfile /c/below\n";
        String mounts = "RUN --mount=type=cache,target=/c --mount=from=other,source=dir,target=/ctx"
                + " --mount=target=/file,source=Dockerfile --mount=target=/own,rw --mount=type=cache,target=/deep/er,readonly";
        program = run -> {
            for (var mount : run.mounts()) {
                if (mount instanceof StepRunner.StepMount.Bind bind && List.of("/c", "/own").contains(bind.target())) {
                    Files.writeString(bind.source().resolve("made"), "by the step");
                }
            }
            return 4;
        };
        var running = new BuildRequest.Running("default", BuildLimits.NONE, Map.of(), Map.of(), false, true);
        assertThatThrownBy(() -> build(begin + mounts + " false\n", running)).isInstanceOf(EngineException.Invalid.class);
        var failed = (BuildEvent.Failed) events.stream().filter(BuildEvent.Failed.class::isInstance).findFirst().orElseThrow();
        var root = images.snapshots().prepare("look", images.find(failed.image()).config().diffIds());
        try (var tree = RootView.readOnly(root)) {
            assertThat(text(tree, "c/made")).isEqualTo("by the step");
            assertThat(tree.find("c/below")).as("hidden by the mount").isEmpty();
            assertThat(text(tree, "ctx/one")).startsWith("FROM scratch AS other");
            assertThat(text(tree, "file")).startsWith("FROM scratch AS other");
            assertThat(text(tree, "own/made")).isEqualTo("by the step");
            assertThat(text(tree, "own/Dockerfile")).startsWith("FROM scratch AS other");
            assertThat(tree.find("deep/er")).isPresent();
            assertThat(text(tree, "x")).isEqualTo("false");
        } finally {
            images.snapshots().remove("look");
        }
        assertThat(events).noneMatch(BuildEvent.Note.class::isInstance);
    }

    @Test
    void aFailedStateThatCannotBeKeptDoesNotHideTheFailure() {
        program = run -> {
            try (var tree = RootView.writable(run.root())) {
                tree.tree().writeFile("/.wh.home", new byte[0], 0644, 0, 0); // no layer may have it
            }
            return 4;
        };
        var running = new BuildRequest.Running("default", BuildLimits.NONE, Map.of(), Map.of(), false, true);
        assertThatThrownBy(() -> build("FROM scratch\nRUN false\n", running))
                .hasMessageStartingWith("The command '/bin/sh -c false' returned a non-zero code: 4");
        assertThat(events).anyMatch(event -> event instanceof BuildEvent.Failed(var _, var _, var code, var image)
                && code == 4 && image.isEmpty());
        assertThat(events).anyMatch(event -> event instanceof BuildEvent.Note(var text)
                && text.startsWith("the failed step's state cannot be kept: a file called .wh.home"));
    }

    @Test
    void theNamesOfHostsBelongToAStep() throws Exception {
        String file = "FROM scratch\nRUN getent hosts db\n";
        for (var running : List.of(hosts("db:10.0.0.1"), hosts("db:10.0.0.2"), hosts("db:10.0.0.1"), hosts(), hosts())) {
            build(file, running);
        }
        assertThat(runs).extracting(run -> run.limits().extraHosts())
                .containsExactly(List.of("db:10.0.0.1"), List.of("db:10.0.0.2"), List.of());
    }

    @Test
    void theHostsNetworkWantsConsent() throws Exception {
        String asks = "FROM scratch\nRUN --network=host true\n";
        assertThatThrownBy(() -> build(asks, network("default", false))).isInstanceOf(EngineException.Forbidden.class)
                .hasMessageStartingWith("RUN --network=host is not allowed; allow it with --allow network.host");
        assertThat(runs).isEmpty();
        build(asks, network("default", true));
        build("FROM scratch\nRUN --network=host true # the build's own is\n", network("host", false));
        assertThat(runs).extracting(StepRunner.StepRun::network).containsExactly("host", "host");
        assertThatThrownBy(() -> build(asks, network("none", false))) // also where the result is known
                .isInstanceOf(EngineException.Forbidden.class);
    }
}
