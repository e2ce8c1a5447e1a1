package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// Builds by the classic door, in what every builder understands; what only newer ones do is asked in
/// [CarafeBuildTest].
abstract class BuildContract extends Contract {

    BuildContract(DockerCommandContract whole) {
        super(whole);
    }

    private Path context(String dockerfile) throws IOException {
        Path directory = Files.createTempDirectory(engine().directory(), "context");
        Files.writeString(directory.resolve("Dockerfile"), dockerfile);
        return directory;
    }

    private Command build(Path context, String... more) {
        return command("build", "--network", "none").and(more).and(context.toString()).with("DOCKER_BUILDKIT", "0");
    }

    @Test
    void whatStepsDidIsInTheImageThatRuns() throws Exception {
        Path context = context("""
                FROM busybox
                ENV GREETING="hello world"
                WORKDIR /app
                COPY a.txt sub ./
                RUN echo "$GREETING from $(pwd)" > said && rm a.txt
                LABEL made=here
                CMD ["cat", "/app/said", "/app/b.txt"]
                """);
        Files.writeString(context.resolve("a.txt"), "a\n");
        Files.writeString(Files.createDirectory(context.resolve("sub")).resolve("b.txt"), "b\n");
        build(context, "-t", "built:1", "-t", "built:2").run().good();
        assertThat(docker("run", "--rm", "--network", "none", "built:2").text()).isEqualTo("hello world from /app\nb");
        assertThat(docker("run", "--rm", "--network", "none", "built:1", "ls", "/app").lines()).containsExactly("b.txt", "said");
        assertThat(inspect("built:1", "{{.Config.Labels.made}} {{.Config.WorkingDir}}")).isEqualTo("here /app");
    }

    @Test
    void aStageCopiesFromAnother() throws Exception {
        Path context = context("""
                FROM busybox AS made
                ARG WHO=nobody
                RUN mkdir /out && echo "for $WHO" > /out/text
                FROM busybox
                COPY --from=made /out/text /text
                USER 1000
                ENTRYPOINT ["cat"]
                CMD ["/text"]
                """);
        build(context, "-t", "staged", "--build-arg", "WHO=you").run().good();
        assertThat(docker("run", "--rm", "--network", "none", "staged").text()).isEqualTo("for you");
    }

    @Test
    void theSecondTimeTheImageIsTheSame() throws Exception {
        Path context = context("FROM busybox\nRUN date +%N > /when\n");
        String first = build(context, "-q").run().good().text();
        assertThat(first).startsWith("sha256:");
        assertThat(build(context, "-q").run().good().text()).isEqualTo(first);
        assertThat(build(context, "-q", "--no-cache").run().good().text()).isNotEqualTo(first);
    }

    @Test
    void ignoredFilesDoNotCount() throws Exception {
        Path context = context("FROM busybox\nCOPY . /c\nCMD [\"ls\", \"/c\"]\n");
        Files.writeString(context.resolve(".dockerignore"), "*.log\n!keep.log\nDockerfile\n.dockerignore\n");
        Files.writeString(context.resolve("a.log"), "");
        Files.writeString(context.resolve("keep.log"), "");
        String first = build(context, "-q", "-t", "ignoring").run().good().text();
        assertThat(docker("run", "--rm", "--network", "none", "ignoring").text()).isEqualTo("keep.log");
        Files.writeString(context.resolve("b.log"), "new");
        assertThat(build(context, "-q").run().good().text()).isEqualTo(first);
    }

    @Test
    void aFailingStepSaysItsCode() throws Exception {
        var failed = build(context("FROM busybox\nRUN echo before; exit 7\n")).run();
        assertThat(failed.code()).isNotZero();
        assertThat(failed.all()).contains("before").contains("returned a non-zero code: 7");
    }

    @Test
    void aWrongInstructionIsNamedWithItsLine() throws Exception {
        var failed = build(context("FROM busybox\nRUNN true\n")).run();
        assertThat(failed.code()).isNotZero();
        assertThat(failed.all()).contains("unknown instruction: RUNN").contains("line 2");
    }

    @Test
    void aContextMayComeThroughStandardInput() throws Exception {
        var tar = new Tar().file("Dockerfile", "FROM busybox\nCOPY f /f\nCMD cat /f\n").file("f", "from a tar").finish();
        command("build", "--network", "none", "-t", "piped", "-").with("DOCKER_BUILDKIT", "0").stdin(tar).run().good();
        assertThat(docker("run", "--rm", "--network", "none", "piped").text()).isEqualTo("from a tar");
    }

    @Test
    void aClientThatGoesAwayStopsTheStep() throws Exception {
        String mark = "98" + System.nanoTime();
        Path context = context("FROM busybox\nRUN sleep " + mark + "\n");
        try (var _ = build(context).start()) {
            Deadline.await("the step runs", () -> running(mark));
        }
        Deadline.await("the step is gone", () -> !running(mark));
        Deadline.await("its container too", () -> docker("ps", "-aq").lines().isEmpty());
    }

    private static boolean running(String mark) throws IOException {
        try (var processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path process : processes) {
                try {
                    String line = Files.readString(process.resolve("cmdline"), StandardCharsets.ISO_8859_1);
                    if (line.contains("sleep\0" + mark)) {
                        return true;
                    }
                } catch (IOException e) {
                    continue; // it ended meanwhile
                }
            }
        }
        return false;
    }
}
