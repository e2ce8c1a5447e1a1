package carafe.cli.command;

import java.io.IOException;
import java.util.Locale;

/// Asks before something is taken away.
final class Confirm {

    private static final int LONGEST = 100;

    private Confirm() {}

    /// Shows `warning` and waits for a line from standard input.
    /// @return true for `y` or `yes`
    static boolean ask(Call call, String warning) throws IOException {
        call.session().print(warning + "\nAre you sure you want to continue? [y/N] ");
        var line = new StringBuilder();
        for (int c = call.session().in().read(); c >= 0 && c != '\n' && line.length() < LONGEST; c = call.session().in().read()) {
            line.append((char) c);
        }
        String answer = line.toString().strip().toLowerCase(Locale.ROOT);
        return answer.equals("y") || answer.equals("yes");
    }
}
