package carafe.runtime;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Every step of a start in order, in words. `warnings` says what was clamped or left out on this host.
public record TapeExplanation(List<Step> steps, List<String> warnings) {

    public TapeExplanation {
        steps = List.copyOf(steps);
        warnings = List.copyOf(warnings);
    }

    /// One step: `part` is `prepare` (done by the daemon before any process exists), `monitor` (before clone3) or
    /// `child` (after it). `call` is the system call as text, `why` one sentence for a learner, `man` the page to
    /// read. `micros` is empty in a plan that was not run.
    public record Step(String id, String part, String call, String why, String man, Optional<Double> micros) {}

    /// The sum of all durations in microseconds.
    public double totalMicros() {
        return steps.stream().mapToDouble(step -> step.micros().orElse(0.0)).sum();
    }

    /// This explanation as a document.
    public Json.Obj toJson() {
        var elements = new ArrayList<Json>();
        for (var step : steps) {
            var builder = Json.object()
                    .put("id", step.id)
                    .put("part", step.part)
                    .put("call", step.call)
                    .put("why", step.why)
                    .put("man", step.man);
            step.micros.ifPresent(micros -> builder.put("micros", micros));
            elements.add(builder.build());
        }
        return Json.object()
                .put("steps", Json.ofAll(elements))
                .put("warnings", Json.ofTexts(warnings))
                .build();
    }

    /// Reads what [#toJson] wrote.
    public static TapeExplanation fromJson(Json.Obj json) throws EngineException.Invalid {
        var steps = new ArrayList<Step>();
        for (var step : json.objects("steps")) {
            var micros = step.find("micros").isPresent() && step.find("micros").get() instanceof Json.Num number
                    ? Optional.of(number.number().doubleValue())
                    : Optional.<Double>empty();
            steps.add(new Step(
                    step.text("id"), step.text("part"), step.text("call"), step.text("why"), step.text("man"), micros));
        }
        return new TapeExplanation(steps, json.texts("warnings"));
    }
}
