package carafe.cli.command;

/// Finds the command a mistyped word resembles.
final class Nearest {

    private static final int FARTHEST = 2;

    private Nearest() {}

    /// The nearest name of two menus by at most two edits, or one that begins with the word; empty when none is.
    static String to(String word, String[][] menu, String[][] second) {
        String best = "";
        int least = FARTHEST + 1;
        for (var entries : new String[][][] {menu, second}) {
            for (var entry : entries) {
                int edits = entry[0].startsWith(word) && word.length() > 1 ? 1 : edits(word, entry[0]);
                if (edits < least && edits < entry[0].length()) {
                    least = edits;
                    best = entry[0];
                }
            }
        }
        return best;
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
