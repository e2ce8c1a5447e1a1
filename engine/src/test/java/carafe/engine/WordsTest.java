package carafe.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.Json;
import carafe.spec.docker.ContainerConfig;
import carafe.spec.oci.RunConfig;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class WordsTest {

    private static final RunConfig IMAGE = new RunConfig(
            "app", "/srv", List.of("PATH=/image", "LANG=C"), List.of("/entry"), List.of("default"), Set.of("80/tcp"),
            Set.of("/data"), Map.of("from", "image", "both", "image"), "SIGQUIT", Optional.empty(), List.of(), List.of(),
            false);

    private static ContainerConfig merge(String asked) throws Exception {
        return ConfigMerge.merge(ContainerConfig.parse((Json.Obj) Json.parse(asked)), IMAGE);
    }

    @Test
    void theImageFillsInWhatTheClientLeftOpen() throws Exception {
        var config = merge("{\"Env\":[\"LANG=de\"],\"Labels\":{\"both\":\"client\"}}");
        assertThat(ConfigMerge.words(config)).containsExactly("/entry", "default");
        assertThat(config.command().environment()).containsExactly("LANG=de", "PATH=/image");
        assertThat(config.labels()).containsExactlyInAnyOrderEntriesOf(Map.of("from", "image", "both", "client"));
        assertThat(config.command().user()).isEqualTo("app");
        assertThat(config.command().workingDirectory()).isEqualTo("/srv");
        assertThat(config.stop().signal()).contains("SIGQUIT");
        assertThat(config.exposedPorts()).containsExactly("80/tcp");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "{\"Cmd\":[\"x\"]} | /entry x",
        "{\"Entrypoint\":[\"/mine\"]} | /mine",
        "{\"Entrypoint\":[\"/mine\"],\"Cmd\":[\"x\"]} | /mine x",
        "{\"Entrypoint\":[],\"Cmd\":[\"x\"]} | x",
        "{\"Entrypoint\":[\"\"],\"Cmd\":[\"x\"]} | x"})
    void entrypointAndCommandJoinAsInDocker(String asked, String words) throws Exception {
        assertThat(String.join(" ", ConfigMerge.words(merge(asked)))).isEqualTo(words);
    }

    @Test
    void anEmptyEntrypointWithoutACommandIsNothingToRun() {
        assertThatThrownBy(() -> merge("{\"Entrypoint\":[\"\"]}")).hasMessage("no command specified");
    }

    @ParameterizedTest
    @CsvSource({
        "0, Less than a second", "1, 1 second", "59, 59 seconds", "60, About a minute", "150, 2 minutes",
        "3599, 59 minutes", "3600, About an hour", "7200, 2 hours", "172800, 2 days", "1209600, 2 weeks",
        "5270400, 2 months", "94608000, 3 years"})
    void spansAreRoundedAsDockerRoundsThem(long seconds, String text) {
        assertThat(StatusText.span(Duration.ofSeconds(seconds))).isEqualTo(text);
    }

    @Test
    void statusTellsStateAndTime() {
        var now = Instant.parse("2026-01-02T03:04:05Z");
        var running = new State.Running(7, now.minusSeconds(180));
        var exited = new State.Exited(3, false, now.minusSeconds(90), now.minusSeconds(7200), Optional.empty());
        assertThat(StatusText.of(running, now)).isEqualTo("Up 3 minutes");
        assertThat(StatusText.of(new State.Paused(running), now)).isEqualTo("Up 3 minutes (Paused)");
        assertThat(StatusText.of(exited, now)).isEqualTo("Exited (3) 2 hours ago");
        assertThat(StatusText.of(new State.Restarting(exited, now), now)).isEqualTo("Restarting (3) 2 hours ago");
        assertThat(StatusText.of(new State.Created(Optional.empty()), now)).isEqualTo("Created");
    }

    @Test
    void generatedNamesAreValidAndMany() throws Exception {
        var names = new HashSet<String>();
        for (int round = 0; round < 1000; round++) {
            names.add(ContainerPlanner.checkName(NameGenerator.next(round % 8)));
        }
        assertThat(names).hasSizeGreaterThan(900);
    }

    @Test
    void psLinesAreKeptByTheirPid() throws Exception {
        var table = ProcessLister.parse("UID   PID  CMD\nroot    1  init  with words\nroot   12  sh -c x y\n", List.of(12));
        assertThat(table.titles()).containsExactly("UID", "PID", "CMD");
        assertThat(table.processes()).containsExactly(List.of("root", "12", "sh -c x y"));
        assertThatThrownBy(() -> ProcessLister.parse("UID CMD\n", List.of())).hasMessageContaining("PID field");
    }

    @Test
    void restartsWaitLongerAndLonger() {
        var delay = new RestartDelay();
        var start = Instant.EPOCH;
        var waits = new ArrayList<Long>();
        for (int round = 0; round < 12; round++) {
            waits.add(delay.after(start, start.plusSeconds(1)).toMillis());
        }
        assertThat(waits).startsWith(100L, 200L, 400L, 800L).endsWith(60_000L, 60_000L);
        assertThat(delay.after(start, start.plusSeconds(10))).isEqualTo(Duration.ofMillis(100));
    }

    @Test
    void deviceNumbersAreSplitAsTheKernelDoes() {
        assertThat(HostDevices.major(0x103)).isEqualTo(1);
        assertThat(HostDevices.minor(0x103)).isEqualTo(3);
    }
}
