package carafe.spec.docker;

import carafe.spec.EngineException.Invalid;
import java.util.Locale;

/// Sizes as people write them to Docker: `32m`, `1.5GiB`. Source: RAMInBytes of docker/go-units.
public final class ByteSizes {

    private static final String UNITS = "kmgtp";

    private ByteSizes() {}

    /// The bytes of a size; units are powers of 1024 in any case, with `b` or `ib` behind if wanted.
    public static long parse(String typed) throws Invalid {
        int end = typed.length();
        while (end > 0 && !isNumeric(typed.charAt(end - 1)) && typed.charAt(end - 1) != ' ') {
            end--;
        }
        String unit = typed.substring(end).toLowerCase(Locale.ROOT);
        String digits = end > 0 && typed.charAt(end - 1) == ' ' ? typed.substring(0, end - 1) : typed.substring(0, end);
        int power = unit.isEmpty() || unit.equals("b") ? 0 : UNITS.indexOf(unit.charAt(0)) + 1;
        boolean known = unit.isEmpty() || unit.equals("b")
                || power > 0 && (unit.length() == 1 || unit.substring(1).equals("b") || unit.substring(1).equals("ib"));
        if (digits.isEmpty() || !known) {
            throw new Invalid(digits.isEmpty() ? "invalid size: '" + typed + "'" : "invalid suffix: '" + unit + "'");
        }
        try {
            double amount = Double.parseDouble(digits);
            if (amount < 0) {
                throw new Invalid("invalid size: '" + typed + "'");
            }
            return (long) (amount * (double) (1L << (10 * power)));
        } catch (NumberFormatException e) {
            throw new Invalid("invalid size: '" + typed + "'");
        }
    }

    private static boolean isNumeric(char c) {
        return c >= '0' && c <= '9' || c == '.';
    }
}
