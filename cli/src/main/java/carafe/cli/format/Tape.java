package carafe.cli.format;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.List;

/// The system calls of a container's start in words: what each is, what for, how long it took.
public final class Tape {

    private static final int NARROWEST = 60;
    private static final int WIDEST = 120;
    private static final String BOLD = "\u001b[1m";
    private static final String CYAN = "\u001b[36m";
    private static final String DIM = "\u001b[2m";
    private static final String PLAIN = "\u001b[0m";

    private final boolean colour;
    private final int columns;
    private final StringBuilder out = new StringBuilder();

    private Tape(boolean colour, int columns) {
        this.colour = colour;
        this.columns = columns;
    }

    /// The lines for `{"steps":[{"id","part","call","text","why","man","micros"}],"total_micros","warnings"}`, at most
    /// `columns` wide but for calls that are longer. `micros` may have a fraction; without a total it is their sum.
    public static String text(Json.Obj tape, boolean colour, int columns) throws EngineException.Invalid {
        var text = new Tape(colour, Math.clamp(columns, NARROWEST, WIDEST));
        var steps = tape.objects("steps");
        boolean timed = false;
        for (var step : steps) {
            timed |= step.find("micros").isPresent();
        }
        String part = "";
        int number = 0;
        for (var step : steps) {
            if (!step.text("part").equals(part)) {
                part = step.text("part");
                text.part(part, steps, timed);
            }
            text.step(step, ++number, timed);
        }
        text.total(tape, steps, timed);
        return text.out.toString();
    }

    private void part(String part, List<Json.Obj> steps, boolean timed) throws EngineException.Invalid {
        String title = switch (part) {
            case "java", "prepare" -> "The engine, before any process exists";
            case "network" -> "The container's way into its networks";
            case "monitor" -> "The container's monitor";
            case "child" -> "The container's first process, until it becomes your program";
            default -> part;
        };
        double sum = 0;
        for (var step : steps) {
            sum += step.text("part").equals(part) ? micros(step, "micros") : 0;
        }
        out.append(out.isEmpty() ? "" : "\n").append(styled(BOLD, title))
                .append(timed ? styled(DIM, "  " + time(sum)) : "").append('\n');
    }

    private void step(Json.Obj step, int number, boolean timed) throws EngineException.Invalid {
        String digits = Integer.toString(number);
        out.repeat(' ', Math.max(0, 4 - digits.length())).append(styled(DIM, digits)).append("  ");
        int indent = 6;
        if (timed) {
            String time = step.find("micros").isPresent() ? time(micros(step, "micros")) : "";
            out.repeat(' ', Math.max(0, 8 - time.length())).append(styled(DIM, time)).append("  ");
            indent += 10;
        }
        String text = step.text("text");
        out.append(styled(CYAN, text.isEmpty() ? step.text("call") : text)).append('\n');
        String why = step.text("why");
        String man = step.text("man");
        if (!why.isEmpty() || !man.isEmpty()) {
            wrapped(man.isEmpty() ? why : why.isEmpty() ? "see " + man : why + " [" + man + "]", indent);
        }
    }

    private void wrapped(String text, int indent) {
        int at = 0;
        out.repeat(' ', indent);
        for (var word : text.split(" ")) {
            if (at > 0 && indent + at + 1 + word.length() > columns) {
                out.append('\n').repeat(' ', indent);
                at = 0;
            }
            out.append(at > 0 ? " " : "").append(word);
            at += word.length() + (at > 0 ? 1 : 0);
        }
        out.append('\n');
    }

    private void total(Json.Obj tape, List<Json.Obj> steps, boolean timed) throws EngineException.Invalid {
        out.append('\n').append(steps.size()).append(steps.size() == 1 ? " step" : " steps");
        double total = micros(tape, "total_micros");
        if (timed && total == 0) {
            for (var step : steps) {
                total += micros(step, "micros");
            }
        }
        if (total > 0) {
            out.append(" in ").append(styled(BOLD, time(total)));
        }
        out.append('\n');
        for (var warning : tape.texts("warnings")) {
            out.append("warning: ").append(warning).append('\n');
        }
    }

    private static double micros(Json.Obj of, String field) {
        return of.find(field).orElse(Json.NULL) instanceof Json.Num number ? number.number().doubleValue() : 0;
    }

    private static String time(double micros) {
        if (micros < 10) {
            return Math.round(micros * 10) / 10.0 + " µs";
        }
        if (micros < 999.5) {
            return Math.round(micros) + " µs";
        }
        long hundredths = Math.round(micros / 10);
        return hundredths / 100 + "." + (hundredths % 100 < 10 ? "0" : "") + hundredths % 100 + " ms";
    }

    private String styled(String style, String text) {
        return colour ? style + text + PLAIN : text;
    }
}
