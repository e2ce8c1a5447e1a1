package carafe.build.step;

/// Permission bits as --chmod writes them: octal, or clauses like `u=rwX,go-w`. The planner has checked the form.
record FileMode(String text) {

    /// The bits of a file or directory that had `before`.
    int apply(int before, boolean directory) {
        if (text.matches("[0-7]{1,4}")) {
            return Integer.parseInt(text, 8);
        }
        int mode = before;
        for (String clause : text.split(",")) {
            mode = clause(clause, mode, directory);
        }
        return mode;
    }

    private static int clause(String clause, int before, boolean directory) {
        int at = 0;
        int who = 0;
        while ("ugoa".indexOf(clause.charAt(at)) >= 0) {
            who |= switch (clause.charAt(at++)) {
                case 'u' -> 04700;
                case 'g' -> 02070;
                case 'o' -> 01007;
                default -> 07777;
            };
        }
        who = who == 0 ? 07777 : who;
        char operator = clause.charAt(at++);
        int bits = 0;
        for (; at < clause.length(); at++) {
            bits |= switch (clause.charAt(at)) {
                case 'r' -> 0444;
                case 'w' -> 0222;
                case 'x' -> 0111;
                case 'X' -> directory || (before & 0111) != 0 ? 0111 : 0;
                case 's' -> 06000;
                default -> 01000;
            };
        }
        int chosen = bits & who;
        return switch (operator) {
            case '+' -> before | chosen;
            case '-' -> before & ~chosen;
            default -> before & ~(who & 0777 | who & 07000) | chosen;
        };
    }
}
