package carafe.cli.flag;

/// Breaks a flag's usage into lines, where pflag breaks it: a line may run five columns long rather than leave a
/// short last word alone.
final class Wrapping {

    private static final int SLOP = 5;
    private static final int NARROWEST = 24;

    private Wrapping() {}

    /// Appends `text` so that no line passes `columns`, all but the first indented by `indent`.
    static void wrap(StringBuilder out, int indent, int columns, String text) {
        int room = columns - indent;
        if (room < NARROWEST) {
            indent = 16;
            room = columns - indent;
            newLine(out, indent);
        }
        if (room < NARROWEST) {
            out.append(text);
            return;
        }
        room -= SLOP;
        String rest = text;
        boolean first = true;
        while (first || !rest.isEmpty()) {
            if (!first) {
                newLine(out, indent);
            }
            first = false;
            int end = lineEnd(rest, room);
            String line = end < 0 ? rest : rest.substring(0, end);
            rest = end < 0 ? "" : rest.substring(end + 1);
            for (int from = 0; from <= line.length(); ) {
                int next = line.indexOf('\n', from);
                out.append(line, from, next < 0 ? line.length() : next);
                if (next < 0) {
                    break;
                }
                newLine(out, indent);
                from = next + 1;
            }
        }
    }

    private static int lineEnd(String text, int room) {
        if (room + SLOP > text.length()) {
            return -1;
        }
        int space = -1;
        for (int i = room - 1; i >= 0 && space < 0; i--) {
            char c = text.charAt(i);
            if (c == ' ' || c == '\t' || c == '\n') {
                space = i;
            }
        }
        if (space <= 0) {
            return -1;
        }
        int newLine = text.lastIndexOf('\n', room - 1);
        return newLine > 0 && newLine < space ? newLine : space;
    }

    private static void newLine(StringBuilder out, int indent) {
        out.append('\n').repeat(' ', indent);
    }
}
