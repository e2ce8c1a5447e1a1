package carafe.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.cli.session.TestSession;
import carafe.http.Address;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EngineStartTest {

    @TempDir
    Path directory;

    private final TestSession caller = new TestSession();

    private EngineStart starting(String script) throws Exception {
        Path daemon = directory.resolve("daemon");
        Files.writeString(daemon, "#!/bin/sh\n" + script + "\n");
        Files.setPosixFilePermissions(daemon, PosixFilePermissions.fromString("rwx------"));
        return new EngineStart(caller.session(), daemon.toString(), directory.resolve("data"));
    }

    private Address.Unix socket() {
        return new Address.Unix(directory.resolve("s"));
    }

    @Test
    void returnsOnceTheDaemonListensAndSaysSoInOneLine() throws Exception {
        try (var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            Path early = directory.resolve("early");
            server.bind(UnixDomainSocketAddress.of(early));
            // The daemon's own session is its process id; its streams are the null device and the log.
            var start = starting("echo sid $(cut -d' ' -f6 /proc/$$/stat) of $$; mv " + early + " " + socket().path());
            assertThat(start.start(socket())).isTrue();
        }
        Path log = directory.resolve("data/carafed.log");
        assertThat(caller.errors()).isEqualTo("started the engine in the background (log: " + log + ")\n");
        assertThat(Files.readString(log)).matches("sid (\\d+) of \\1\n");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(log.getParent()))).isEqualTo("rwx------");
    }

    @Test
    void aDaemonThatEndsIsQuoted() throws Exception {
        var start = starting("echo error: no overlay here >&2; exit 3");
        assertThatThrownBy(() -> start.start(socket())).isInstanceOf(IOException.class)
                .hasMessageStartingWith("the engine did not start (exit code 3); the end of its log, ")
                .hasMessageEndingWith(":\n  error: no overlay here");
    }

    @Test
    void nothingIsStartedWithoutADaemonOrAgainstTheCallersWill() throws Exception {
        assertThat(new EngineStart(caller.session(), "", directory).start(socket())).isFalse();
        assertThat(new EngineStart(caller.session(), "/nonexistent", directory).start(socket())).isFalse();
        caller.environment.put("CARAFE_NO_START", "1");
        assertThat(starting("exit 3").start(socket())).isFalse();
        assertThat(directory.resolve("data")).doesNotExist();
    }
}
