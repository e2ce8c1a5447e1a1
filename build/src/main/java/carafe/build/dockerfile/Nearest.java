package carafe.build.dockerfile;

import java.util.Collection;
import java.util.Locale;
import java.util.Optional;

/// Finds the word that somebody who mistyped may have meant.
public final class Nearest {

    private Nearest() {}

    /// The one of `known` that is few letters away from `word`, whatever their case.
    public static Optional<String> of(String word, Collection<String> known) {
        String typed = word.toLowerCase(Locale.ROOT);
        Optional<String> best = Optional.empty();
        int least = Integer.MAX_VALUE;
        for (String candidate : known) {
            if (Math.abs(candidate.length() - typed.length()) > 3 || candidate.length() > 64
                    || candidate.equals(word)) {
                continue;
            }
            int distance = distance(typed, candidate.toLowerCase(Locale.ROOT));
            if (distance < least && distance <= limit(candidate)) {
                least = distance;
                best = Optional.of(candidate);
            }
        }
        return best;
    }

    private static int limit(String candidate) {
        return candidate.length() < 5 ? 1 : Math.max(2, candidate.length() / 3);
    }

    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int above = row[j];
                int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                row[j] = Math.min(Math.min(row[j] + 1, row[j - 1] + 1), diagonal + change);
                diagonal = above;
            }
        }
        return row[b.length()];
    }
}
