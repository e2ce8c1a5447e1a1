package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// What our builder does beyond the classic one, with our own command, and that both doors give the same image.
final class CarafeBuildTest extends BuildScene {

    CarafeBuildTest() throws Exception {}

    @Test
    void mountsSecretsAndScriptsWork() throws Exception {
        Path context = context("""
                FROM busybox AS base
                RUN mkdir /d && echo q > /d/q
                FROM busybox
                RUN --mount=type=cache,target=/cache echo x >> /cache/n; wc -l < /cache/n > /count
                RUN --mount=from=base,source=/d,target=/x cat /x/q > /bound && ! touch /x/no
                RUN --mount=type=tmpfs,target=/t touch /t/x
                RUN --mount=type=secret,id=key wc -c < /run/secrets/key > /secretlength
                RUN <<EOT
                #!/bin/sh
                echo "script $0" > /script
                EOT
                COPY <<F /inline
                some text
                F
                CMD ["sh", "-c", "cat /count /bound /secretlength /script /inline; ls / /run 2>/dev/null; true"]
                """);
        Path secret = Files.writeString(engine.directory().resolve("secret"), "s3cr3t");
        run("build", "-t", "rich", "--network", "none", "--secret", "id=key,src=" + secret, context.toString()).good();
        String said = run("run", "--rm", "--network", "none", "rich").good().text();
        assertThat(said).startsWith("1\nq\n6\nscript /dev/pipes/EOT\nsome text");
        assertThat(said.lines()).doesNotContain("x", "t", "cache", "secrets");
        assertThat(run("history", "--no-trunc", "rich").good().text()).doesNotContain("s3cr3t");
    }

    @Test
    void bothDoorsGiveTheSameImage() throws Exception {
        Path context = context("FROM busybox\nCOPY f /d/f\nRUN echo x > /d/x\nENV A=1\n");
        Files.writeString(context.resolve("f"), "content");
        String ours = run("build", "-q", "--network", "none", context.toString()).good().text();
        String docker = Client.docker28().to(engine).with("DOCKER_BUILDKIT", "0")
                .and("build", "-q", "--network", "none", context.toString()).run().good().text();
        assertThat(docker).isEqualTo(ours);
    }

    @Test
    void namesOfOneFileStayNamesOfOneFileHoweverTheyCome() throws Exception {
        Path context = context("FROM busybox\nCOPY . /in/\nRUN stat -c '%h %i' /in/one /in/deep/two > /links\n"
                + "FROM busybox\nCOPY --from=0 /in /links /in/\n");
        Files.writeString(context.resolve("one"), "x".repeat(9 << 20)); // is listed before it is sent
        Files.createDirectory(context.resolve("deep"));
        Files.createLink(context.resolve("deep/two"), context.resolve("one"));
        for (var door : List.of(carafe.to(engine).with("CARAFE_WARM", "1"), carafe.to(engine).with("CARAFE_WARM", "0"),
                Client.docker28().to(engine).with("DOCKER_BUILDKIT", "0"))) {
            for (String cache : List.of("--no-cache", "--no-cache=false")) {
                door.and("build", cache, "-t", "linked", "--network", "none", context.toString()).run().good();
                var said = run("run", "--rm", "--network", "none", "linked", "sh", "-c",
                        "cat /in/links; stat -c '%h %i' /in/one /in/deep/two").good().lines();
                assertThat(said).hasSize(4).allMatch(line -> line.startsWith("2 "));
                assertThat(said.get(0)).isEqualTo(said.get(1));
                assertThat(said.get(2)).isEqualTo(said.get(3));
            }
        }
        assertThat(run("history", "--format", "{{.Size}}", "--human=false", "linked").good().lines())
                .allMatch(size -> Long.parseLong(size) < 18 << 20);
    }

