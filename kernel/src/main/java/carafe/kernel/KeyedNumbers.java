package carafe.kernel;

import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;

/// The kernel's small texts of numbers: `key value` lines, single numbers, `max`. What is no number is left out,
/// because these files grow new lines.
final class KeyedNumbers {

    private KeyedNumbers() {}

    static Map<String, Long> parse(String text) {
        var numbers = new HashMap<String, Long>();
        for (String line : text.split("\n")) {
            int blank = line.indexOf(' ');
            if (blank > 0) {
                try {
                    numbers.put(line.substring(0, blank), Long.parseUnsignedLong(line.substring(blank + 1).strip()));
                } catch (NumberFormatException notANumber) {
                    // a line of another kind
                }
            }
        }
        return numbers;
    }

    /// The number that is the whole text; 0 where it is none.
    static long number(String text) {
        return limit(text).orElse(0);
    }

    /// The number that is the whole text; empty for `max` or anything else.
    static OptionalLong limit(String text) {
        try {
            return text.isEmpty() || text.equals("max") ? OptionalLong.empty()
                    : OptionalLong.of(Long.parseUnsignedLong(text.strip()));
        } catch (NumberFormatException e) {
            return OptionalLong.empty();
        }
    }
}
