package carafe.build.dockerfile;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// A shell pattern of `*`, `?` and escaped characters, for the substitutions that cut or replace. Matching is linear in
/// text times pattern, whatever the pattern.
final class Glob {

    private static final int ANY = -1;
    private static final int MANY = -2;
    private static final long MAX_WORK = 200_000_000L;

    private final int[] parts;

    private Glob(List<Integer> parts) {
        this.parts = parts.stream().mapToInt(Integer::intValue).toArray();
    }

    static Glob of(String pattern, char escape) {
        var parts = new ArrayList<Integer>();
        for (int i = 0; i < pattern.length(); i++) {
            char c = pattern.charAt(i);
            if (c == escape && i + 1 < pattern.length()) {
                parts.add((int) pattern.charAt(++i));
            } else {
                parts.add(c == '*' ? MANY : c == '?' ? ANY : (int) c);
            }
        }
        return new Glob(parts);
    }

    private Glob reversed() {
        var turned = new ArrayList<Integer>();
        for (int part : parts) {
            turned.add(part);
        }
        Collections.reverse(turned);
        return new Glob(turned);
    }

    /// `text` without the shortest or longest beginning that matches.
    String withoutPrefix(String text, boolean longest) {
        int length = match(text, 0, longest);
        return length < 0 ? text : text.substring(length);
    }

    /// `text` without the shortest or longest end that matches.
    String withoutSuffix(String text, boolean longest) {
        String turned = new StringBuilder(text).reverse().toString();
        int length = reversed().match(turned, 0, longest);
        return length < 0 ? text : text.substring(0, text.length() - length);
    }

    /// `text` with the first or every longest match replaced.
    /// @throws WordException it would take too long
    String replaced(String text, String replacement, boolean all) throws WordException {
        if ((long) text.length() * text.length() * Math.max(1, parts.length) > MAX_WORK) {
            throw new WordException("the value is too long for a replacement by this pattern");
        }
        var result = new StringBuilder();
        int at = 0;
        boolean done = false;
        while (at <= text.length()) {
            int length = done ? -1 : match(text, at, true);
            if (length > 0 || length == 0 && parts.length > 0 && at == text.length() && text.isEmpty()) {
                result.append(replacement);
                at += Math.max(length, 1);
                done = !all;
            } else {
                if (at < text.length()) {
                    result.append(text.charAt(at));
                }
                at++;
            }
            if (result.length() > Expansion.MAX_LENGTH) {
                throw new WordException("the value of a substitution is too long");
            }
        }
        return result.toString();
    }

    /// How many characters from `start` on match, -1 when none do.
    private int match(String text, int start, boolean longest) {
        boolean[] at = new boolean[parts.length + 1];
        at[0] = true;
        skipMany(at);
        int found = at[parts.length] ? 0 : -1;
        if (found == 0 && !longest) {
            return 0;
        }
        for (int i = start; i < text.length(); i++) {
            var next = new boolean[parts.length + 1];
            boolean any = false;
            for (int p = 0; p < parts.length; p++) {
                if (at[p]) {
                    if (parts[p] == MANY) {
                        next[p] = true;
                        any = true;
                    } else if (parts[p] == ANY || parts[p] == text.charAt(i)) {
                        next[p + 1] = true;
                        any = true;
                    }
                }
            }
            if (!any) {
                return found;
            }
            skipMany(next);
            at = next;
            if (at[parts.length]) {
                found = i + 1 - start;
                if (!longest) {
                    return found;
                }
            }
        }
        return found;
    }

    private void skipMany(boolean[] at) {
        for (int p = 0; p < parts.length; p++) {
            if (at[p] && parts[p] == MANY) {
                at[p + 1] = true;
            }
        }
    }
}
