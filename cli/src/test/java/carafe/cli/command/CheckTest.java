package carafe.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// `system check`: what is wrong on the host.
class CheckTest extends CommandScene {

    private static final String SUMMARY = "Checked 2 layers and 3 blobs, 10B\n";

    private void answers(String host) {
        engine.on("POST /system/check", 200,
                "{\"Blobs\":3,\"Layers\":2,\"Bytes\":10,\"Problems\":[],\"Host\":[" + host + "]}");
    }

    @Test
    void whatIsWrongOnTheHostIsToldAndAFailure() {
        answers("{\"Kind\":\"volumes\",\"Name\":\"/v\",\"Fault\":\"it has no mark\",\"Repaired\":false}");
        assertThat(run("system", "check")).isEqualTo(1);
        assertThat(caller.output()).isEqualTo("wrong: volumes /v: it has no mark\n" + SUMMARY);
        assertThat(caller.errors()).as("its text says what to do")
                .isEqualTo("1 thing of the engine's on this host is not as it should be\n");
        answers("{\"Kind\":\"bridge\",\"Name\":\"b\",\"Fault\":\"it is missing\",\"Repaired\":false}");
        assertThat(run("system", "check")).isEqualTo(1);
        assertThat(caller.errors()).endsWith(
                "1 thing of the engine's on this host is not as it should be\n  try:  carafe system check --repair\n");
    }

    @Test
    void theDirectoryOfVolumesIsTakenOnlyWhenSomebodySaysSo() {
        answers("");
        assertThat(run("system", "check", "--repair")).isZero();
        assertThat(run("system", "check", "--take-volumes")).isZero();
        assertThat(engine.asked).containsExactly("POST /system/check?repair=1", "POST /system/check?take-volumes=1");
    }

    @Test
    void whatWasRepairedIsTold() {
        answers("{\"Kind\":\"volumes\",\"Name\":\"/v\",\"Fault\":\"it has no mark\",\"Repaired\":true}");
        assertThat(run("system", "check", "--repair")).isZero();
        assertThat(caller.output()).isEqualTo("repaired: volumes /v: it has no mark\n" + SUMMARY);
    }

    @Test
    void anEngineThatKnowsNothingOfItsHostIsNoFailure() {
        engine.on("POST /system/check", 200, "{\"Blobs\":3,\"Layers\":2,\"Bytes\":10,\"Problems\":[]}");
        assertThat(run("system", "check")).isZero();
        assertThat(caller.output()).isEqualTo(SUMMARY);
    }
}
