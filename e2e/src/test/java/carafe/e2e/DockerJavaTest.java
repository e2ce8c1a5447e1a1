package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.command.BuildImageResultCallback;
import com.github.dockerjava.api.command.CreateContainerCmd;
import com.github.dockerjava.api.exception.ConflictException;
import com.github.dockerjava.api.exception.DockerClientException;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.exception.NotModifiedException;
import com.github.dockerjava.api.model.Bind;
import com.github.dockerjava.api.model.BuildResponseItem;
import com.github.dockerjava.api.model.ContainerNetwork;
import com.github.dockerjava.api.model.Event;
import com.github.dockerjava.api.model.ExposedPort;
import com.github.dockerjava.api.model.Frame;
import com.github.dockerjava.api.model.HostConfig;
import com.github.dockerjava.api.model.Ports;
import com.github.dockerjava.api.model.PruneType;
import com.github.dockerjava.api.model.Statistics;
import com.github.dockerjava.api.model.StreamType;
import com.github.dockerjava.api.model.Volume;
import com.github.dockerjava.api.model.WaitResponse;
import com.github.dockerjava.core.DefaultDockerClientConfig;
import com.github.dockerjava.core.DockerClientImpl;
import com.github.dockerjava.zerodep.ZerodepDockerHttpClient;
import java.io.ByteArrayInputStream;
import java.io.Closeable;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// Our engine under docker-java, the client below Testcontainers, with the transport that it uses: the calls that its users
/// make, and that each answer is what the library makes of Docker's.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class DockerJavaTest {

    private static final long LONG = 60;

    private final EngineUnderTest engine;
    private final DockerClient docker;

    DockerJavaTest() throws Exception {
        engine = new CarafeDaemon();
        docker = client(engine);
    }

    private static DockerClient client(EngineUnderTest engine) {
        var config = DefaultDockerClientConfig.createDefaultConfigBuilder()
                .withDockerHost(engine.host())
                .withDockerTlsVerify(false)
                .withDockerConfig(engine.directory().resolve("client").toString())
                .build();
        var transport = new ZerodepDockerHttpClient.Builder()
                .dockerHost(URI.create(engine.host()))
                .responseTimeout(Duration.ofSeconds(LONG))
                .build();
        return DockerClientImpl.getInstance(config, transport);
    }

    @BeforeAll
    void start() throws Exception {
        engine.start();
        try (InputStream archive = Files.newInputStream(TestImages.dockerArchive(engine.directory()))) {
            docker.loadImageCmd(archive).exec();
        }
        assertThat(docker.inspectImageCmd("busybox").exec().getRepoTags()).contains("busybox:latest");
    }

    @AfterAll
    void stop() throws Exception {
        try {
            docker.close();
        } finally {
            engine.close();
        }
    }

    /// What a stream brought so far, in order.
    private static final class Collected<T> extends ResultCallback.Adapter<T> {
        private final List<T> items = new CopyOnWriteArrayList<>();

        @Override
        public void onNext(T item) {
            items.add(item);
        }

        private Collected<T> whole() throws InterruptedException {
            assertThat(awaitCompletion(LONG, TimeUnit.SECONDS)).as("the stream ends").isTrue();
            return this;
        }
    }

    private static String text(List<Frame> frames, StreamType stream) {
        var text = new StringBuilder();
        frames.stream().filter(frame -> frame.getStreamType() == stream)
                .forEach(frame -> text.append(new String(frame.getPayload(), StandardCharsets.UTF_8)));
        return text.toString();
    }

    private CreateContainerCmd shell(String script) {
        return docker.createContainerCmd("busybox").withCmd("sh", "-c", script)
                .withHostConfig(HostConfig.newHostConfig().withNetworkMode("none"));
    }

    private String created(CreateContainerCmd command) {
        String id = command.exec().getId();
        engine.remember(List.of(id));
        return id;
    }

    private String running(String script) {
        String id = created(shell(script));
        docker.startContainerCmd(id).exec();
        return id;
    }

    private void remove(String id) {
        docker.removeContainerCmd(id).withForce(true).withRemoveVolumes(true).exec();
        assertThatThrownBy(() -> docker.inspectContainerCmd(id).exec()).isInstanceOf(NotFoundException.class)
                .hasMessageContaining("No such container: " + id);
    }

    private int code(String id) throws InterruptedException {
        return docker.waitContainerCmd(id).exec(new Collected<WaitResponse>()).whole().items.getFirst().getStatusCode();
    }

    /// Waits until the container has printed `text` and no more.
    private void said(String id, String text) throws Exception {
        Deadline.await("the container prints " + text, () -> text(docker.logContainerCmd(id).withStdOut(true)
                .exec(new Collected<Frame>()).whole().items, StreamType.STDOUT).equals(text));
    }

    @Test
    void theEngineTellsWhatItIs() {
        docker.pingCmd().exec();
        var version = docker.versionCmd().exec();
        assertThat(version.getApiVersion()).matches("1\\.\\d+");
        assertThat(version.getOperatingSystem()).isEqualTo("linux");
        var info = docker.infoCmd().exec();
        assertThat(info.getOsType()).isEqualTo("linux");
        assertThat(info.getNCPU()).isPositive();
        assertThat(info.getMemTotal()).isPositive();
        assertThat(info.getDockerRootDir()).isEqualTo(engine.dataRoot().toString());
        assertThat(info.getImages()).isPositive();
    }

    @Test
    void imagesGoToOurHubAndComeBack() throws Exception {
        try (var hub = HubUnderTest.open()) {
            String name = hub.host() + "/team/busybox";
            docker.tagImageCmd("busybox", name, "1").exec();
            String id = docker.inspectImageCmd(name + ":1").exec().getId();
            docker.pushImageCmd(name).withTag("1").start().awaitCompletion();
            docker.removeImageCmd(name + ":1").exec();
            assertThatThrownBy(() -> docker.inspectImageCmd(name + ":1").exec()).isInstanceOf(NotFoundException.class);
            docker.pullImageCmd(name).withTag("1").start().awaitCompletion();
            assertThat(docker.inspectImageCmd(name + ":1").exec().getId()).isEqualTo(id);
            assertThat(docker.listImagesCmd().withReferenceFilter(name).exec()).singleElement()
                    .satisfies(image -> assertThat(image.getRepoTags()).containsExactly(name + ":1"));
            docker.removeImageCmd(name + ":1").exec();
            var missing = docker.pullImageCmd(name).withTag("none");
            assertThatThrownBy(() -> missing.start().awaitCompletion()).isInstanceOf(RuntimeException.class)
                    .hasMessageContaining(name + ":none");
        }
    }

    @Test
    void imagesAreBuiltFromATarAndFromADirectory() throws Exception {
        byte[] context = new Tar()
                .file("Dockerfile", "FROM busybox\nARG WHO=nobody\nCOPY f /f\nRUN echo \"for $WHO\"; echo $WHO >> /f\nCMD cat /f\n")
                .file("f", "of the tar\n")
                .finish();
        var said = new CopyOnWriteArrayList<String>();
        String id = docker.buildImageCmd(new ByteArrayInputStream(context))
                .withTags(Set.of("made:java")).withBuildArg("WHO", "somebody").withNetworkMode("none")
                .withLabels(Map.of("maker", "docker-java")).withNoCache(true)
                .exec(new BuildImageResultCallback() {
                    @Override
                    public void onNext(BuildResponseItem item) {
                        super.onNext(item);
                        if (item.getStream() != null) {
                            said.add(item.getStream());
                        }
                    }
                }).awaitImageId(LONG, TimeUnit.SECONDS);
        assertThat(String.join("", said)).contains("Step 4/5 : RUN echo", "for somebody", "Successfully built " + id,
                "Successfully tagged made:java");
        var image = docker.inspectImageCmd("made:java").exec();
        assertThat(image.getId()).startsWith("sha256:" + id);
        assertThat(image.getConfig().getLabels()).containsEntry("maker", "docker-java");

        Path directory = Files.createTempDirectory(engine.directory(), "context");
        Files.writeString(directory.resolve("Dockerfile"), "FROM made:java\nCOPY g /g\n");
        Files.writeString(directory.resolve("g"), "of the directory");
        String second = docker.buildImageCmd(directory.toFile()).withNetworkMode("none")
                .exec(new BuildImageResultCallback()).awaitImageId(LONG, TimeUnit.SECONDS);
        String container = created(docker.createContainerCmd(second).withCmd("cat", "/f", "/g")
                .withHostConfig(HostConfig.newHostConfig().withNetworkMode("none")));
        docker.startContainerCmd(container).exec();
        assertThat(code(container)).isZero();
        var printed = docker.logContainerCmd(container).withStdOut(true).exec(new Collected<Frame>()).whole().items;
        assertThat(text(printed, StreamType.STDOUT)).isEqualTo("of the tar\nsomebody\nof the directory");
        remove(container);
    }

    @Test
    void aBuildThatFailsIsAnError() {
        byte[] context = new Tar().file("Dockerfile", "FROM busybox\nRUN exit 7\n").finish();
        var building = docker.buildImageCmd(new ByteArrayInputStream(context)).withNetworkMode("none")
                .exec(new BuildImageResultCallback());
        assertThatThrownBy(() -> building.awaitImageId(LONG, TimeUnit.SECONDS)).isInstanceOf(DockerClientException.class)
                .hasMessageContaining("The command '/bin/sh -c exit 7' returned a non-zero code: 7");
    }

    @Test
    void aContainerIsMadeLookedAtAndRemoved() throws Exception {
        String id = created(shell("echo out; echo err >&2; exit 5").withName("java-life").withEnv("A=1", "B=2")
                .withLabels(Map.of("org.testcontainers", "true")).withWorkingDir("/tmp").withHostName("inside"));
        assertThatThrownBy(() -> shell("true").withName("java-life").exec()).isInstanceOf(ConflictException.class)
                .hasMessageContaining("java-life");
        docker.startContainerCmd(id).exec();
        assertThat(code(id)).isEqualTo(5);
        var state = docker.inspectContainerCmd("java-life").exec();
        assertThat(state.getId()).isEqualTo(id);
        assertThat(state.getName()).isEqualTo("/java-life");
        assertThat(state.getState().getStatus()).isEqualTo("exited");
        assertThat(state.getState().getExitCodeLong()).isEqualTo(5);
        assertThat(state.getConfig().getEnv()).contains("A=1", "B=2");
        assertThat(state.getConfig().getHostName()).isEqualTo("inside");
        var frames = docker.logContainerCmd(id).withStdOut(true).withStdErr(true).withTailAll()
                .exec(new Collected<Frame>()).whole().items;
        assertThat(text(frames, StreamType.STDOUT)).isEqualTo("out\n");
        assertThat(text(frames, StreamType.STDERR)).isEqualTo("err\n");
        assertThat(docker.listContainersCmd().withShowAll(true).withLabelFilter(Map.of("org.testcontainers", "true")).exec())
                .singleElement().satisfies(row -> {
                    assertThat(row.getNames()).containsExactly("/java-life");
                    assertThat(row.getImage()).isEqualTo("busybox");
                    assertThat(row.getState()).isEqualTo("exited");
                });
        docker.renameContainerCmd(id).withName("java-renamed").exec();
        assertThat(docker.inspectContainerCmd("java-renamed").exec().getId()).isEqualTo(id);
        remove(id);
        assertThatThrownBy(() -> docker.startContainerCmd(id).exec()).isInstanceOf(NotFoundException.class);
    }

    @Test
    void aRunningContainerIsStoppedPausedUpdatedAndRestarted() throws Exception {
        String id = running("trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done");
        said(id, "ready\n");
        assertThatThrownBy(() -> docker.startContainerCmd(id).exec()).isInstanceOf(NotModifiedException.class);
        assertThatThrownBy(() -> docker.removeContainerCmd(id).exec()).isInstanceOf(ConflictException.class);
        docker.pauseContainerCmd(id).exec();
        assertThat(docker.inspectContainerCmd(id).exec().getState().getPaused()).isTrue();
        docker.unpauseContainerCmd(id).exec();
        docker.updateContainerCmd(id).withMemory(64L << 20).withMemorySwap(64L << 20).exec();
        assertThat(docker.inspectContainerCmd(id).exec().getHostConfig().getMemory()).isEqualTo(64L << 20);
        assertThat(docker.topContainerCmd(id).exec().getProcesses()).isNotEmpty();
        docker.restartContainerCmd(id).withTimeout(20).exec();
        assertThat(docker.inspectContainerCmd(id).exec().getState().getRunning()).isTrue();
        said(id, "ready\nready\n"); // a signal before that meets no trap, and the first process of a container ignores it
        docker.killContainerCmd(id).withSignal("TERM").exec();
        assertThat(code(id)).isEqualTo(3);
        assertThatThrownBy(() -> docker.stopContainerCmd(id).exec()).isInstanceOf(NotModifiedException.class);
        assertThatThrownBy(() -> docker.killContainerCmd(id).exec()).isInstanceOf(ConflictException.class);
        remove(id);
    }

    @Test
    void programsRunInAContainer() throws Exception {
        String id = running("exec sleep 600");
        String exec = docker.execCreateCmd(id).withAttachStdout(true).withAttachStderr(true).withUser("guest")
                .withEnv(List.of("X=y")).withWorkingDir("/home").withCmd("sh", "-c", "id -un; pwd; echo $X >&2; exit 9")
                .exec().getId();
        var frames = docker.execStartCmd(exec).exec(new Collected<Frame>()).whole().items;
        assertThat(text(frames, StreamType.STDOUT)).isEqualTo("guest\n/home\n");
        assertThat(text(frames, StreamType.STDERR)).isEqualTo("y\n");
        var ended = docker.inspectExecCmd(exec).exec();
        assertThat(ended.isRunning()).isFalse();
        assertThat(ended.getExitCodeLong()).isEqualTo(9);
        String reading = docker.execCreateCmd(id).withAttachStdin(true).withAttachStdout(true).withCmd("head", "-n", "1")
                .exec().getId();
        var echoed = docker.execStartCmd(reading)
                .withStdIn(new ByteArrayInputStream("typed\n".getBytes(StandardCharsets.UTF_8)))
                .exec(new Collected<Frame>()).whole().items;
        assertThat(text(echoed, StreamType.STDOUT)).isEqualTo("typed\n");
        remove(id);
    }

    @Test
    void anAttachedContainerIsSpokenTo() throws Exception {
        String id = created(shell("read line; echo \"heard $line\"; echo gone >&2").withStdinOpen(true).withStdInOnce(true)
                .withAttachStdin(true).withAttachStdout(true).withAttachStderr(true));
        try (var typed = new PipedOutputStream(); var read = new PipedInputStream(typed)) {
            var said = docker.attachContainerCmd(id).withStdOut(true).withStdErr(true).withStdIn(read).withFollowStream(true)
                    .exec(new Collected<Frame>());
            assertThat(said.awaitStarted(LONG, TimeUnit.SECONDS)).isTrue();
            docker.startContainerCmd(id).exec();
            typed.write("a word\n".getBytes(StandardCharsets.UTF_8));
            typed.flush();
            assertThat(text(said.whole().items, StreamType.STDOUT)).isEqualTo("heard a word\n");
            assertThat(text(said.items, StreamType.STDERR)).isEqualTo("gone\n");
        }
        assertThat(code(id)).isZero();
        remove(id);
    }

    @Test
    void logsAreFollowedAndStatisticsCount() throws Exception {
        String id = running("i=0; while [ $i -lt 5 ]; do i=$((i+1)); echo line $i; sleep 0.1; done; exec sleep 600");
        var followed = docker.logContainerCmd(id).withStdOut(true).withFollowStream(true).exec(new Collected<Frame>());
        Deadline.await("five lines", () -> text(followed.items, StreamType.STDOUT).endsWith("line 5\n"));
        var once = docker.statsCmd(id).withNoStream(true).exec(new Collected<Statistics>()).whole().items;
        assertThat(once).singleElement().satisfies(statistics -> {
            assertThat(statistics.getMemoryStats().getUsage()).isPositive();
            assertThat(statistics.getCpuStats().getCpuUsage().getTotalUsage()).isPositive();
            assertThat(statistics.getPidsStats().getCurrent()).isEqualTo(1);
        });
        var flowing = docker.statsCmd(id).exec(new Collected<Statistics>());
        Deadline.await("two rounds of statistics", () -> flowing.items.size() >= 2);
        flowing.close();
        remove(id);
        assertThat(text(followed.whole().items, StreamType.STDOUT)).isEqualTo("line 1\nline 2\nline 3\nline 4\nline 5\n");
    }

    @Test
    void filesAreCopiedAndContainersCommitted() throws Exception {
        String id = running("exec sleep 600");
        docker.copyArchiveToContainerCmd(id).withRemotePath("/tmp")
                .withTarInputStream(new ByteArrayInputStream(new Tar().file("in/file", "content").finish())).exec();
        try (var tar = new TarArchiveInputStream(docker.copyArchiveFromContainerCmd(id, "/tmp/in/file").exec())) {
            assertThat(tar.getNextEntry().getName()).isEqualTo("file");
            assertThat(new String(tar.readAllBytes(), StandardCharsets.UTF_8)).isEqualTo("content");
        }
        assertThatThrownBy(() -> docker.copyArchiveFromContainerCmd(id, "/not/there").exec())
                .isInstanceOf(NotFoundException.class);
        assertThat(docker.containerDiffCmd(id).exec()).anySatisfy(change -> {
            assertThat(change.getPath()).isEqualTo("/tmp/in/file");
            assertThat(change.getKind()).isEqualTo(1);
        });
        String image = docker.commitCmd(id).withRepository("committed").withTag("java").withMessage("kept").exec();
        assertThat(docker.inspectImageCmd("committed:java").exec().getId()).contains(image);
        remove(id);
    }

    @Test
    void eventsArriveAndAreFiltered() throws Exception {
        var events = docker.eventsCmd().withEventTypeFilter("container").withLabelFilter("watched")
                .exec(new Collected<Event>());
        assertThat(events.awaitStarted(LONG, TimeUnit.SECONDS)).isTrue();
        remove(created(shell("true")));
        String id = created(shell("true").withLabels(Map.of("watched", "yes")));
        docker.startContainerCmd(id).exec();
        assertThat(code(id)).isZero();
        remove(id);
        Deadline.await("the removal is told",
                () -> events.items.stream().anyMatch(event -> "destroy".equals(event.getAction())));
        closed(events);
        assertThat(events.items).allSatisfy(event -> assertThat(event.getActor().getId()).isEqualTo(id));
        assertThat(events.items).extracting(Event::getAction).containsSubsequence("create", "start", "die", "destroy");
    }

    private static void closed(Closeable stream) throws Exception {
        stream.close();
    }

    @Test
    void volumesKeepWhatContainersWrite() throws Exception {
        docker.createVolumeCmd().withName("java-kept").withLabels(Map.of("v", "1")).exec();
        for (String script : List.of("echo kept > /v/f", "cat /v/f")) {
            String id = created(docker.createContainerCmd("busybox").withCmd("sh", "-c", script)
                    .withHostConfig(HostConfig.newHostConfig().withNetworkMode("none")
                            .withBinds(new Bind("java-kept", new Volume("/v")))));
            docker.startContainerCmd(id).exec();
            assertThat(code(id)).isZero();
            assertThat(docker.inspectContainerCmd(id).exec().getMounts()).singleElement()
                    .satisfies(mount -> assertThat(mount.getName()).isEqualTo("java-kept"));
            if (script.startsWith("cat")) {
                var said = docker.logContainerCmd(id).withStdOut(true).exec(new Collected<Frame>()).whole().items;
                assertThat(text(said, StreamType.STDOUT)).isEqualTo("kept\n");
            }
            remove(id);
        }
        assertThat(docker.listVolumesCmd().exec().getVolumes()).anySatisfy(volume ->
                assertThat(volume.getName()).isEqualTo("java-kept"));
        assertThat(docker.inspectVolumeCmd("java-kept").exec().getLabels()).containsEntry("v", "1");
        docker.removeVolumeCmd("java-kept").exec();
        assertThatThrownBy(() -> docker.inspectVolumeCmd("java-kept").exec()).isInstanceOf(NotFoundException.class);
    }

    @Test
    void networksJoinContainersAndPortsArePublished() throws Exception {
        String network = docker.createNetworkCmd().withName("java-net").withDriver("bridge").withAttachable(true)
                .withLabels(Map.of("n", "1")).exec().getId();
        String server = created(docker.createContainerCmd("busybox").withExposedPorts(ExposedPort.tcp(8080))
                .withCmd("sh", "-c", "while :; do echo answer | nc -l -p 8080; done")
                .withHostConfig(HostConfig.newHostConfig().withPublishAllPorts(true)));
        docker.startContainerCmd(server).exec();
        docker.connectToNetworkCmd().withNetworkId(network).withContainerId(server)
                .withContainerNetwork(new ContainerNetwork().withAliases("server")).exec();
        assertThat(docker.inspectNetworkCmd().withNetworkId(network).exec().getContainers()).containsOnlyKeys(server);
        var settings = docker.inspectContainerCmd(server).exec().getNetworkSettings();
        assertThat(settings.getNetworks()).containsOnlyKeys("bridge", "java-net");
        Ports.Binding[] bindings = Objects.requireNonNull(settings.getPorts().getBindings().get(ExposedPort.tcp(8080)));
        int port = Integer.parseInt(bindings[0].getHostPortSpec());
        Deadline.await("the published port answers", () -> {
            try (var socket = new Socket("127.0.0.1", port)) {
                socket.setSoTimeout(5_000);
                return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8).equals("answer\n");
            } catch (SocketException | SocketTimeoutException _) {
                return false; // nc listens anew for each
            }
        });
        String client = created(docker.createContainerCmd("busybox").withCmd("sh", "-c",
                        "until nc server 8080 < /dev/null | grep answer; do sleep 0.1; done")
                .withHostConfig(HostConfig.newHostConfig().withNetworkMode("java-net")));
        docker.startContainerCmd(client).exec();
        assertThat(code(client)).isZero();
        docker.disconnectFromNetworkCmd().withNetworkId(network).withContainerId(server).withForce(true).exec();
        remove(client);
        assertThat(docker.inspectNetworkCmd().withNetworkId(network).exec().getContainers()).isEmpty();
        docker.pruneCmd(PruneType.NETWORKS).withLabelFilter("n").exec();
        assertThat(docker.listNetworksCmd().withNameFilter("java-net").exec()).isEmpty();
        remove(server);
    }
}
