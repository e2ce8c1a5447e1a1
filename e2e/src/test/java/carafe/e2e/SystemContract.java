package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// The daemon itself: `version`, `info`, `events`, `_ping`, and answers to what it does not know.
abstract class SystemContract extends Contract {

    SystemContract(DockerCommandContract whole) {
        super(whole);
    }

    @Test
    void pingAnswersWithItsHeaderFields() throws Exception {
        String answer = RawHttp.get(engine().socket(), "/_ping");
        assertThat(answer).startsWith("HTTP/1.1 200 OK\r\n").endsWith("\r\n\r\nOK");
        assertThat(answer)
                .containsPattern("(?i)\r\nApi-Version: 1\\.\\d\\d\r\n")
                .containsPattern("(?i)\r\nOstype: linux\r\n")
                .containsPattern("(?i)\r\nServer: Docker/[^ ]+ \\(linux\\)\r\n")
                .containsPattern("(?i)\r\nDocker-Experimental: false\r\n")
                .containsPattern("(?i)\r\nCache-Control: no-cache, no-store, must-revalidate\r\n")
                .containsPattern("(?i)\r\nContent-Type: text/plain");
    }

    @Test
    void pingByHeadHasNoBody() throws Exception {
        String answer = RawHttp.request(engine().socket(), "HEAD", "/v1.41/_ping");
        assertThat(answer).startsWith("HTTP/1.1 200 OK\r\n").endsWith("\r\n\r\n")
                .containsPattern("(?i)Api-Version: 1\\.");
    }

    @Test
    void anUnknownPathIsNotFound() throws Exception {
        assertThat(RawHttp.get(engine().socket(), "/nosuchpath"))
                .startsWith("HTTP/1.1 404")
                .contains("{\"message\":\"page not found\"}");
    }

    @Test
    void versionsOutsideTheRangeAreRefused() throws Exception {
        assertThat(RawHttp.get(engine().socket(), "/v9.99/version"))
                .startsWith("HTTP/1.1 400")
                .contains("client version 9.99 is too new. Maximum supported API version is 1.");
        assertThat(RawHttp.get(engine().socket(), "/v1.41/version")).startsWith("HTTP/1.1 200");
    }

    @Test
    void anErrorIsOneJsonMessage() throws Exception {
        assertThat(RawHttp.get(engine().socket(), "/containers/nosuch/json"))
                .startsWith("HTTP/1.1 404")
                .containsPattern("(?i)Content-Type: application/json")
                .contains("{\"message\":\"No such container: nosuch\"}");
    }

    @Test
    void severalRequestsShareAConnection() throws Exception {
        String request = "GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n";
        String last = "GET /_ping HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n";
        assertThat(RawHttp.send(engine().socket(), request + request + last).split("HTTP/1.1 200 OK", -1)).hasSize(4);
    }

    @Test
    void versionNamesBothSides() throws Exception {
        var version = docker("version").text();
        assertThat(version).contains("Client:", "Server:", "API version:", "OS/Arch:");
        assertThat(docker("version", "--format", "{{.Server.Os}} {{.Server.Arch}} {{.Server.APIVersion}}").text())
                .matches("linux amd64 1\\.\\d\\d");
    }

    @Test
    void infoCountsContainers() throws Exception {
        background("alive", "sleep 1000");
        docker("create", "--name", "unborn", IMAGE);
        assertThat(docker("info", "--format",
                        "{{.Containers}} {{.ContainersRunning}} {{.ContainersPaused}} {{.ContainersStopped}}")
                .text()).isEqualTo("2 1 0 1");
        assertThat(docker("info", "--format", "{{.OSType}} {{.DockerRootDir}}").text())
                .isEqualTo("linux " + engine().dataRoot());
        assertThat(docker("info").text()).contains("Server Version:", "Cgroup Version:", "Total Memory:");
    }

    @Test
    void eventsTellTheWholeLife() throws Exception {
        String begin = Long.toString(System.currentTimeMillis() / 1000);
        failing(3, "run", "--rm", "--name", "lived", IMAGE, "sh", "-c", "exit 3");
        Deadline.await("it is gone", () -> docker("ps", "-aq").text().isEmpty());
        var events = docker("events", "--since", begin, "--until", Long.toString(System.currentTimeMillis() / 1000 + 1),
                "--filter", "container=lived", "--format", "{{.Action}} {{.Actor.Attributes.exitCode}}").lines();
        assertThat(events).contains("create <no value>", "attach <no value>", "start <no value>", "die 3");
        assertThat(events.stream().map(line -> line.split(" ")[0]).filter(a -> !a.equals("attach")).toList())
                .containsSubsequence("create", "start", "die", "destroy");
    }

    @Test
    void eventsComeAsTheyHappen() throws Exception {
        try (var events = command("events", "--filter", "event=start", "--filter", "event=die", "--format",
                "{{.Type}} {{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.image}}").start()) {
            // Nothing tells that the client listens: containers are started until it says so.
            Deadline.await("the first event arrives", () -> {
                docker("run", "--rm", "--name", "beat", IMAGE, "true");
                return events.out().contains("container start beat busybox\n");
            });
            events.expect("container die beat busybox\n");
        }
    }

    @Test
    void aSecondDaemonOnTheSameDirectoriesIsRefused() throws Exception {
        var second = Command.of(engine().daemonCommand());
        for (var variable : engine().daemonEnvironment().entrySet()) {
            second = second.with(variable.getKey(), variable.getValue());
        }
        var refused = second.run();
        assertThat(refused.code()).isNotZero();
        assertThat(refused.err() + refused.out()).isNotBlank();
        docker("version");
    }
}
