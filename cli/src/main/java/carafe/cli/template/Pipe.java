package carafe.cli.template;

import java.util.List;

/// Commands whose results feed the next one's last argument, and the variables that take the outcome.
record Pipe(List<String> variables, boolean declares, List<Command> commands, int position) {

    Object value(Run run, Object dot) throws TemplateException {
        Object value = evaluated(run, dot);
        for (var name : variables) {
            run.bind(name, value, declares);
        }
        return value;
    }

    Object evaluated(Run run, Object dot) throws TemplateException {
        Object value = Run.NOTHING_PIPED;
        for (var command : commands) {
            value = command.value(run, dot, value);
        }
        return value;
    }

    @Override
    public String toString() {
        var text = new StringBuilder();
        for (int i = 0; i < variables.size(); i++) {
            text.append(i == 0 ? "" : ", ").append(variables.get(i));
        }
        if (!variables.isEmpty()) {
            text.append(declares ? " := " : " = ");
        }
        for (int i = 0; i < commands.size(); i++) {
            text.append(i == 0 ? "" : " | ").append(commands.get(i));
        }
        return text.toString();
    }
}
