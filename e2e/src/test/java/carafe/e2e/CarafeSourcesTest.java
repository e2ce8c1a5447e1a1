package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// Where the files of builds may come from beside the context: the web, git repositories, contexts by name, an agent.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CarafeSourcesTest {

    private final EngineUnderTest engine;
    private final Client carafe = Client.carafe();
    private WebServer web;

    CarafeSourcesTest() throws Exception {
        engine = new CarafeDaemon();
    }

    @BeforeAll
    void start() throws Exception {
        engine.start();
        run("load", "--input", TestImages.dockerArchive(engine.directory()).toString()).good();
        web = new WebServer(engine.directory().resolve("repositories"));
    }

    @AfterAll
    void stop() {
        if (web != null) {
            web.close();
        }
        engine.close();
    }

    private Outcome run(String... words) throws Exception {
        return carafe.to(engine).and(words).run();
    }

    private Path context(String dockerfile) throws Exception {
        Path directory = Files.createTempDirectory(engine.directory(), "context");
        Files.writeString(directory.resolve("Dockerfile"), dockerfile);
        return directory;
    }

    /// What `sh -c script` prints in a container of the image.
    private String in(String image, String script) throws Exception {
        return run("run", "--rm", "--network", "none", image, "sh", "-c", script).good().text();
    }

    private Stream<Command> dockers() {
        return Stream.of(Client.docker28(), Client.docker20()).map(client -> client.to(engine).with("DOCKER_BUILDKIT", "0"));
    }

    @Test
    void filesOfTheWebAndRepositoriesAreAdded() throws Exception {
        web.files.put("d/tool.txt", "tool".getBytes(StandardCharsets.UTF_8));
        String commit = web.repository("tools", Map.of("docs/a", "A", "b", "B"));
        Path context = context("FROM busybox\nADD " + web.url("d/tool.txt") + " /web/\nADD " + web.url("git/tools/.git")
                + "#main:docs /docs/\nADD --keep-git-dir --checksum=" + commit.substring(0, 7) + " " + web.url("git/tools/.git")
                + " /all/\n");
        String ours = run("build", "-q", "--network", "none", context.toString()).good().text();
        assertThat(in(ours, "cat /web/tool.txt /docs/a /all/b; stat -c ' %a %u %Y' /web/tool.txt; ls -A /docs /all"))
                .startsWith("toolAB 600 0 1445412480").contains(".git").doesNotContain("docs/.git");
        web.asked.clear();
        for (var docker : dockers().toList()) {
            assertThat(docker.and("build", "-q", "--network", "none", context.toString()).run().good().text()).isEqualTo(ours);
        }
        assertThat(web.asked).containsExactly("d/tool.txt 304", "d/tool.txt 304");
        web.files.put("d/tool.txt", "newer".getBytes(StandardCharsets.UTF_8));
        String newer = run("build", "-q", "--network", "none", context.toString()).good().text();
        assertThat(in(newer, "cat /web/tool.txt")).isEqualTo("newer");
        assertThat(run("build", context("FROM scratch\nADD " + web.url("gone") + " /x\n").toString()).endedWith(1).err())
                .contains(web.url("gone"), "404");
        assertThat(run("build", context("FROM scratch\nADD " + web.url("git/none/.git") + " /x\n").toString()).endedWith(1)
                .err()).contains("cannot look at " + web.url("git/none/.git"), "not found");
    }

    @Test
    void theContextMayLieElsewhere() throws Exception {
        byte[] tar = new Tar().file("Dockerfile", "FROM busybox\nCOPY f /f\n").file("other", "FROM busybox\nCOPY f /o\n")
                .file("f", "from a tar").finish();
        web.files.put("ctx.tar", tar);
        web.files.put("Dockerfile", "FROM busybox\nLABEL from=web\n".getBytes(StandardCharsets.UTF_8));
        web.files.put("copying", "FROM busybox\nCOPY f /web\n".getBytes(StandardCharsets.UTF_8));
        web.repository("project", Map.of("d/Dockerfile", "FROM busybox\nCOPY . /c\n", "d/f", "from git", "g", "outside"));
        String fromTar = run("build", "-q", web.url("ctx.tar")).good().text();
        assertThat(in(fromTar, "cat /f")).isEqualTo("from a tar");
        assertThat(in(run("build", "-q", "-f", "other", web.url("ctx.tar")).good().text(), "cat /o")).isEqualTo("from a tar");
        String fromGit = run("build", "-q", web.url("git/project/.git") + "#main:d").good().text();
        assertThat(in(fromGit, "cat /c/f; ls -A /c")).isEqualTo("from gitDockerfile\nf");
        assertThat(run("build", "-t", "labelled", web.url("Dockerfile")).good().code()).isZero();
        assertThat(run("inspect", "--format", "{{.Config.Labels.from}}", "labelled").good().text()).isEqualTo("web");
        Path local = context("FROM no-such\n");
        Files.writeString(local.resolve("f"), "local");
        assertThat(in(run("build", "-q", "-f", web.url("copying"), local.toString()).good().text(), "cat /web"))
                .isEqualTo("local");
        for (var docker : dockers().toList()) { // they fetch it themselves
            assertThat(docker.and("build", "-q", web.url("ctx.tar")).run().good().text()).isEqualTo(fromTar);
        }
        String remote = URLEncoder.encode(web.url("git/project/.git") + "#main:d", StandardCharsets.UTF_8);
        assertThat(RawHttp.request(engine.socket(), "POST", "/build?q=1&remote=" + remote)).contains("200 OK", fromGit);
        assertThat(RawHttp.request(engine.socket(), "POST", "/build?remote=%2Fetc")).contains("is no URL of a git repository");
        assertThat(run("build", web.url("git/project/.git") + "#no").endedWith(1).err())
                .contains("has no branch, tag or commit no");
    }

    @Test
    void standardInputIsATarOrADockerfile() throws Exception {
        var build = carafe.to(engine).and("build", "-q", "-");
        String simple = build.stdin("FROM busybox\nRUN echo x > /x\n").and("--network", "none").run().good().text();
        assertThat(in(simple, "cat /x")).isEqualTo("x");
        byte[] tar = new Tar().file("Dockerfile", "FROM busybox\nCOPY f /f\n").file("f", "in a tar").finish();
        assertThat(in(build.stdin(tar).run().good().text(), "cat /f")).isEqualTo("in a tar");
        assertThat(build.stdin("FROM busybox\nCOPY f /f\n").run().endedWith(1).err()).contains("file not found");
    }

    @Test
    void contextsByNameReplaceStagesAndImages() throws Exception {
        Path context = context("""
                FROM nowhere.example/base:1 AS st
                FROM busybox AS dir
                RUN exit 1
                FROM busybox
                COPY --from=dir f /f
                COPY --from=st /made /made
                COPY --from=repo a /a
                COPY --from=layout /l /l
                RUN --mount=from=dir,target=/m cat /m/f > /mounted
                """);
        Path other = Files.createDirectory(context.resolveSibling(context.getFileName() + "-dir"));
        Files.writeString(other.resolve("f"), "by name");
        Files.writeString(other.resolve("left"), "out");
        Files.writeString(other.resolve(".dockerignore"), "left\n");
        web.repository("repo", Map.of("sub/a", "in git"));
        run("build", "-q", "-t", "mine:1", "--network", "none", context("FROM busybox\nRUN echo here > /made\n").toString())
                .good();
        Path layout = OciLayout.write(context.resolveSibling(context.getFileName() + "-oci"),
                new Tar().file("l", "in a layout").finish(), "");
        String id = run("build", "-q", "--network", "none", "--build-context", "dir=" + other, "--build-context",
                "nowhere.example/base:1=docker-image://mine:1", "--build-context", "repo=" + web.url("git/repo/.git")
                + "#main:sub", "--build-context", "layout=oci-layout://" + layout + ":v1", context.toString()).good().text();
        assertThat(in(id, "cat /f /made /a /l /mounted")).isEqualTo("by namehere\nin gitin a layoutby name");
        assertThat(run("build", "--build-context", "dir=" + other.resolve("none"), context.toString()).endedWith(1).err())
                .contains("failed to get build context dir", "not found");
        assertThat(run("build", "--build-context", "dir", context.toString()).endedWith(1).err()).contains("expected key=value");
        String whole = run("build", "-q", "--build-context", "base=" + other, context("FROM base\n").toString()).good().text();
        run("build", "-q", "-t", "whole", "--build-context", "base=" + other, context("FROM base\nCOPY --from=busybox / /\n")
                .toString()).good();
        assertThat(in("whole", "cat /f; ls")).startsWith("by name").doesNotContain("left");
        assertThat(whole).startsWith("sha256:");
    }

    /// A program of the tree that the image of ssh's programs is made of, run on the host by the tree's own loader.
    private static Command ssh(String program, String... words) {
        Path tree = Tools.fetched("image-ssh", "");
        return Command.of(tree.resolve("usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2").toString(), "--library-path",
                tree.resolve("usr/lib/x86_64-linux-gnu") + ":" + tree.resolve("lib/x86_64-linux-gnu"),
                tree.resolve("usr/bin").resolve(program).toString()).and(words);
    }

    @Test
    void anAgentsKeysServeOneStepAndLeaveNothing() throws Exception {
        run("build", "-q", "-t", "with-ssh", "-f", context("FROM scratch\nCOPY . /\n").resolve("Dockerfile").toString(),
                Tools.fetched("image-ssh", "").toString()).good();
        Path socket = engine.directory().resolve("agent");
        Path key = engine.directory().resolve("key");
        ssh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "of the test", "-f", key.toString()).run().good();
        try (var _ = ssh("ssh-agent", "-D", "-a", socket.toString()).start()) {
            Deadline.await("the agent listens", () -> Files.exists(socket));
            ssh("ssh-add", "-q", key.toString()).with("SSH_AUTH_SOCK", socket.toString()).run().good();
            Path context = context("""
                    FROM with-ssh
                    RUN --mount=type=ssh ssh-add -l > /keys && echo "$SSH_AUTH_SOCK" > /socket
                    RUN ssh-add -l > /after 2>&1 || true
                    CMD ["sh", "-c", "cat /keys /after; ls -d /run/buildkit; cat /socket"]
                    """);
            run("build", "-t", "used-ssh", "--network", "none", "--ssh", "default=" + socket, context.toString()).good();
            var seen = run("run", "--rm", "--network", "none", "used-ssh");
            assertThat(seen.out()).contains("of the test (ED25519)", "Could not open a connection to your authentication agent")
                    .doesNotContain(key.toString());
            assertThat(seen.err()).contains("/run/buildkit");
            assertThat(run("history", "--no-trunc", "used-ssh").good().text()).doesNotContain(socket.toString());
            assertThat(run("build", "--network", "none", "--no-cache", context("FROM with-ssh\nRUN --mount=type=ssh,required "
                    + "true\n").toString()).endedWith(1).err()).contains("--ssh default");
        }
    }
}
