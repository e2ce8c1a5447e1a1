package carafe.cli.template;

import java.util.ArrayList;
import java.util.List;

/// One term of a command.
sealed interface Operand {

    /// Where it stands in the source, counted in characters.
    int position();

    /// The term's value without arguments.
    Object value(Run run, Object dot) throws TemplateException;

    /// Whether arguments may follow.
    default boolean isCallable() {
        return false;
    }

    /// The term's value with the terms behind it and what the pipe brought, if it brought anything.
    default Object call(Run run, Object dot, List<Operand> arguments, Object piped) throws TemplateException {
        throw run.error(this, "can't give argument to non-function " + this);
    }

    /// Evaluates arguments from left to right, the piped value last.
    static List<Object> evaluate(Run run, Object dot, List<Operand> arguments, Object piped) throws TemplateException {
        var values = new ArrayList<>(arguments.size() + 1);
        for (var argument : arguments) {
            values.add(argument.value(run, dot));
        }
        if (piped != Run.NOTHING_PIPED) {
            values.add(piped);
        }
        return values;
    }

    /// A constant: text, number, truth, nil.
    record Constant(Object constant, String text, int position) implements Operand {
        @Override
        public Object value(Run run, Object dot) {
            return constant;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    /// The dot.
    record Dot(int position) implements Operand {
        @Override
        public Object value(Run run, Object dot) {
            return dot;
        }

        @Override
        public String toString() {
            return ".";
        }
    }

    /// `.A.B` of the dot, of a variable, or of a pipeline in parentheses.
    record Fields(Operand of, List<String> names, int position) implements Operand {
        @Override
        public boolean isCallable() {
            return true;
        }

        @Override
        public Object value(Run run, Object dot) throws TemplateException {
            return call(run, dot, List.of(), Run.NOTHING_PIPED);
        }

        @Override
        public Object call(Run run, Object dot, List<Operand> arguments, Object piped) throws TemplateException {
            Object value = of.value(run, dot);
            for (int i = 0; i < names.size() - 1; i++) {
                value = run.field(this, value, names.get(i), List.of());
            }
            return run.field(this, value, names.getLast(), evaluate(run, dot, arguments, piped));
        }

        @Override
        public String toString() {
            return (of instanceof Dot ? "" : of) + "." + String.join(".", names);
        }
    }

    /// `$` or `$name`.
    record Variable(String name, int position) implements Operand {
        @Override
        public Object value(Run run, Object dot) throws TemplateException {
            return run.variable(this);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /// A function's name.
    record Function(String name, int position) implements Operand {
        @Override
        public boolean isCallable() {
            return true;
        }

        @Override
        public Object value(Run run, Object dot) throws TemplateException {
            return call(run, dot, List.of(), Run.NOTHING_PIPED);
        }

        @Override
        public Object call(Run run, Object dot, List<Operand> arguments, Object piped) throws TemplateException {
            if (name.equals("and") || name.equals("or")) {
                return run.shortCut(this, dot, arguments, piped);
            }
            return run.function(this, arguments, evaluate(run, dot, arguments, piped));
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /// A pipeline in parentheses.
    record Group(Pipe pipe, int position) implements Operand {
        @Override
        public Object value(Run run, Object dot) throws TemplateException {
            return pipe.value(run, dot);
        }

        @Override
        public String toString() {
            return "(" + pipe + ")";
        }
    }
}
