package carafe.cli.format;

import java.util.ArrayList;
import java.util.List;

/// Aligns cells that end in a tab: a column is as wide as its widest cell in adjacent lines, at least ten, three apart.
///
/// The last cell of a line belongs to no column. Source: Go's text/tabwriter with minwidth 10, padding 3, blanks.
public final class Table {

    private static final int LEAST = 10;
    private static final int GAP = 3;

    private Table() {}

    /// The lines of `text` with their tabs replaced.
    public static String align(String text) {
        if (text.indexOf('\t') < 0) {
            return text;
        }
        return align(text, LEAST, GAP);
    }

    /// As [#align(String)], with columns of at least `least` and `gap` blanks between them.
    public static String align(String text, int least, int gap) {
        var lines = new ArrayList<List<String>>();
        for (int from = 0; from <= text.length(); ) {
            int end = text.indexOf('\n', from);
            lines.add(cells(text.substring(from, end < 0 ? text.length() : end)));
            from = end < 0 ? text.length() + 1 : end + 1;
        }
        var widths = new int[lines.size()][];
        for (int i = 0; i < lines.size(); i++) {
            widths[i] = new int[lines.get(i).size() - 1];
        }
        measure(lines, widths, least, gap);
        var out = new StringBuilder(text.length() * 2);
        for (int i = 0; i < lines.size(); i++) {
            var cells = lines.get(i);
            for (int column = 0; column < cells.size(); column++) {
                out.append(cells.get(column));
                if (column < widths[i].length) {
                    out.repeat(' ', Math.max(0, widths[i][column] - length(cells.get(column))));
                }
            }
            if (i < lines.size() - 1) {
                out.append('\n');
            }
        }
        return out.toString();
    }

    private static void measure(List<List<String>> lines, int[][] widths, int least, int gap) {
        for (int i = 0; i < lines.size(); i++) {
            for (int column = 0; column < widths[i].length; column++) {
                if (widths[i][column] != 0) {
                    continue;
                }
                int end = i;
                int widest = 0;
                while (end < lines.size() && widths[end].length > column) {
                    widest = Math.max(widest, length(lines.get(end).get(column)));
                    end++;
                }
                int width = Math.max(widest + gap, least);
                for (int line = i; line < end; line++) {
                    widths[line][column] = width;
                }
            }
        }
    }

    private static List<String> cells(String line) {
        var cells = new ArrayList<String>();
        int from = 0;
        for (int tab = line.indexOf('\t'); tab >= 0; tab = line.indexOf('\t', from)) {
            cells.add(line.substring(from, tab));
            from = tab + 1;
        }
        cells.add(line.substring(from));
        return cells;
    }

    private static int length(String cell) {
        return cell.codePointCount(0, cell.length());
    }
}
