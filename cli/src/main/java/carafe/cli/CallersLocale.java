package carafe.cli;

import java.util.HashMap;
import java.util.Map;

/// The locale of whoever gave the command. This JVM runs in C.UTF-8, since names of files and words are bytes of UTF-8
/// (libexec/carafe sees to that); variables that the command passes on, and programs that it starts, have the caller's.
final class CallersLocale {

    private static final String VARIABLE = "LC_ALL";

    private CallersLocale() {}

    /// What the caller's `LC_ALL` was: empty if it was not set, else its value behind `=`. Not said when another program
    /// than our own started the JVM.
    private static final String SAID = System.getProperty("carafe.locale", VARIABLE);

    /// The variables that the caller had.
    static Map<String, String> environment() {
        var environment = new HashMap<>(System.getenv());
        restore(environment, SAID);
        return Map.copyOf(environment);
    }

    /// `process` with the caller's locale.
    static ProcessBuilder in(ProcessBuilder process) {
        restore(process.environment(), SAID);
        return process;
    }

    static void restore(Map<String, String> environment, String said) {
        if (said.startsWith("=")) {
            environment.put(VARIABLE, said.substring(1));
        } else if (said.isEmpty()) {
            environment.remove(VARIABLE);
        }
    }
}
