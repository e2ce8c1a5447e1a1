package carafe.files;

import carafe.spec.EngineException;
import java.util.Locale;

/// Sizes as people write them: a number, then k, m, g, t or p in powers of 1024, then an optional `b` or `ib`.
public final class Sizes {

    private static final String LETTERS = "kmgtp";

    private Sizes() {}

    /// The bytes; `prefix` begins the sentence of a refusal.
    public static long parse(String prefix, String text) throws EngineException.Invalid {
        String bare = text.strip().toLowerCase(Locale.ROOT).replaceAll("i?b$", "").strip();
        int letter = bare.isEmpty() ? -1 : LETTERS.indexOf(bare.charAt(bare.length() - 1));
        String number = letter < 0 ? bare : bare.substring(0, bare.length() - 1).strip();
        try {
            double value = Double.parseDouble(number) * Math.pow(1024, letter + 1);
            if (value >= 0 && value < Long.MAX_VALUE && number.matches("[0-9.]+")) {
                return (long) value;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw new EngineException.Invalid(prefix + "invalid size: '" + text + "'");
    }
}