    @Test
    void setuidSetgidAndStickyBitsArriveThroughBothDoors() throws Exception {
        Path context = context("""
                FROM busybox
                COPY files /files
                ADD files/user /added
                COPY --chmod=4755 files/plain /chosen
                COPY --chmod=2751 files/plain /
                COPY --chmod=u+s,g+s,+t files/plain /named
                FROM busybox
                COPY --from=0 /files /files
                COPY --from=0 /added /chosen /named /plain /others/
                RUN --mount=target=/context stat -c '%a %n' /context/files/* | tee /mounted
                """);
        Path files = Files.createDirectory(context.resolve("files"));
        for (var each : Map.of("plain", 0644, "user", 04755, "group", 02711, "all", 07777).entrySet()) {
            Files.setAttribute(Files.writeString(files.resolve(each.getKey()), each.getKey()), "unix:mode", each.getValue());
        }
        Files.setAttribute(Files.createDirectory(files.resolve("open")), "unix:mode", 01777);
        Files.setAttribute(Files.createDirectory(files.resolve("shared")), "unix:mode", 02775);
        run("build", "-t", "bits", "--network", "none", context.toString()).good();
        String classic = "FROM busybox\nCOPY files /files\nADD files/user /added\n";
        Files.writeString(context.resolve("Dockerfile"), classic);
        Client.docker28().to(engine).with("DOCKER_BUILDKIT", "0").and("build", "-q", "-t", "bits:classic", context.toString())
                .run().good();
        run("build", "-t", "bits:ours", context.toString()).good();
        var wanted = new String[] {"7777 /files/all", "2711 /files/group", "1777 /files/open", "644 /files/plain",
            "2775 /files/shared", "4755 /files/user"};
        for (String image : new String[] {"bits", "bits:classic", "bits:ours"}) {
            assertThat(modes(image, "/files/*")).as(image).containsExactly(wanted);
        }
        assertThat(modes("bits", "/mounted /others/*")).containsExactly("644 /mounted", "4755 /others/added",
                "4755 /others/chosen", "7644 /others/named", "2751 /others/plain");
        assertThat(run("run", "--rm", "--network", "none", "bits", "cat", "/mounted").good().text())
                .contains("4755 /context/files/user", "1777 /context/files/open");
        assertThat(run("image", "inspect", "-f", "{{.Id}}", "bits:ours").good().text())
                .isEqualTo(run("image", "inspect", "-f", "{{.Id}}", "bits:classic").good().text());
        Files.setAttribute(files.resolve("user"), "unix:mode", 0755);
        assertThat(run("build", "--explain", "--progress", "plain", context.toString()).good().err())
                .contains("not cached: files/user was changed");
    }

    private String[] modes(String image, String paths) throws Exception {
        return run("run", "--rm", "--network", "none", image, "sh", "-c", "stat -c '%a %n' " + paths).good().text().split("\n");
    }

    @Test
    void aStepOutsideTheSandboxRunsOnlyWhereItWasAllowed() throws Exception { // CVE-2024-23653
        Path context = context("FROM busybox\nRUN --security=insecure mount -t tmpfs none /tmp\n");
        String refusal = "RUN --security=insecure is not allowed; allow it with --allow security.insecure";
        assertThat(run("build", "--network", "none", context.toString()).endedWith(1).err()).contains(refusal);
        var classic = Client.docker28().to(engine).with("DOCKER_BUILDKIT", "0")
                .and("build", "--network", "none", context.toString()).run().endedWith(1);
        assertThat(classic.err()).contains(refusal);
        run("build", "--network", "none", "--allow", "security.insecure", context.toString()).good();
        // What was allowed once is no permission for the next, cached or not.
        assertThat(run("build", "--network", "none", context.toString()).endedWith(1).err()).contains(refusal);
    }

    @Test
    void theHostOfStepsIsCalledAsTheBuildSays() throws Exception {
        Path context = context("FROM busybox\nRUN echo \"$(hostname) $HOSTNAME $(cat /etc/hostname)\" > /name\n");
        for (String name : new String[] {"buildkitsandbox", "forge.example"}) {
            String image = run("build", "-q", "--network", "none", "--build-arg",
                    name.startsWith("forge") ? "BUILDKIT_SANDBOX_HOSTNAME=" + name : "UNUSED", context.toString())
                    .good().text();
            assertThat(run("run", "--rm", "--network", "none", image, "cat", "/name").good().text())
                    .isEqualTo(name + " " + name + " " + name);
        }
    }

    @Test
    void limitsOfProcessesHoldThroughBothDoors() throws Exception {
        Path context = context("FROM busybox\nRUN echo \"$(ulimit -Sn) $(ulimit -Hn)\"\n");
        var ours = run("build", "--network", "none", "--no-cache", "--progress", "plain", "--ulimit", "nofile=77:99",
                context.toString()).good();
        assertThat(ours.err()).contains(" 77 99\n");
        var classic = Client.docker28().to(engine).with("DOCKER_BUILDKIT", "0")
                .and("build", "--network", "none", "--no-cache", "--ulimit", "nofile=77:99", context.toString()).run().good();
        assertThat(classic.out()).contains("\n77 99\n");
        assertThat(run("build", "--ulimit", "nofile=9:8", context.toString()).endedWith(1).err())
                .contains("soft limit must be less than or equal to hard limit: 9 > 8");
        var wrong = Map.of("{\"Name\":\"files\"}", "invalid ulimit type: files",
                "{\"Name\":\"core\",\"Soft\":2,\"Hard\":1}", "soft limit must be less than or equal to hard limit: 2 ");
        for (var each : wrong.entrySet()) {
            String query = URLEncoder.encode("[" + each.getKey() + "]", StandardCharsets.UTF_8);
            assertThat(RawHttp.request(engine.socket(), "POST", "/build?ulimits=" + query)).startsWith("HTTP/1.1 400 ")
                    .contains(each.getValue());
        }
    }

