package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What a build says, and what it is asked to keep to itself.
final class CarafeBuildTalkTest extends BuildScene {

    CarafeBuildTalkTest() throws Exception {}

    @Test
    void aQuietBuildThatFailsSaysWhyThroughBothDoors() throws Exception {
        Path context = context("FROM busybox\nRUN echo because; exit 3\n");
        var ours = run("build", "-q", "--network", "none", context.toString()).endedWith(1);
        assertThat(ours.err()).containsPattern("\n[0-9.]+ because\n").contains("returned a non-zero code: 3");
        assertThat(ours.out()).isEmpty();
        var docker = Client.docker28().to(engine).with("DOCKER_BUILDKIT", "0")
                .and("build", "-q", "--network", "none", context.toString()).run().endedWith(3);
        assertThat(docker.err()).contains("because").contains("returned a non-zero code: 3");
        var good = run("build", "-q", context("FROM busybox\nRUN echo because\n").toString()).good();
        assertThat(good.err()).doesNotContain("because");
    }

    @Test
    void whateverEndsABuildIsSaidInTheSameWay() throws Exception {
        String good = context("FROM busybox AS one\nFROM busybox AS two\n").toString();
        assertThat(run("build", context("FROM busybox\nRUNN x\n").toString()).endedWith(1).err()).startsWith(
                "ERROR: failed to build: dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)\n");
        assertThat(run("build", "--target", "three", good).endedWith(1).err())
                .isEqualTo("ERROR: failed to build: target stage \"three\" could not be found; there are one, two\n");
        assertThat(run("build", "-q", "-t", "Bad:Name", good).endedWith(1).err())
                .isEqualTo("ERROR: failed to build: invalid reference format: repository name (library/Bad) must be lowercase\n");
        for (String type : List.of("type=local", "type=oci,tar=false")) {
            for (String place : List.of("/dev/full", "/dev/full/in")) {
                assertThat(run("build", "-q", "-o", type + ",dest=" + place, good).endedWith(1).err()).startsWith(
                        "cannot make the directory " + place + " for what was built: ").endsWith(place.endsWith("in")
                        ? "not a directory\n" : "a file is there\n");
            }
        }
    }

    @Test
    void theProgressIsTheVariablesWhereNoFlagSaysIt() throws Exception {
        Path context = context("FROM busybox\n");
        for (String warm : new String[] {"0", "1"}) {
            var build = carafe.to(engine).with("CARAFE_WARM", warm).with("BUILDKIT_PROGRESS", "rawjson");
            assertThat(build.and("build", context.toString()).run().good().err()).contains("{\"vertexes\":[");
            assertThat(build.and("build", "--progress", "plain", context.toString()).run().good().err())
                    .doesNotContain("vertexes").contains("#1 ");
            assertThat(build.with("BUILDKIT_PROGRESS", "none").and("build", context.toString()).run().good().err()).isEmpty();
        }
    }

    @Test
    void aDockerfileFromElsewhereIsCalledByItsName() throws Exception {
        Path context = context("FROM scratch\n");
        String wrong = "FROM busybox\nRUN echo x\nCPOY a b\n";
        Path elsewhere = Files.writeString(engine.directory().resolve("X.Dockerfile"), wrong);
        assertThat(run("build", "-f", elsewhere.toString(), context.toString()).endedWith(1).err())
                .contains("X.Dockerfile:3").doesNotContain(".dockerfile.");
        assertThat(carafe.to(engine).and("build", "-f", "-", context.toString()).stdin(wrong).run().endedWith(1).err())
                .contains("Dockerfile:3").doesNotContain(".dockerfile.");
        String smelly = "FROM busybox as base\nWORKDIR relative\nRUN exit 4\n";
        Files.writeString(elsewhere, smelly);
        assertThat(run("build", "--call=check", "-f", elsewhere.toString(), context.toString()).endedWith(1).text())
                .contains("X.Dockerfile:1").doesNotContain(".dockerfile.");
        assertThat(carafe.to(engine).and("build", "--call=check,format=json", "-f", "-", context.toString()).stdin(smelly).run()
                .endedWith(1).text()).contains("Dockerfile").doesNotContain(".dockerfile.");
        assertThat(run("build", "--network", "none", "-f", elsewhere.toString(), context.toString()).endedWith(1).err())
                .doesNotContain(".dockerfile.");
    }

    @Test
    void aBuildForTheCacheOnlyNamesNothing() throws Exception {
        Path context = context("FROM busybox\nRUN echo kept > /x\n");
        run("build", "--network", "none", "-o", "type=cacheonly", "-t", "unnamed", context.toString()).good();
        assertThat(run("image", "inspect", "unnamed").endedWith(1).err()).contains("unnamed");
        assertThat(run("build", "--network", "none", "--progress", "plain", "-o",
                "type=image,name=named,rewrite-timestamp=true", context.toString()).good().err()).contains("CACHED");
        run("image", "inspect", "named").good();
    }

    @Test
    void aCacheThatCannotGoAnywhereIsToldAndNoFailureWhereThatIsSaid() throws Exception {
        Path context = context("FROM busybox\n");
        String cache = "type=registry,ref=127.0.0.1:9/no/where";
        assertThat(run("build", "--cache-to", cache, context.toString()).endedWith(1).err()).contains("127.0.0.1:9");
        assertThat(run("build", "--cache-to", cache + ",ignore-error=true", context.toString()).good().err())
                .contains("the cache did not go to 127.0.0.1:9/no/where").contains("built sha256:");
        Path file = Files.writeString(engine.directory().resolve("file"), "");
        String local = "type=local,dest=" + file + "/below";
        run("build", "--cache-to", local, context.toString()).endedWith(1);
        assertThat(run("build", "--cache-to", local + ",ignore-error=1", context.toString()).good().err())
                .contains("the cache did not go to " + file);
        assertThat(run("build", "--cache-to", cache + ",ignore-error=perhaps", context.toString()).endedWith(1).err())
                .contains("ignore-error=perhaps is neither true nor false");
    }

    @Test
    void theCallsAreListed() throws Exception {
        for (String word : new String[] {"subrequests.describe", "help"}) {
            assertThat(run("build", "--call=" + word, "/nowhere").good().lines())
                    .contains("outline              1.0.0   List all parameters current build target supports")
                    .anyMatch(line -> line.startsWith("lint "));
        }
        assertThat(run("build", "--call=subrequests.describe,format=json", "/nowhere").good().text())
                .contains("{\"name\":\"frontend.targets\",\"version\":\"1.0.0\"");
    }

    @Test
    void whatADocumentLeavesOutIsEmptyToATemplate() throws Exception {
        Path context = context("FROM scratch\nCOPY Dockerfile /\n");
        String id = run("build", "-q", context.toString()).good().text();
        String template = "{{json .Config.Cmd}} {{.Config.Entrypoint}} {{json .Config.Volumes}} {{len .Config.ExposedPorts}}"
                + " {{.Config.User}}.";
        String docker = Client.docker28().to(engine).and("inspect", "--type", "image", "--format", template, id).run().good()
                .text();
        assertThat(run("inspect", "--format", template, id).good().text()).isEqualTo(docker).startsWith("null [] null 0 ");
    }
}
