package carafe.cli.template;

import java.util.List;

/// An operand, or a function or method with its arguments.
record Command(List<Operand> operands) {

    Object value(Run run, Object dot, Object piped) throws TemplateException {
        var first = operands.getFirst();
        if (first.isCallable()) {
            return first.call(run, dot, operands.subList(1, operands.size()), piped);
        }
        if (first instanceof Operand.Constant constant && constant.constant() == Values.NIL) {
            throw run.error(first, "nil is not a command");
        }
        if (operands.size() > 1 || piped != Run.NOTHING_PIPED) {
            throw run.error(first, "can't give argument to non-function " + first);
        }
        return first.value(run, dot);
    }

    @Override
    public String toString() {
        var text = new StringBuilder();
        for (int i = 0; i < operands.size(); i++) {
            text.append(i == 0 ? "" : " ").append(operands.get(i));
        }
        return text.toString();
    }
}
