package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import org.junit.jupiter.api.Test;

/// Starting and stopping the daemon itself: one clear sentence for each bad day.
class CarafedTest {

    private static void isOneClearError(Outcome outcome, String... words) {
        assertThat(outcome.code()).as(outcome.toString()).isNotZero();
        assertThat(outcome.all()).contains(words).doesNotContain("\tat ", "Exception");
        assertThat(outcome.all().lines().count()).as(outcome.toString()).isLessThanOrEqualTo(3);
    }

    @Test
    void severalRunSideBySide() throws Exception {
        try (var one = new CarafeDaemon(); var two = new CarafeDaemon()) {
            one.start();
            two.start();
            String archive = TestImages.dockerArchive(one.directory()).toString();
            Client.docker28().to(one).and("load", "-i", archive).run().good();
            String id = Client.docker28().to(one).and("create", "--name", "same", "busybox").run().good().text();
            assertThat(Client.docker28().to(two).and("ps", "-aq").run().good().text()).isEmpty();
            Client.docker28().to(one).and("rm", id).run().good();
        }
    }

    @Test
    void itStopsWhenAskedAndTakesItsSocketAndPidFileAlong() throws Exception {
        try (var engine = new CarafeDaemon()) {
            engine.start();
            assertThat(Files.readString(engine.directory().resolve("pid")).strip())
                    .isEqualTo(Long.toString(engine.pid()));
            assertThat(engine.stop()).isZero();
            assertThat(engine.socket()).doesNotExist();
            assertThat(engine.directory().resolve("pid")).doesNotExist();
        }
    }

    @Test
    void theSocketOfADeadDaemonIsReplaced() throws Exception {
        try (var engine = new CarafeDaemon()) {
            engine.start();
            engine.kill();
            assertThat(engine.socket()).exists();
            engine.start();
            Client.docker28().to(engine).and("version").run().good();
        }
    }

    @Test
    void stateIsForRootOnly() throws Exception { // CVE-2021-41091
        try (var engine = new CarafeDaemon()) {
            engine.start();
            assertThat(Files.getAttribute(engine.dataRoot(), "unix:mode")).isEqualTo(040700);
            assertThat((int) Files.getAttribute(engine.socket(), "unix:mode") & 0777).isEqualTo(0660);
            try (var parts = Files.list(engine.execRoot())) {
                for (var part : parts.filter(Files::isDirectory).toList()) {
                    assertThat((int) Files.getAttribute(part, "unix:mode") & 0777).as(part.toString()).isEqualTo(0700);
                }
            }
        }
    }

    @Test
    void aSecondOneIsRefused() throws Exception {
        try (var engine = new CarafeDaemon()) {
            engine.start();
            isOneClearError(Command.of(engine.daemonCommand()).run(), "error:", "already runs");
            Client.docker28().to(engine).and("version").run().good();
        }
    }

    @Test
    void anUnknownFlagIsNamed() throws Exception {
        isOneClearError(Command.of(Tools.ours("carafed").toString(), "--data-rot", "/nowhere").run(), "--data-rot");
    }

    @Test
    void anUnknownKeyOfTheConfigurationIsNamed() throws Exception {
        try (var engine = new CarafeDaemon()) {
            var file = Files.writeString(engine.directory().resolve("daemon.json"), "{\"data-rot\": \"/nowhere\"}");
            isOneClearError(
                    Command.of(engine.daemonCommand()).and("--config-file", file.toString()).run(),
                    "data-rot", "data-root");
        }
    }

    @Test
    void withoutRootItSaysSo() throws Exception {
        try (var engine = new CarafeDaemon()) {
            var words = new java.util.ArrayList<>(
                    java.util.List.of("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"));
            words.addAll(engine.daemonCommand());
            isOneClearError(Command.of(words).run(), "root");
        }
    }

    @Test
    void theClientSaysThatNobodyAnswers() throws Exception {
        try (var engine = new CarafeDaemon()) {
            var refused = Client.docker28().to(engine).and("ps").run().endedWith(1);
            assertThat(refused.err()).contains("Cannot connect to the Docker daemon at " + engine.host());
        }
    }
}
