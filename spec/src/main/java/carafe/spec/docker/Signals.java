package carafe.spec.docker;

import carafe.spec.EngineException;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Names and numbers of Linux signals, as x86 and ARM number them. Source: signal(7).
public final class Signals {
    /// What a terminal sends for Ctrl-C.
    public static final int SIGINT = 2;
    /// What a terminal sends for Ctrl-\.
    public static final int SIGQUIT = 3;
    /// Ask to end.
    public static final int SIGTERM = 15;
    /// End without asking.
    public static final int SIGKILL = 9;

    private static final int RTMIN = 34;
    private static final int RTMAX = 64;
    private static final List<String> NAMES = List.of(
            "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
            "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM",
            "PROF", "WINCH", "IO", "PWR", "SYS");
    private static final Map<String, Integer> NUMBERS = numbers();

    private Signals() {}

    private static Map<String, Integer> numbers() {
        var numbers = new HashMap<String, Integer>();
        for (int number = 1; number < NAMES.size(); number++) {
            numbers.put(NAMES.get(number), number);
        }
        numbers.put("IOT", 6);
        numbers.put("CLD", 17);
        numbers.put("POLL", 29);
        numbers.put("UNUSED", 31);
        numbers.put("RTMIN", RTMIN);
        numbers.put("RTMAX", RTMAX);
        for (int step = 1; step <= 15; step++) {
            numbers.put("RTMIN+" + step, RTMIN + step);
            numbers.put("RTMAX-" + step, RTMAX - step);
        }
        return Map.copyOf(numbers);
    }

    /// The number of a signal given as a number or as a name in any case, with or without SIG.
    public static int number(String signal) throws EngineException.Invalid {
        String name = signal.strip().toUpperCase(Locale.ROOT);
        if (!name.isEmpty() && name.length() <= 3 && name.chars().allMatch(c -> c >= '0' && c <= '9')) {
            int number = Integer.parseInt(name);
            if (number >= 1 && number <= RTMAX) {
                return number;
            }
        }
        Integer number = NUMBERS.get(name.startsWith("SIG") ? name.substring(3) : name);
        if (number == null) {
            throw new EngineException.Invalid("invalid signal: " + signal);
        }
        return number;
    }

    /// The name with SIG, or empty for a number without a name of its own.
    public static Optional<String> name(int number) {
        return number >= 1 && number < NAMES.size() ? Optional.of("SIG" + NAMES.get(number)) : Optional.empty();
    }
}
