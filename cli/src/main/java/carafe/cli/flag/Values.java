package carafe.cli.flag;

import carafe.spec.EngineException;
import carafe.spec.docker.ByteSizes;
import java.math.BigDecimal;
import java.math.RoundingMode;

/// Readers of the values flags take; each refuses with the sentence Docker's users know.
public final class Values {

    private Values() {}

    /// `true` or `false` in any of the spellings Go reads.
    public static String bool(String typed) throws FlagException {
        return switch (typed) {
            case "1", "t", "T", "true", "TRUE", "True" -> "true";
            case "0", "f", "F", "false", "FALSE", "False" -> "false";
            default -> throw new FlagException("strconv.ParseBool: parsing " + quote(typed) + ": invalid syntax");
        };
    }

    /// A whole number of 64 bits.
    public static String integer(String typed) throws FlagException {
        return whole(typed, "ParseInt", Long.MIN_VALUE, Long.MAX_VALUE);
    }

    /// A whole number of 16 bits without sign.
    public static String uint16(String typed) throws FlagException {
        return whole(typed, "ParseUint", 0, 65535);
    }

    private static String whole(String typed, String reader, long least, long most) throws FlagException {
        try {
            long number = typed.startsWith("0x") ? Long.parseLong(typed, 2, typed.length(), 16) : Long.parseLong(typed);
            if (number < least && least == 0) {
                throw new NumberFormatException();
            }
            if (number > most) {
                throw new FlagException("strconv." + reader + ": parsing " + quote(typed) + ": value out of range");
            }
            return Long.toString(number);
        } catch (NumberFormatException e) {
            boolean digits = typed.length() > 18 && typed.chars().skip(1).allMatch(c -> c >= '0' && c <= '9');
            throw new FlagException("strconv." + reader + ": parsing " + quote(typed)
                    + (digits ? ": value out of range" : ": invalid syntax"));
        }
    }

    /// A size such as `32m` or `1.5GiB`, in bytes.
    public static String bytes(String typed) throws FlagException {
        return Long.toString(size(typed));
    }

    /// As [#bytes], and `-1` for no limit.
    public static String bytesOrUnlimited(String typed) throws FlagException {
        return typed.equals("-1") ? typed : bytes(typed);
    }

    /// The bytes of a size such as `32m`; units are powers of 1024 in any case, with `b` or `ib` behind if wanted.
    public static long size(String typed) throws FlagException {
        try {
            return ByteSizes.parse(typed);
        } catch (EngineException.Invalid e) {
            throw new FlagException(String.valueOf(e.getMessage()));
        }
    }

    private static boolean isNumeric(char c) {
        return c >= '0' && c <= '9' || c == '.';
    }

    /// A span of time as Go writes it (`1h30m`, `500ms`), in nanoseconds.
    public static String duration(String typed) throws FlagException {
        return Long.toString(nanoseconds(typed));
    }

    /// The nanoseconds of a span of time as Go writes it.
    public static long nanoseconds(String typed) throws FlagException {
        int at = 0;
        boolean negative = typed.startsWith("-");
        if (negative || typed.startsWith("+")) {
            at = 1;
        }
        if (typed.substring(at).equals("0")) {
            return 0;
        }
        double sum = 0;
        if (at == typed.length()) {
            throw new FlagException("time: invalid duration " + quote(typed));
        }
        while (at < typed.length()) {
            int digits = at;
            while (at < typed.length() && isNumeric(typed.charAt(at))) {
                at++;
            }
            int unitAt = at;
            while (at < typed.length() && !isNumeric(typed.charAt(at))) {
                at++;
            }
            String unit = typed.substring(unitAt, at);
            if (digits == unitAt) {
                throw new FlagException("time: invalid duration " + quote(typed));
            }
            if (unit.isEmpty()) {
                throw new FlagException("time: missing unit in duration " + quote(typed));
            }
            try {
                sum += Double.parseDouble(typed.substring(digits, unitAt)) * unitNanoseconds(unit, typed);
            } catch (NumberFormatException e) {
                throw new FlagException("time: invalid duration " + quote(typed));
            }
        }
        if (sum > Long.MAX_VALUE) {
            throw new FlagException("time: invalid duration " + quote(typed));
        }
        return negative ? -(long) sum : (long) sum;
    }

    private static double unitNanoseconds(String unit, String typed) throws FlagException {
        return switch (unit) {
            case "ns" -> 1;
            case "us", "µs", "μs" -> 1e3;
            case "ms" -> 1e6;
            case "s" -> 1e9;
            case "m" -> 60e9;
            case "h" -> 3600e9;
            default -> throw new FlagException("time: unknown unit " + quote(unit) + " in duration " + quote(typed));
        };
    }

    /// A number of CPUs (`0.5`, `3/2`), in billionths.
    public static String cpus(String typed) throws FlagException {
        try {
            int slash = typed.indexOf('/');
            var amount = slash < 0
                    ? new BigDecimal(typed)
                    : new BigDecimal(typed.substring(0, slash))
                            .divide(new BigDecimal(typed.substring(slash + 1)), 12, RoundingMode.DOWN);
            var nanos = amount.movePointRight(9);
            if (nanos.stripTrailingZeros().scale() > 0) {
                throw new FlagException("value is too precise");
            }
            return Long.toString(nanos.longValueExact());
        } catch (ArithmeticException | NumberFormatException e) {
            throw new FlagException("failed to parse " + typed + " as a rational number");
        }
    }

    /// `key=value`, as filters are written.
    public static String filter(String typed) throws FlagException {
        if (typed.isEmpty() || typed.indexOf('=') > 0) {
            return typed;
        }
        throw new FlagException("bad format of filter (expected name=value)");
    }

    /// `text` in double quotes with Go's escapes.
    public static String quote(String text) {
        var quoted = new StringBuilder(text.length() + 2).append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"', '\\' -> quoted.append('\\').append(c);
                case '\n' -> quoted.append("\\n");
                case '\t' -> quoted.append("\\t");
                case '\r' -> quoted.append("\\r");
                default -> {
                    if (c < ' ' || c == 0x7f) {
                        quoted.append("\\x").append(Character.forDigit(c >> 4, 16)).append(Character.forDigit(c & 15, 16));
                    } else {
                        quoted.append(c);
                    }
                }
            }
        }
        return quoted.append('"').toString();
    }
}
