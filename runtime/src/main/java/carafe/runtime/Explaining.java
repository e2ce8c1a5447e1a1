package carafe.runtime;

import carafe.kernel.Part;
import carafe.kernel.Step;
import carafe.kernel.StepTime;
import carafe.kernel.Tape;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/// Puts a plan into words: preparations, the tape's steps (neighbours of one id become one), and, after a run, times.
final class Explaining {

    private Explaining() {}

    /// A preparation that was done, and how long it took.
    record Done(Preparation preparation, Duration took) {}

    static LaunchPlan plan(List<Preparation> preparations, Tape tape, List<String> warnings) {
        var steps = new ArrayList<TapeExplanation.Step>();
        var text = new ArrayList<String>();
        for (var preparation : preparations) {
            steps.add(step(preparation.id(), "prepare", preparation.call(), Optional.empty()));
            text.add("prepare  " + preparation.id() + "  " + preparation.call());
        }
        text.addAll(List.of(tape.text().split("\n")));
        steps.addAll(tapeSteps(tape, List.of()));
        return new LaunchPlan(new TapeExplanation(steps, warnings), text);
    }

    static TapeExplanation of(List<Done> done, Tape tape, List<StepTime> times, List<String> warnings) {
        var steps = new ArrayList<TapeExplanation.Step>();
        for (var each : done) {
            var preparation = each.preparation;
            steps.add(step(preparation.id(), "prepare", preparation.call(), Optional.of(micros(each.took))));
        }
        steps.addAll(tapeSteps(tape, times));
        return new TapeExplanation(steps, warnings);
    }

    private static double micros(Duration duration) {
        return duration.toNanos() / 1000.0;
    }

    private static TapeExplanation.Step step(String id, String part, String call, Optional<Double> micros) {
        var words = StepWords.of(id);
        return new TapeExplanation.Step(id, part, call, words.why(), words.man(), micros);
    }

    /// The tape's steps in order; `times` has one entry for each plus one for the clone, or is empty.
    private static List<TapeExplanation.Step> tapeSteps(Tape tape, List<StepTime> times) {
        var steps = new ArrayList<TapeExplanation.Step>();
        var iterator = times.iterator();
        boolean cloned = false;
        String lastId = "";
        Part lastPart = Part.MONITOR;
        for (Step step : tape.steps()) {
            if (!cloned && step.part() == Part.CHILD) {
                cloned = true;
                String call = tape.text().lines().filter(line -> line.contains("clone3(")).findFirst().orElse("clone3");
                steps.add(step("clone", "monitor", call.substring(call.indexOf("clone3")), next(iterator)));
                lastId = "";
            }
            var micros = next(iterator);
            if (step.id().equals(lastId) && step.part() == lastPart) {
                var before = steps.removeLast();
                var sum = before.micros().isPresent() || micros.isPresent()
                        ? Optional.of(before.micros().orElse(0.0) + micros.orElse(0.0))
                        : Optional.<Double>empty();
                steps.add(step(step.id(), before.part(), before.call() + "; " + step.text(), sum));
            } else {
                steps.add(step(step.id(), step.part().toString(), step.text(), micros));
            }
            lastId = step.id();
            lastPart = step.part();
        }
        return steps;
    }

    private static Optional<Double> next(Iterator<StepTime> times) {
        return times.hasNext() ? Optional.of(micros(times.next().took())) : Optional.empty();
    }
}
