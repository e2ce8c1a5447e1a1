package carafe.cli.template;

import carafe.spec.Json;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A parsed Go template; executing it any number of times is safe from any thread.
public final class Template {

    private final String source;
    private final List<Node> body;
    private final Map<String, List<Node>> named;

    private Template(String source, List<Node> body, Map<String, List<Node>> named) {
        this.source = source;
        this.body = body;
        this.named = named;
    }

    /// Parses `source`.
    public static Template parse(String source) throws TemplateException {
        var parser = new Parser(source);
        var body = parser.parse();
        return new Template(source, body, parser.named());
    }

    /// The output for a JSON document.
    public String execute(Json data) throws TemplateException {
        return run(Values.of(data), false);
    }

    /// The output for data that compute their fields.
    public String execute(Subject data) throws TemplateException {
        return run(data, false);
    }

    /// The output for a row of heads: functions that would change a value leave it as it is.
    public String executeHeader(Subject heads) throws TemplateException {
        return run(heads, true);
    }

    private String run(Object data, boolean heads) throws TemplateException {
        var run = new Run(this, data, heads);
        run.walk(body, data);
        return run.output();
    }

    String source() {
        return source;
    }

    @Nullable List<Node> named(String name) {
        return named.get(name);
    }
}
