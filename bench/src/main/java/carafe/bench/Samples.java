package carafe.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// All that was measured: row by row and engine by engine, every sample in the order it was taken.
final class Samples {

    /// One line of the table. `better` says whether less or more is good; values are in `unit`.
    record Row(String title, String unit, boolean lessIsBetter) {}

    private final Map<Row, Map<String, List<Double>>> samples = new LinkedHashMap<>();

    void add(Row row, String engine, double value) {
        samples.computeIfAbsent(row, _ -> new LinkedHashMap<>())
                .computeIfAbsent(engine, _ -> new ArrayList<>())
                .add(value);
    }

    static double median(List<Double> values) {
        var sorted = values.stream().sorted().toList();
        int middle = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }

    private static double percentile(List<Double> values, double share) {
        var sorted = values.stream().sorted().toList();
        return sorted.get((int) Math.min(sorted.size() - 1, Math.floor(share * sorted.size())));
    }

    /// The table in Markdown: median (10th–90th percentile) for each engine, and the first engine's gain over the last.
    String table(List<String> engines) {
        var columns = new ArrayList<>(engines);
        if (engines.size() > 1) {
            columns.add(engines.getFirst() + " against " + engines.getLast());
        }
        var text = new StringBuilder("| work |");
        columns.forEach(column -> text.append(' ').append(column).append(" |"));
        text.append("\n| --- |").append(" --- |".repeat(columns.size())).append('\n');
        samples.forEach((row, byEngine) -> {
            text.append("| ").append(row.title()).append(" |");
            engines.forEach(engine -> text.append(' ').append(cell(row, byEngine.get(engine))).append(" |"));
            if (engines.size() > 1) {
                text.append(' ').append(gain(row, byEngine, engines)).append(" |");
            }
            text.append('\n');
        });
        return text.toString();
    }

    private static String cell(Row row, @org.jspecify.annotations.Nullable List<Double> values) {
        if (values == null || values.isEmpty()) {
            return "–";
        }
        String median = format(median(values)) + " " + row.unit();
        return values.size() < 3
                ? median
                : median + " (" + format(percentile(values, 0.1)) + "–" + format(percentile(values, 0.9)) + ")";
    }

    private static String gain(Row row, Map<String, List<Double>> byEngine, List<String> engines) {
        var first = byEngine.get(engines.get(0));
        var second = byEngine.get(engines.getLast());
        if (first == null || second == null || first.isEmpty() || second.isEmpty()) {
            return "–";
        }
        double ratio = median(second) / median(first);
        return format(row.lessIsBetter() ? ratio : 1 / ratio) + " ×";
    }

    private static String format(double value) {
        return String.format(Locale.ROOT, value >= 100 ? "%.0f" : value >= 10 ? "%.1f" : "%.2f", value);
    }

    /// Writes every sample as comma-separated values: row, unit, engine, number, value.
    void write(Path file) throws IOException {
        try (var out = Files.newBufferedWriter(file)) {
            out.write("row,unit,engine,sample,value\n");
            for (var row : samples.entrySet()) {
                for (var engine : row.getValue().entrySet()) {
                    int number = 0;
                    for (double value : engine.getValue()) {
                        out.write("\"%s\",%s,%s,%d,%s\n"
                                .formatted(row.getKey().title(), row.getKey().unit(), engine.getKey(), number++,
                                        String.format(Locale.ROOT, "%.4f", value)));
                    }
                }
            }
        }
    }
}
