package carafe.cli.format;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.spec.Json;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class TapeTest {

    private static Json.Obj tape(String micros) throws Exception {
        return Json.parseObject(("""
                {"steps":[
                {"id":"1","part":"monitor","call":"clone3","text":"clone3(CLONE_NEWPID|CLONE_NEWNS)","micros":%1$s,
                 "why":"Make the process in namespaces of its own.","man":"clone(2)"},
                {"id":"2","part":"child","call":"mount","text":"mount(\\"proc\\", \\"/proc\\")","micros":%1$s,
                 "why":"Show only the processes of this container, which takes a line that is long enough to be wrapped.",
                 "man":"proc(5)"}],"total_micros":%1$s}
                """).formatted(micros).getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void withoutTimesItIsAList() throws Exception {
        assertThat(Tape.text(tape("null"), false, 80)).isEqualTo("""
                The container's monitor
                   1  clone3(CLONE_NEWPID|CLONE_NEWNS)
                      Make the process in namespaces of its own. [clone(2)]

                The container's first process, until it becomes your program
                   2  mount("proc", "/proc")
                      Show only the processes of this container, which takes a line that is long
                      enough to be wrapped. [proc(5)]

                2 steps
                """);
    }

    @Test
    void timesStandBeforeTheCalls() throws Exception {
        assertThat(Tape.text(tape("3.14"), false, 80)).contains("   1    3.1 µs  clone3(").endsWith("2 steps in 3.1 µs\n");
        assertThat(Tape.text(tape("1230"), false, 80))
                .contains("The container's monitor  1.23 ms\n   1   1.23 ms  clone3(")
                .endsWith("2 steps in 1.23 ms\n");
    }

    @Test
    void colourIsOnlyThereWhenWanted() throws Exception {
        assertThat(Tape.text(tape("5"), true, 80)).contains("\u001b[36mclone3(");
        assertThat(Tape.text(tape("5"), false, 80)).doesNotContain("\u001b");
    }
}
