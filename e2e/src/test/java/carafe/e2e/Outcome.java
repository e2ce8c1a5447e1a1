package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;

/// How a command ended: its exit code and all it wrote.
record Outcome(List<String> command, int code, String out, String err) {

    /// This outcome if the exit code is 0; fails the test with everything that is known otherwise.
    Outcome good() {
        return endedWith(0);
    }

    /// This outcome if the exit code is `expected`; fails the test with everything that is known otherwise.
    Outcome endedWith(int expected) {
        assertThat(code).as(this::toString).isEqualTo(expected);
        return this;
    }

    /// Standard output without the blanks around it.
    String text() {
        return out.strip();
    }

    /// Both streams, for what a client says on one and another on the other.
    String all() {
        return out + err;
    }

    /// The lines of standard output.
    List<String> lines() {
        return out.lines().toList();
    }

    @Override
    public String toString() {
        return "exit code of " + String.join(" ", command) + "\n--- out\n" + end(out) + "\n--- err\n" + end(err);
    }

    private static String end(String text) {
        return text.length() < 4000 ? text : "... " + text.substring(text.length() - 4000);
    }
}
