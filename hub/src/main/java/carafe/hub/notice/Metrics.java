package carafe.hub.notice;

import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/// Numbers of the hub, printed for Prometheus. Names and label values come from a fixed set of our own, so that nobody
/// can make series.
/// Source: Prometheus text exposition format 0.0.4.
public final class Metrics {

    private static final double[] BOUNDS = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30};

    private final Map<String, LongAdder> counters = new ConcurrentSkipListMap<>();
    private final Map<String, Gauge> gauges = new ConcurrentSkipListMap<>();
    private final Map<String, Histogram> histograms = new ConcurrentHashMap<>();

    private record Gauge(String help, LongSupplier value) {}

    private record Histogram(LongAdder[] buckets, LongAdder nanos, LongAdder count) {
        static Histogram fresh() {
            var buckets = new LongAdder[BOUNDS.length];
            for (int i = 0; i < buckets.length; i++) {
                buckets[i] = new LongAdder();
            }
            return new Histogram(buckets, new LongAdder(), new LongAdder());
        }
    }

    /// Adds to a counter; `series` is its name with its labels, as `carafe_hub_events_total{action="push"}`.
    public void add(String series, long amount) {
        var counter = counters.get(series);
        if (counter == null) {
            counter = counters.computeIfAbsent(series, _ -> new LongAdder());
        }
        counter.add(amount);
    }

    /// Shows a number that is asked for when somebody looks.
    public void gauge(String name, String help, LongSupplier value) {
        gauges.put(name, new Gauge(help, value));
    }

    /// Counts one answered request of a kind (`blob`, `manifest`, ...).
    public void answered(String kind, String method, int status, long nanos) {
        add("carafe_hub_requests_total{kind=\"" + kind + "\",method=\"" + method + "\",status=\"" + status + "\"}", 1);
        var histogram = histograms.computeIfAbsent(kind, _ -> Histogram.fresh());
        for (int i = 0; i < BOUNDS.length; i++) {
            if (nanos <= BOUNDS[i] * 1e9) {
                histogram.buckets()[i].increment();
                break;
            }
        }
        histogram.nanos().add(nanos);
        histogram.count().increment();
    }

    /// All numbers.
    public String print() {
        var text = new StringBuilder();
        String last = "";
        for (var counter : counters.entrySet()) {
            String name = counter.getKey().replaceFirst("\\{.*", "");
            if (!name.equals(last)) {
                text.append("# TYPE ").append(name).append(" counter\n");
                last = name;
            }
            text.append(counter.getKey()).append(' ').append(counter.getValue().sum()).append('\n');
        }
        gauges.forEach((name, gauge) -> text.append("# HELP ").append(name).append(' ').append(gauge.help())
                .append("\n# TYPE ").append(name).append(" gauge\n")
                .append(name).append(' ').append(gauge.value().getAsLong()).append('\n'));
        if (!histograms.isEmpty()) {
            text.append("# TYPE carafe_hub_request_seconds histogram\n");
        }
        new TreeMap<>(histograms).forEach((kind, histogram) -> {
            String labels = "kind=\"" + kind + "\"";
            long sum = 0;
            for (int i = 0; i < BOUNDS.length; i++) {
                sum += histogram.buckets()[i].sum();
                text.append("carafe_hub_request_seconds_bucket{").append(labels).append(",le=\"").append(BOUNDS[i])
                        .append("\"} ").append(sum).append('\n');
            }
            long count = histogram.count().sum();
            text.append("carafe_hub_request_seconds_bucket{").append(labels).append(",le=\"+Inf\"} ").append(count)
                    .append("\ncarafe_hub_request_seconds_sum{").append(labels).append("} ")
                    .append(String.format(Locale.ROOT, "%.6f", histogram.nanos().sum() / 1e9))
                    .append("\ncarafe_hub_request_seconds_count{").append(labels).append("} ").append(count).append('\n');
        });
        return text.toString();
    }
}