    @Test
    void whatCannotBeMadeYetIsRefusedAndWhatIsSwitchedOffIsNot() throws Exception {
        Path context = context("FROM scratch\nCOPY Dockerfile /\n");
        run("build", "--provenance=false", "--sbom=false", "--builder", "default", "--attest", "type=sbom,disabled=true",
                context.toString()).good();
        run("build", "--provenance=0", "--sbom=f", context.toString()).good();
        run("build", "--provenance=mode=max,disabled=true", "--sbom=disabled=1", context.toString()).good();
        for (String flag : new String[] {"--provenance=mode=max", "--sbom=true", "--attest=type=provenance",
                "--provenance=disabled=false"}) {
            assertThat(run("build", flag, context.toString()).endedWith(1).err()).contains("attestations (provenance, SBOM)"
                    + " cannot be made yet");
        }
        assertThat(run("build", "--builder", "remote", context.toString()).endedWith(1).err())
                .contains("there is no builder \"remote\"");
    }

    @Test
    void debugOpensAShellInTheFailingStepOnATerminal() throws Exception {
        Path context = context("FROM busybox\nWORKDIR /w\nENV SEEN=by-the-shell\nRUN echo evidence > /left; exit 3\n");
        try (var terminal = carafe.to(engine).and("build", "--network", "none", "--debug", context.toString())
                .startOnTerminal()) {
            terminal.expect("the failing step's files, in a shell");
            terminal.write("echo \"$(cat /left) $SEEN $(pwd)\"; exit\n");
            terminal.expect("evidence by-the-shell /w");
            terminal.await().endedWith(1);
        }
        assertThat(run("ps", "-aq").good().text()).isEmpty();
    }

    @Test
    void explainNamesTheFileThatChanged() throws Exception {
        Path context = context("FROM busybox\nCOPY a b /\n");
        Files.writeString(context.resolve("a"), "1");
        Files.writeString(context.resolve("b"), "1");
        run("build", context.toString()).good();
        Files.writeString(context.resolve("b"), "2");
        assertThat(run("build", "--explain", "--progress", "plain", context.toString()).good().err())
                .contains("not cached: b was changed");
    }

    @Test
    void debugSaysHowToLookAtAFailingStep() throws Exception {
        Path context = context("FROM busybox\nRUN echo evidence > /left; exit 3\n");
        var failed = run("build", "--network", "none", "--debug", context.toString()).endedWith(1);
        String image = failed.err().replaceAll("(?s).*(sha256:[0-9a-f]{64}).*", "$1");
        assertThat(run("run", "--rm", "--network", "none", image, "cat", "/left").good().text()).isEqualTo("evidence");
    }

    @Test
    void checksNameLineAndFix() throws Exception {
        assertThat(run("build", "--check", context("FROM busybox AS Base\nCMD echo hi\n").toString()).endedWith(1).out())
                .contains("StageNameCasing", "JSONArgsRecommended", "try:  CMD [\"echo\", \"hi\"]");
    }

    @Test
    void theFilesMayGoIntoADirectory() throws Exception {
        Path context = context("FROM scratch\nCOPY f /d/f\nCOPY --chmod=750 f /p\n");
        Files.writeString(context.resolve("f"), "content");
        Path directory = engine.directory().resolve("out/files");
        run("build", "-o", "type=local,dest=" + directory, context.toString()).good();
        assertThat(directory.resolve("d/f")).hasContent("content");
        assertThat(Files.getAttribute(directory.resolve("p"), "unix:mode")).isEqualTo(0100750);
        Files.writeString(context.resolve("f"), "newer");
        run("build", "-o", directory.toString(), context.toString()).good();
        assertThat(directory.resolve("d/f")).hasContent("newer");
        assertThat(run("build", "-o", "type=local", context.toString()).endedWith(1).err()).contains("dest is required");
    }

