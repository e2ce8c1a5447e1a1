package carafe.build.step;

/// Permission bits as --chmod writes them: octal, or clauses like `u=rwX,go-w` or `g=u`. The planner has checked the form.
/// Source: chmod(1) of FreeBSD, which the Dockerfile reference names: `X` looks at the bits before all clauses.
record FileMode(String text) {

    private static final int ALL = 07777;
    private static final int EXECUTE = 0111;

    /// The bits of a file or directory that had `before`.
    int apply(int before, boolean directory) {
        if (text.matches("0*[0-7]{1,4}")) {
            return Integer.parseInt(text, 8);
        }
        int anyExecute = directory || (before & EXECUTE) != 0 ? EXECUTE : 0;
        int mode = before;
        for (String clause : text.split(",")) {
            mode = clause(clause, mode, anyExecute);
        }
        return mode;
    }

    /// Whose bits, then operators, each with its bits: `go=u-w`.
    private static int clause(String clause, int before, int anyExecute) {
        int at = 0;
        int who = 0;
        while ("ugoa".indexOf(clause.charAt(at)) >= 0) {
            who |= switch (clause.charAt(at++)) {
                case 'u' -> 04700;
                case 'g' -> 02070;
                case 'o' -> 01007;
                default -> ALL;
            };
        }
        who = who == 0 ? ALL : who;
        int mode = before;
        while (at < clause.length()) {
            char operator = clause.charAt(at++);
            int bits = 0;
            for (; at < clause.length() && "-+=".indexOf(clause.charAt(at)) < 0; at++) {
                bits |= bits(clause.charAt(at), mode, anyExecute);
            }
            int chosen = bits & who;
            mode = switch (operator) {
                case '+' -> mode | chosen;
                case '-' -> mode & ~chosen;
                default -> mode & ~who | chosen;
            };
        }
        return mode;
    }

    private static int bits(char letter, int mode, int anyExecute) {
        return switch (letter) {
            case 'r' -> 0444;
            case 'w' -> 0222;
            case 'x' -> EXECUTE;
            case 'X' -> anyExecute;
            case 's' -> 06000;
            case 't' -> 01000;
            case 'u' -> EXECUTE * (mode >> 6 & 7);
            case 'g' -> EXECUTE * (mode >> 3 & 7);
            default -> EXECUTE * (mode & 7);
        };
    }
}
