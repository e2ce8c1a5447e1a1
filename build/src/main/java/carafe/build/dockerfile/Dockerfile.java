package carafe.build.dockerfile;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A Dockerfile that was read: directives, what is declared before the first stage, the stages, and what the reading
/// itself found worth a warning.
public record Dockerfile(Source source, Directives directives, List<Step> globals, List<Stage> stages,
        List<Finding> findings) {

    public Dockerfile {
        globals = List.copyOf(globals);
        stages = List.copyOf(stages);
        findings = List.copyOf(findings);
    }

    /// Reads `source`.
    /// @throws DockerfileException with the lines at fault
    public static Dockerfile parse(Source source) throws DockerfileException {
        return parse(source, Directives.read(source.lines()));
    }

    /// Reads `source`; `checks` stands in for what its `# check=` says.
    /// @throws DockerfileException with the lines at fault
    public static Dockerfile parse(Source source, String checks) throws DockerfileException {
        return parse(source, Directives.read(source.lines()).withChecks(checks));
    }

    private static Dockerfile parse(Source source, Directives directives) throws DockerfileException {
        var findings = new ArrayList<Finding>();
        var statements = new StatementReader(source.lines(), directives, findings).read();
        if (statements.isEmpty()) {
            throw new DockerfileException(Span.line(1), "the Dockerfile cannot be empty: file with no instructions");
        }
        var parser = new InstructionParser(directives.escape());
        var globals = new ArrayList<Step>();
        var stages = new ArrayList<Stage>();
        var steps = new ArrayList<Step>();
        Step from = null;
        for (var statement : statements) {
            var step = parser.step(statement);
            if (step.instruction() instanceof Instruction.From) {
                close(stages, from, steps);
                from = step;
                steps.clear();
            } else if (from != null) {
                steps.add(step);
            } else if (step.instruction() instanceof Instruction.Arg) {
                globals.add(step);
            } else {
                throw new DockerfileException(step.span(), "no build stage in current context: "
                        + step.keyword().toUpperCase(Locale.ROOT) + " stands before the first FROM; only ARG may");
            }
        }
        close(stages, from, steps);
        if (stages.isEmpty()) {
            throw new DockerfileException(statements.getLast().span(), "no build stage in current context: FROM is missing");
        }
        findings.addAll(Checks.of(globals, stages, directives));
        return new Dockerfile(source, directives, globals, stages, findings);
    }

    private static void close(List<Stage> stages, @Nullable Step from, List<Step> steps) {
        if (from != null && from.instruction() instanceof Instruction.From base) {
            stages.add(new Stage(stages.size(), from, base, steps));
        }
    }

    /// Reads the instruction that an image's ONBUILD holds; line numbers are those of the FROM at `span`.
    public static Step trigger(String text, Span span) throws DockerfileException {
        var directives = new Directives("", '\\', Set.of(), Set.of(), false, 0);
        var statements = new StatementReader(List.of(text.split("\n", -1)), directives, new ArrayList<>()).read();
        if (statements.size() != 1) {
            throw new DockerfileException(span, "the base image's ONBUILD holds no single instruction: " + text);
        }
        var read = statements.getFirst();
        return new InstructionParser('\\').step(new Statement(read.keyword(), read.flags(), read.rest(),
                read.heredocs(), span, List.of()));
    }
}
