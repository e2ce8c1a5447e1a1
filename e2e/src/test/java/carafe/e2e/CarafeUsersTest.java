package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// An engine whose containers have other users than the host (`userns-remap`), through each client.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CarafeUsersTest {

    private static final long FIRST = 0x7000_0000L;

    private final CarafeDaemon engine;

    CarafeUsersTest() throws Exception {
        engine = new CarafeDaemon().with("--userns-remap", "default");
    }

    static Stream<Client> clients() {
        return Stream.of(Client.docker20(), Client.docker28(), Client.carafe());
    }

    @BeforeAll
    void start() throws Exception {
        engine.start();
        Client.docker28().to(engine).and("load", "-i", TestImages.dockerArchive(engine.directory()).toString()).run().good();
    }

    @AfterEach
    void removeAll() throws Exception {
        List<String> known = docker("ps", "-aq", "--no-trunc").lines();
        engine.remember(known);
        if (!known.isEmpty()) {
            Client.docker28().to(engine).and("rm", "-fv").and(known.toArray(String[]::new)).run().good();
        }
    }

    @AfterAll
    void stop() {
        engine.close();
    }

    private Outcome docker(String... words) throws Exception {
        return Client.docker28().to(engine).and(words).run().good();
    }

    @ParameterizedTest
    @MethodSource("clients")
    void rootIsNobodyOnTheHostAndInfoSaysSo(Client client) throws Exception {
        assertThat(client.to(engine).and("info", "--format", "{{.SecurityOptions}}").run().good().text())
                .contains("name=userns");
        client.to(engine).and("run", "-d", "--name", "web", "busybox", "sleep", "1000").run().good();
        assertThat(client.to(engine).and("exec", "web", "id", "-u").run().good().text()).isEqualTo("0");
        String pid = client.to(engine).and("inspect", "--format", "{{.State.Pid}}", "web").run().good().text();
        assertThat(Files.readAllLines(Path.of("/proc/" + pid + "/status")))
                .contains("Uid:\t" + FIRST + "\t" + FIRST + "\t" + FIRST + "\t" + FIRST);
        assertThat(client.to(engine).and("inspect", "--format", "<{{.HostConfig.UsernsMode}}>", "web").run().good().text())
                .isEqualTo("<>");
    }

    @ParameterizedTest
    @MethodSource("clients")
    void theHostsUsersCanBeAskedFor(Client client) throws Exception {
        assertThat(client.to(engine).and("run", "--rm", "--userns=host", "busybox", "cat", "/proc/self/uid_map").run()
                .good().text().replaceAll(" +", " ").strip()).isEqualTo("0 0 4294967295");
        var refused = client.to(engine).and("run", "--rm", "--privileged", "busybox", "true").run();
        assertThat(refused.code()).isEqualTo(125);
        assertThat(refused.err()).contains("privileged mode is incompatible with user namespaces.  You must run the"
                + " container in the host namespace when running privileged mode");
        assertThat(client.to(engine).and("run", "--rm", "--privileged", "--userns=host", "busybox", "true").run().code())
                .isZero();
        assertThat(client.to(engine).and("run", "--rm", "--network", "host", "busybox", "true").run().err())
                .contains("cannot share the host's network namespace when user namespaces are enabled");
    }

    @ParameterizedTest
    @MethodSource("clients")
    void imagesVolumesAndChangesKeepTheirOwners(Client client) throws Exception {
        client.to(engine).and("run", "--name", "web", "-v", "data:/data", "busybox", "sh", "-c",
                "touch /data/f /made; chown 1000:1000 /data/f /made").run().good();
        assertThat(docker("diff", "web").lines()).contains("A /made");
        client.to(engine).and("commit", "web", "committed").run().good();
        for (String mode : List.of("--userns=host", "--userns=")) {
            assertThat(client.to(engine).and("run", "--rm", mode, "-v", "data:/data", "committed", "stat", "-c", "%u:%g",
                    "/data/f", "/made", "/bin/busybox").run().good().lines()).containsExactly("1000:1000", "1000:1000", "0:0");
        }
        client.to(engine).and("rm", "web").run().good();
        client.to(engine).and("volume", "rm", "data").run().good();
        client.to(engine).and("rmi", "committed").run().good();
    }

    @ParameterizedTest
    @MethodSource("clients")
    void aBindSourceThatIsMadeIsWritable(Client client) throws Exception {
        Path made = Files.createTempDirectory(engine.directory(), "host-").resolve("new/dir");
        client.to(engine).and("run", "--rm", "-v", made + ":/in", "busybox", "touch", "/in/x").run().good();
        assertThat(made.resolve("x")).exists();
        assertThat(Files.getAttribute(made, "unix:uid")).isEqualTo((int) FIRST);
        assertThat(Files.getAttribute(made.getParent(), "unix:gid")).isEqualTo((int) FIRST);
    }

    @ParameterizedTest
    @MethodSource("clients")
    void whoSharesProcessesAndIpcSharesTheUsers(Client client) throws Exception {
        client.to(engine).and("run", "-d", "--name", "owner", "--ipc", "shareable", "busybox", "sleep", "600").run().good();
        client.to(engine).and("run", "-d", "--name", "guest", "--pid", "container:owner", "--ipc", "container:owner",
                "busybox", "sleep", "601").run().good();
        for (String kind : List.of("user", "pid", "ipc")) {
            assertThat(docker("exec", "guest", "readlink", "/proc/self/ns/" + kind).text())
                    .isEqualTo(docker("exec", "owner", "readlink", "/proc/self/ns/" + kind).text());
        }
        assertThat(docker("exec", "guest", "readlink", "/proc/self/ns/net").text())
                .isNotEqualTo(docker("exec", "owner", "readlink", "/proc/self/ns/net").text());
        docker("exec", "owner", "sh", "-c", "echo told > /dev/shm/x; chown 7 /dev/shm/x");
        assertThat(docker("exec", "guest", "sh", "-c", "cat /dev/shm/x; stat -c %u /dev/shm/x; ls /sys/class/net; "
                + "tr '\\0' . < /proc/1/cmdline").lines()).containsExactly("told", "7", "eth0", "lo", "sleep.600.");
        var refused = client.to(engine).and("run", "--rm", "--userns=host", "--pid", "container:owner", "busybox", "true")
                .run();
        assertThat(refused.err()).contains("it belongs to the users of container owner");
        client.to(engine).and("run", "-d", "--name", "hosts", "--userns=host", "busybox", "sleep", "600").run().good();
        assertThat(client.to(engine).and("run", "--rm", "--pid", "container:hosts", "busybox", "true").run().err())
                .contains("it has the host's users, who own it");
        client.to(engine).and("run", "-d", "--name", "other", "busybox", "sleep", "600").run().good();
        assertThat(client.to(engine).and("run", "--rm", "--pid", "container:owner", "--network", "container:other",
                "busybox", "true").run().err()).contains("each has users of its own");
    }

    @Test
    void everyContainerMayHaveIdsOfItsOwn() throws Exception {
        var carafe = Client.carafe();
        for (String name : List.of("one", "two")) {
            carafe.to(engine).and("run", "-d", "--name", name, "--userns=auto", "busybox", "sleep", "1000").run().good();
        }
        String one = docker("exec", "one", "cat", "/proc/self/uid_map").text().replaceAll(" +", " ").strip();
        String two = docker("exec", "two", "cat", "/proc/self/uid_map").text().replaceAll(" +", " ").strip();
        assertThat(one).isEqualTo("0 " + (FIRST + 65_536) + " 65536"); // behind those of all the others
        assertThat(two).isEqualTo("0 " + (FIRST + 2 * 65_536) + " 65536");
        assertThat(carafe.to(engine).and("run", "--rm", "--userns=keep-id:uid=1000,gid=1000", "busybox", "id", "-u").run()
                .good().text()).isEqualTo("1000");
    }

    @Test
    void stepsOfBuildsHaveTheSameUsers() throws Exception {
        Path context = Files.createDirectory(engine.directory().resolve("context"));
        Files.writeString(context.resolve("Dockerfile"),
                "FROM busybox\nRUN cat /proc/self/uid_map > /map && touch /made && chown 7 /made\n");
        Client.carafe().to(engine).and("build", "-t", "built", context.toString()).run().good();
        assertThat(docker("run", "--rm", "--userns=host", "built", "sh", "-c", "cat /map; stat -c %u /made").text()
                .replaceAll(" +", " ").strip()).isEqualTo("0 " + FIRST + " 65536\n7");
        docker("rmi", "built");
    }

    @Test
    void mountsOfStepsBelongToTheirUsers() throws Exception {
        Path context = Files.createDirectory(engine.directory().resolve("mounts"));
        Files.writeString(context.resolve("told"), "of the context");
        Files.writeString(context.resolve("Dockerfile"), """
                FROM busybox AS layers
                RUN mkdir /made && echo one > /made/one && chown 7:8 /made/one
                RUN echo two > /made/two && chown 9:10 /made/two && ln -s two /made/link
                FROM busybox
                RUN --mount=type=bind,from=layers,source=/made,target=/a --mount=type=bind,from=layers,source=/made/one,target=/b \
                    --mount=type=bind,from=layers,target=/whole --mount=type=bind,from=busybox,source=/bin,target=/c \
                    --mount=type=bind,from=layers,source=/made/link,target=/d --mount=type=bind,source=told,target=/e \
                    cat /a/one /a/two /b /d > /read && stat -c '%u:%g' /a/one /a/two /b /d /e /whole/made/two /c/busybox > /owners \
                    && ! touch /a/x && cat /e >> /read
                RUN --mount=type=bind,from=layers,source=/made,target=/a,rw touch /a/x && stat -c '%u:%g' /a/x /a/two >> /owners
                RUN --mount=type=cache,target=/cache,uid=5,gid=6,mode=0750 stat -c '%u:%g %a' /cache >> /owners \
                    && echo kept > /cache/f && chown 11:12 /cache/f
                RUN --mount=type=cache,target=/cache,uid=5,gid=6,mode=0750 stat -c '%u:%g' /cache/f >> /owners
                RUN --mount=type=cache,id=begun,from=layers,source=/made,target=/cache stat -c '%u:%g' /cache/one >> /owners
                RUN --mount=type=tmpfs,target=/memory touch /memory/f && stat -c '%u:%g' /memory /memory/f >> /owners
                USER 1000
                RUN --mount=type=tmpfs,target=/memory touch /memory/f
                """);
        Client.carafe().to(engine).and("build", "-t", "mounted", context.toString()).run().good();
        assertThat(docker("run", "--rm", "mounted", "cat", "/read").lines()).containsExactly("one", "two", "one", "two",
                "of the context");
        assertThat(docker("run", "--rm", "mounted", "cat", "/owners").lines()).containsExactly("7:8", "9:10", "7:8", "9:10",
                "0:0", "9:10", "0:0", "0:0", "9:10", "5:6 750", "11:12", "7:8", "0:0", "0:0");
        docker("rmi", "mounted");
    }

    @Test
    void networkNamesAndPublishedPortsWork() throws Exception {
        docker("network", "create", "users");
        docker("run", "-d", "--name", "server", "--network", "users", "-p", "127.0.0.1::80", "busybox", "sh", "-c",
                "echo hello > /tmp/index.html; exec httpd -f -p 80 -h /tmp");
        Deadline.await("the server answers", () -> Client.docker28().to(engine).and("run", "--rm", "--network", "users",
                "busybox", "wget", "-q", "-O", "-", "http://server/index.html").run().text().equals("hello"));
        try (var published = URI.create("http://" + docker("port", "server", "80").text() + "/index.html").toURL().openStream()) {
            assertThat(published).hasContent("hello");
        }
        docker("rm", "-f", "server");
        docker("network", "rm", "users");
    }
}
