package carafe.cli.template;

import carafe.spec.Json;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// One execution of a template: its output, its variables, and where it is.
final class Run {

    /// Stands for the outcome of no earlier command.
    static final Object NOTHING_PIPED = new Object();

    private static final int DEEPEST = 200;
    private static final int LARGEST_CHARS = 64 << 20;

    private final Template template;
    private final boolean heads;
    private final StringBuilder out = new StringBuilder();
    private final List<String> names = new ArrayList<>();
    private final List<Object> values = new ArrayList<>();
    private int floor;
    private int depth;
    private int jump;

    Run(Template template, Object data, boolean heads) {
        this.template = template;
        this.heads = heads;
        names.add("$");
        values.add(data);
    }

    String output() {
        return out.toString();
    }

    void print(String text) {
        out.append(text);
    }

    void walk(List<Node> nodes, Object dot) throws TemplateException {
        for (var node : nodes) {
            node.write(this, dot);
            if (jump != 0) {
                return;
            }
            if (out.length() > LARGEST_CHARS) {
                throw new TemplateException("template: :1: output is larger than " + (LARGEST_CHARS >> 20) + " Mi characters");
            }
        }
    }

    void jump(boolean breaks) {
        jump = breaks ? 1 : 2;
    }

    int mark() {
        return names.size();
    }

    void reset(int mark) {
        while (names.size() > mark) {
            names.removeLast();
            values.removeLast();
        }
    }

    void bind(String name, Object value, boolean declares) {
        if (!declares) {
            for (int i = names.size() - 1; i >= floor; i--) {
                if (names.get(i).equals(name)) {
                    values.set(i, value);
                    return;
                }
            }
        }
        names.add(name);
        values.add(value);
    }

    Object variable(Operand.Variable variable) throws TemplateException {
        for (int i = names.size() - 1; i >= floor; i--) {
            if (names.get(i).equals(variable.name())) {
                return values.get(i);
            }
        }
        throw error(variable, "undefined variable: " + variable.name());
    }

    void range(Node.Range range, Object dot) throws TemplateException {
        int mark = mark();
        Object over = range.pipe().evaluated(this, dot);
        List<Object> keys = new ArrayList<>();
        List<Object> elements = new ArrayList<>();
        if (over instanceof Json.Arr array) {
            for (var element : array.elements()) {
                keys.add((long) keys.size());
                elements.add(Values.of(element));
            }
        } else if (over instanceof Json.Obj object) {
            for (Map.Entry<String, Json> field : Values.sorted(object).entrySet()) {
                keys.add(field.getKey());
                elements.add(Values.of(field.getValue()));
            }
        } else if (over instanceof Long count && count <= 1_000_000) {
            elements = below(count.intValue());
            keys = elements;
        } else if (over != Values.NIL && over != Values.ABSENT) {
            throw new TemplateException(place(range.pipe().position()) + ": executing \"\" at <" + range.pipe()
                    + ">: range can't iterate over " + GoText.printed(over));
        }
        var variables = range.pipe().variables();
        for (int i = 0; i < elements.size() && jump != 1; i++) {
            jump = 0;
            goOn();
            int inner = mark();
            if (!variables.isEmpty()) {
                bind(variables.getLast(), elements.get(i), range.pipe().declares());
            }
            if (variables.size() == 2) {
                bind(variables.getFirst(), keys.get(i), range.pipe().declares());
            }
            walk(range.body(), elements.get(i));
            reset(inner);
        }
        jump = 0;
        if (elements.isEmpty()) {
            walk(range.no(), dot);
        }
        reset(mark);
    }

    /// The numbers from 0, without a list of them.
    private static List<Object> below(int count) {
        return new AbstractList<>() {
            @Override
            public Object get(int index) {
                return (long) Objects.checkIndex(index, count);
            }

            @Override
            public int size() {
                return Math.max(0, count);
            }
        };
    }

    /// A template can count for years: who ends the command ends it, too.
    private static void goOn() throws TemplateException {
        if (Thread.currentThread().isInterrupted()) {
            throw new TemplateException("the template was interrupted");
        }
    }

