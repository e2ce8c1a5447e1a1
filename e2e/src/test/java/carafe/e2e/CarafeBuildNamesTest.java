package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a context's files are besides their content arrives whatever the locale and through both doors: names, which are any
/// bytes, and capabilities. With the command as a JVM of its own (cold) and in the engine's (warm).
final class CarafeBuildNamesTest extends BuildScene {

    CarafeBuildNamesTest() throws Exception {}

    /// A shell's line in `directory`, which alone can say names of any bytes.
    private static String shell(Path directory, String line) throws Exception {
        return Command.of("sh", "-c", "cd \"$0\" && " + line, directory.toString()).run().good().text();
    }

    private Command docker(Path context, String... words) {
        return Client.docker28().to(engine).with("DOCKER_BUILDKIT", "0").and("build", "-q").and(words).and(context.toString());
    }

    private String ran(String image, String line) throws Exception {
        return carafe.to(engine).and("run", "--rm", "--network", "none", image, "sh", "-c", line).run().good().text();
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "1"})
    void theLocaleOfTheCallerChangesNothing(String warm) throws Exception {
        Path context = context("FROM busybox\nCOPY files /files\n");
        shell(context, "d=$(printf 'gr\\303\\266\\303\\237e') && mkdir -p files/$d && echo x > files/$d/$d");
        Path script = Files.writeString(engine.directory().resolve("in-locale-" + warm), """
                word=$(printf 'gr\\303\\266')
                mkdir -p "$1/$word" && cp -r "$1/Dockerfile" "$1/files" "$1/$word/"
                exec "$0" build -q --label "x=$word" "$1/$word"
                """);
        String id = Command.of("sh", "-c", ". " + script, carafe.program().toString(), context.toString())
                .with("LC_ALL", "C").with("DOCKER_HOST", engine.host()).with("CARAFE_WARM", warm)
                .with("HOME", engine.directory().toString()).run().good().text();
        assertThat(ran(id, "cd /files/gr* && printf %s * | od -An -tx1")).isEqualTo("67 72 c3 b6 c3 9f 65");
        String labels = carafe.to(engine).and("inspect", "-f", "{{json .Config.Labels}}", id).run().good().text();
        assertThat(labels).contains("\"x\":\"gr\u00f6\"");
    }

    @Test
    void programsThatTheCommandStartsHaveTheCallersLocale() throws Exception {
        Path settings = Files.createDirectory(engine.directory().resolve("settings"));
        Files.writeString(settings.resolve("config.json"),
                "{\"auths\":{\"example.org\":{}},\"credHelpers\":{\"example.org\":\"notes\"}}");
        Path helper = Files.writeString(settings.resolve("docker-credential-notes"),
                "#!/bin/sh\necho \"${LC_ALL-unset}\" >> " + settings.resolve("locales") + "\ncat > /dev/null\n");
        helper.toFile().setExecutable(true);
        var logout = carafe.to(engine).with("DOCKER_CONFIG", settings.toString()).with("CARAFE_CONFIG", settings.toString())
                .with("PATH", settings + ":" + System.getenv("PATH"));
        Command.of("env", "-u", "LC_ALL").and(logout.words().toArray(new String[0])).and("logout", "example.org")
                .with("PATH", settings + ":" + System.getenv("PATH")).with("DOCKER_HOST", engine.host())
                .with("DOCKER_CONFIG", settings.toString()).run().good();
        logout.with("LC_ALL", "C").and("logout", "example.org").run().good();
        logout.with("LC_ALL", "de_DE.UTF-8").and("logout", "example.org").run().good();
        assertThat(Files.readAllLines(settings.resolve("locales"))).containsExactly("unset", "C", "de_DE.UTF-8");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "1"})
    void namesThatAreNoUtf8Arrive(String warm) throws Exception {
        Path context = context("FROM busybox\nCOPY files /files\n");
        shell(context, """
                n=$(printf 'caf\\351') && mkdir files && mkdir "files/$n" && echo x > "files/$n/$n" && \
                ln -s "$n/$n" "files/link" && ln -s "/none/$n" files/away""");
        String classic = docker(context).run().good().text();
        var build = carafe.to(engine).with("CARAFE_WARM", warm).and("build", "-q", context.toString());
        assertThat(build.run().good().text()).isEqualTo(classic);
        assertThat(ran(classic, "cd /files && cat link && for n in caf*/*; do printf %s \"$n\"; done | od -An -tx1; "
                + "readlink away | od -An -tx1")).isEqualTo("x\n 63 61 66 e9 2f 63 61 66 e9\n"
                + " 2f 6e 6f 6e 65 2f 63 61 66 e9 0a");
        Path out = Files.createDirectory(engine.directory().resolve("out-" + warm));
        carafe.to(engine).and("build", "-o", out.toString(), context.toString()).run().good();
        Path there = Files.createDirectory(engine.directory().resolve("copied-" + warm));
        carafe.to(engine).and("create", "--name", "names" + warm, classic, "true").run().good();
        carafe.to(engine).and("cp", out + "/files", "names" + warm + ":/again").run().good();
        carafe.to(engine).and("cp", "names" + warm + ":/again", there.toString()).run().good();
        for (Path files : new Path[] {out.resolve("files"), there.resolve("again")}) {
            assertThat(shell(files, "cat caf*/caf* && readlink away | od -An -tx1"))
                    .isEqualTo("x\n 2f 6e 6f 6e 65 2f 63 61 66 e9 0a");
        }
        shell(context, "i=0; while [ $i -lt 1100 ]; do i=$((i+1)); echo $i > files/f$i; done");
        String many = docker(context).run().good().text();
        for (int i = 0; i < 2; i++) { // listed, and from what was learnt
            assertThat(build.run().good().text()).isEqualTo(many);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "1"})
    void capabilitiesArriveThroughBothDoors(String warm) throws Exception {
        Path context = context("FROM busybox\nCOPY files /files\n");
        shell(context, "mkdir files && cp /bin/true files/ping && cp /bin/true files/plain && setcap cap_net_raw+ep files/ping"
                + " && i=0; while [ $i -lt 1100 ]; do i=$((i+1)); echo $i > files/f$i; done");
        String with = docker(context).run().good().text();
        var build = carafe.to(engine).with("CARAFE_WARM", warm).and("build", "-q", context.toString());
        Instant made = Instant.now();
        Deadline.await("the files are older than two seconds", () -> Instant.now().isAfter(made.plusMillis(2500)));
        for (int i = 0; i < 3; i++) { // sent, listed in vain, from what was learnt
            assertThat(build.run().good().text()).isEqualTo(with);
        }
        shell(context, "setcap -r files/ping");
        String without = docker(context).run().good().text();
        assertThat(without).isNotEqualTo(with);
        assertThat(build.run().good().text()).isEqualTo(without);
        shell(context, "setcap cap_net_raw+ep files/ping && rm files/f*");
        String few = docker(context).run().good().text();
        assertThat(build.run().good().text()).isEqualTo(few);
        Path out = engine.directory().resolve("out" + warm + ".tar");
        carafe.to(engine).and("build", "-o", "type=tar,dest=" + out, context.toString()).run().good();
        assertThat(Files.readString(out, StandardCharsets.ISO_8859_1)).contains("SCHILY.xattr.security.capability=");
    }
}