    @Test
    void whatIsBuiltMayBePushed() throws Exception {
        Path context = context("FROM busybox\nCOPY Dockerfile /made\n");
        assertThat(run("build", "--push", context.toString()).endedWith(1).err()).contains("tag is needed when pushing");
        try (var registry = DebianRegistry.open()) {
            String name = registry.host() + "/team/made";
            String id = run("build", "-q", "--push", "-t", name + ":1", "-t", name, context.toString()).good().text();
            run("rmi", name + ":1", name).good();
            run("pull", "-q", name).good();
            run("pull", "-q", name + ":1").good();
            assertThat(run("inspect", "--format", "{{.Id}}", name + ":1").good().text()).isEqualTo(id);
            assertThat(run("inspect", "--format", "{{.Id}}", name).good().text()).isEqualTo(id);
        }
    }

    @Test
    void aBaseMayLieBehindAPassword() throws Exception {
        try (var registry = DebianRegistry.closed()) {
            String name = registry.host() + "/private:1";
            Path context = context("FROM " + name + "\nRUN echo x > /x\n");
            var docker = Client.docker28().to(engine).with("DOCKER_BUILDKIT", "0")
                    .and("build", "-q", "--network", "none", context.toString());
            run("login", "-u", "ann", "-p", "secret", registry.host()).good();
            run("tag", "busybox", name).good();
            run("push", name).good();
            run("rmi", name).good();
            run("build", "--network", "none", context.toString()).good();
            run("rmi", "-f", name).good();
            docker.run().good();
            run("logout", registry.host()).good();
            run("rmi", "-f", name).good();
            assertThat(run("build", "--network", "none", context.toString()).endedWith(1).err())
                    .contains(registry.host() + "/private", "docker login");
            assertThat(docker.run().code()).isNotZero();
        }
    }

    @Test
    void anIgnoreFileBesideADockerfileElsewhereCounts() throws Exception {
        Path context = context("FROM busybox\n");
        Files.writeString(context.resolve("kept"), "");
        Files.writeString(context.resolve("left"), "");
        Path elsewhere = context("FROM busybox\nCOPY . /c\nCMD [\"ls\", \"-A\", \"/c\"]\n");
        Files.writeString(elsewhere.resolve("Dockerfile.dockerignore"), "left\n");
        run("build", "-t", "elsewhere", "-f", elsewhere.resolve("Dockerfile").toString(), context.toString()).good();
        assertThat(run("run", "--rm", "--network", "none", "elsewhere").good().lines()).contains("kept").doesNotContain("left");
    }

    @Test
    void theSameEpochGivesTheSameDigest() throws Exception {
        Path context = context("FROM busybox\nRUN echo x > /x && mkdir /d && touch /d/y\nCOPY Dockerfile /f\n");
        var build = carafe.to(engine).with("SOURCE_DATE_EPOCH", "1700000000")
                .and("build", "-q", "--no-cache", "--network", "none", context.toString());
        String first = build.run().good().text();
        assertThat(build.run().good().text()).isEqualTo(first);
        assertThat(run("inspect", "--format", "{{.Created}}", first).good().text()).startsWith("2023-11-14T22:13:20");
    }

    @Test
    void aKilledDaemonsStepIsGoneAndTheNextBuildWorks() throws Exception {
        Path context = context("FROM busybox\nRUN sleep 3600\n");
        try (var _ = carafe.to(engine).and("build", "--network", "none", context.toString()).start()) {
            Deadline.await("the step runs", () -> Files.exists(engine.execRoot().resolve("c"))
                    && engine.execRoot().resolve("c").toFile().list().length > 0);
            engine.kill();
        }
        engine.start();
        assertThat(engine.execRoot().resolve("c")).isEmptyDirectory();
        Files.writeString(context.resolve("Dockerfile"), "FROM busybox\nRUN echo again > /x\nCMD [\"cat\", \"/x\"]\n");
        run("build", "-t", "again", "--network", "none", context.toString()).good();
        assertThat(run("run", "--rm", "--network", "none", "again").good().text()).isEqualTo("again");
    }

    @Test
    void pruneFreesTheCache() throws Exception {
        run("build", "--network", "none", context("FROM busybox\nRUN echo p > /p\n").toString()).good();
        assertThat(run("builder", "prune", "-f").good().text()).contains("Total reclaimed space");
    }

    @Test
    void whatAStepLeavesRunningEndsWithIt() throws Exception {
        Path context = context("FROM busybox\nRUN sleep 35991 & echo started > /x\nRUN ! ps | grep 'sleep 3599[1]'\n");
        run("build", "--network", "none", context.toString()).good();
        assertThat(ProcessHandle.allProcesses().map(process -> process.info().commandLine().orElse("")))
                .noneMatch(line -> line.endsWith("sleep 35991"));
    }
}