    void call(Node.Call call, Object dot) throws TemplateException {
        goOn();
        var body = template.named(call.name());
        String at = place(call.position()) + ": executing \"\" at <{{template " + GoText.quote(call.name()) + "}}>: ";
        if (body == null) {
            throw new TemplateException(at + "template " + GoText.quote(call.name()) + " not defined");
        }
        if (++depth > DEEPEST) {
            throw new TemplateException(at + "exceeded maximum template depth (" + DEEPEST + ")");
        }
        Object data = call.pipe() == null ? Values.ABSENT : call.pipe().value(this, dot);
        int outerFloor = floor;
        int mark = mark();
        floor = mark;
        names.add("$");
        values.add(data);
        walk(body, data);
        reset(mark);
        floor = outerFloor;
        depth--;
    }

    Object field(Operand.Fields fields, Object value, String name, List<Object> arguments) throws TemplateException {
        if (value instanceof Subject subject) {
            Object answer = subject.field(name, arguments);
            if (answer == Values.ABSENT) {
                throw error(fields, "can't evaluate field " + name + " in type " + subject.typeName());
            }
            return answer instanceof Json json ? Values.of(json) : answer;
        }
        if (!arguments.isEmpty()) {
            throw error(fields, name + " is not a method but has arguments");
        }
        if (value instanceof Json.Obj object) {
            Json found = object.fields().get(name);
            if (found != null) {
                return Values.of(found);
            }
            if (!isStruct(object) || !isStructName(name)) {
                return Values.ABSENT;
            }
            Object zero = Omitted.zero(object, name);
            if (zero != null) {
                return zero;
            }
            throw error(fields, "map has no entry for key " + GoText.quote(name));
        }
        if (value == Values.NIL || value == Values.ABSENT) {
            throw error(fields, "nil pointer evaluating interface {}." + name);
        }
        boolean fromMap = !fields.names().getFirst().equals(name) || fields.of() instanceof Operand.Dot;
        throw error(fields, "can't evaluate field " + name + " in type "
                + (fromMap ? "interface {}" : Values.type(value)));
    }

    /// Docker's documents are structs where every key starts with a capital; maps of labels, ports, options are not.
    private static boolean isStruct(Json.Obj object) {
        for (var key : object.fields().keySet()) {
            if (!isStructName(key)) {
                return false;
            }
        }
        return !object.fields().isEmpty();
    }

    private static boolean isStructName(String name) {
        return !name.isEmpty() && Character.isUpperCase(name.charAt(0));
    }

    Object function(Operand.Function function, List<Operand> typed, List<Object> arguments) throws TemplateException {
        int[] arity = Functions.arity(function.name());
        if (arguments.size() < arity[0] || arity[1] >= 0 && arguments.size() > arity[1]) {
            throw error(function, typed, "wrong number of args for " + function.name() + ": want "
                    + (arity[1] < 0 ? "at least " : "") + arity[0] + " got " + arguments.size());
        }
        if (heads && Functions.changesText(function.name())) {
            return arguments.getFirst();
        }
        try {
            return Functions.call(function.name(), arguments);
        } catch (TemplateException e) {
            boolean type = e.getMessage() != null && e.getMessage().startsWith("wrong type");
            throw error(function, typed, (type ? "" : "error calling " + function.name() + ": ") + e.getMessage());
        }
    }

    /// `and` and `or`: stop at the first argument that decides.
    Object shortCut(Operand.Function function, Object dot, List<Operand> arguments, Object piped)
            throws TemplateException {
        boolean stopsAt = function.name().equals("or");
        Object value = piped;
        for (var argument : arguments) {
            value = argument.value(this, dot);
            if (Values.truth(value) == stopsAt) {
                return value;
            }
        }
        if (piped != NOTHING_PIPED) {
            value = piped;
        }
        if (value == NOTHING_PIPED) {
            throw error(function, "wrong number of args for " + function.name() + ": want at least 1 got 0");
        }
        return value;
    }

    TemplateException error(Operand at, String what) {
        return error(at, List.of(), what);
    }

    /// An error of a function, whose context is the call with its arguments.
    TemplateException error(Operand at, List<Operand> arguments, String what) {
        var context = new StringBuilder(at.toString());
        for (var argument : arguments) {
            context.append(' ').append(argument);
        }
        return new TemplateException(place(at.position()) + ": executing \"\" at <" + context + ">: " + what);
    }

    private String place(int position) {
        String source = template.source();
        int newLine = source.lastIndexOf('\n', Math.max(0, position - 1));
        return "template: :" + Lexer.line(source, position) + ":" + (position - newLine - 1);
    }
}
