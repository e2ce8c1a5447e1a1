package carafe.runtime;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Prints where the time of a start goes: medians of every step over many starts, and of whole calls. Run by hand:
///
///     java -Dcarafe.root=. -Dcarafe.native=native/target --enable-native-access=ALL-UNNAMED \
///         -cp … carafe.runtime.StartTimings 200
final class StartTimings {

    private static final ThreadMXBean CPU = ManagementFactory.getThreadMXBean();

    private final Map<String, List<Double>> samples = new LinkedHashMap<>();

    private StartTimings() {}

    public static void main(String[] args) throws Exception {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 200;
        var stage = new RuntimeStage();
        var timings = new StartTimings();
        for (int i = 0; i < rounds; i++) {
            timings.round(stage, i >= rounds / 4);
        }
        timings.execs(stage, rounds);
        stage.close();
        timings.print();
    }

    private void round(RuntimeStage stage, boolean counted) throws Exception {
        var bundle = stage.bundle(TestSpecs.standard(stage.id(), "/bin/true"));
        long start = System.nanoTime();
        long cpu = CPU.getCurrentThreadCpuTime();
        var container = stage.runtime.start(bundle, List.of());
        long started = System.nanoTime();
        if (counted) {
            add("= start() processor", (CPU.getCurrentThreadCpuTime() - cpu) / 1000.0);
        }
        container.awaitExit();
        long ended = System.nanoTime();
        var explanation = container.explanation().get();
        long explained = System.nanoTime();
        container.delete();
        long deleted = System.nanoTime();
        if (counted) {
            for (var step : explanation.steps()) {
                add(step.part() + " " + step.id(), step.micros().orElse(0.0));
            }
            add("= steps", explanation.totalMicros());
            add("= start()", (started - start) / 1000.0);
            add("= awaitExit()", (ended - started) / 1000.0);
            add("= delete()", (deleted - explained) / 1000.0);
            add("= all", (deleted - explained + ended - start) / 1000.0);
        }
        RuntimeStage.deleteTree(bundle.containerDir());
    }

    private void execs(RuntimeStage stage, int rounds) throws Exception {
        var container = stage.sleeping();
        for (int i = 0; i < rounds; i++) {
            var spec = stage.execSpec("/bin/true");
            long start = System.nanoTime();
            var process = container.exec(spec, List.of());
            long started = System.nanoTime();
            process.awaitExit();
            long ended = System.nanoTime();
            process.delete();
            if (i >= rounds / 4) {
                add("= exec()", (started - start) / 1000.0);
                add("= exec, wait", (ended - start) / 1000.0);
            }
        }
        RuntimeStage.end(container);
    }

    private void add(String what, double micros) {
        samples.computeIfAbsent(what, _ -> new ArrayList<>()).add(micros);
    }

    private void print() {
        samples.forEach((what, values) -> {
            values.sort(null);
            double median = values.get(values.size() / 2);
            System.out.printf("%9.1f %9.1f  %s%n", median, values.get(values.size() * 9 / 10), what);
        });
    }
}
