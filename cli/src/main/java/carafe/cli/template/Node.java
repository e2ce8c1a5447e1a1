package carafe.cli.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// A part of a parsed template that writes output. `text` is the source as errors show it.
sealed interface Node {

    /// Writes this part for the dot and variables of `run`.
    void write(Run run, Object dot) throws TemplateException;

    /// Text outside of actions.
    record Literal(String text) implements Node {
        @Override
        public void write(Run run, Object dot) {
            run.print(text);
        }
    }

    /// `{{pipeline}}`.
    record Action(Pipe pipe) implements Node {
        @Override
        public void write(Run run, Object dot) throws TemplateException {
            Object value = pipe.value(run, dot);
            if (pipe.variables().isEmpty()) {
                run.print(GoText.printed(value));
            }
        }
    }

    /// `{{if}}` and `{{with}}`; with rebinds the dot.
    record Branch(Pipe pipe, List<Node> yes, List<Node> no, boolean rebinds) implements Node {
        @Override
        public void write(Run run, Object dot) throws TemplateException {
            int mark = run.mark();
            Object value = pipe.value(run, dot);
            if (Values.truth(value)) {
                run.walk(yes, rebinds ? value : dot);
            } else {
                run.walk(no, dot);
            }
            run.reset(mark);
        }
    }

    /// `{{range}}` over a list, a map in the order of its keys, or a count.
    record Range(Pipe pipe, List<Node> body, List<Node> no) implements Node {
        @Override
        public void write(Run run, Object dot) throws TemplateException {
            run.range(this, dot);
        }
    }

    /// `{{template "name" pipeline}}`.
    record Call(String name, @Nullable Pipe pipe, int position) implements Node {
        @Override
        public void write(Run run, Object dot) throws TemplateException {
            run.call(this, dot);
        }
    }

    /// `{{break}}` or `{{continue}}`.
    record Jump(boolean breaks) implements Node {
        @Override
        public void write(Run run, Object dot) {
            run.jump(breaks);
        }
    }
}
