package carafe.cli.command;

/// Finds the command a mistyped word resembles.
final class Nearest {

    private static final int SHORT = 4;

    private Nearest() {}

    /// The nearest name of menus by at most two edits (one for short words), or one that begins with the word; of
    /// equally near ones that which shares the longer beginning. Empty when none is near.
    static String to(String word, String[][]... menus) {
        String best = "";
        int least = word.length() < SHORT ? 2 : 3;
        for (var entries : menus) {
            for (var entry : entries) {
                int edits = entry[0].startsWith(word) && word.length() > 1 ? 1 : edits(word, entry[0]);
                boolean nearer = edits < least
                        || edits == least && !best.isEmpty() && shared(word, entry[0]) > shared(word, best);
                if (nearer && edits < entry[0].length()) {
                    least = edits;
                    best = entry[0];
                }
            }
        }
        return best;
    }

    private static int shared(String a, String b) {
        int at = 0;
        while (at < a.length() && at < b.length() && a.charAt(at) == b.charAt(at)) {
            at++;
        }
        return at;
    }

    /// Insertions, deletions and replacements between two words. Source: Wagner and Fischer, 1974.
    private static int edits(String a, String b) {
        var row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
