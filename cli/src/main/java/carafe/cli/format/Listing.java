package carafe.cli.format;

import carafe.cli.template.Subject;
import carafe.cli.template.Template;
import carafe.cli.template.TemplateException;
import carafe.cli.template.Values;
import carafe.spec.Json;
import java.util.List;
import java.util.Map;

/// Shows rows as a table or by a template.
///
/// `table`: the default columns. `table TEMPLATE`: columns cut by `\t`, headed. `json`: one document a line. Else the
/// template for each row.
public final class Listing {

    private final Map<String, String> headers;
    private final List<String> columns;

    /// `headers` names every field's head; `columns` are the fields of the default table.
    public Listing(Map<String, String> headers, List<String> columns) {
        this.headers = headers;
        this.columns = columns;
    }

    /// The text for `rows`, as `format` says; empty is the default table.
    /// @throws TemplateException with the sentence Docker's users know
    public String show(String format, List<? extends Subject> rows) throws TemplateException {
        boolean table = format.isEmpty() || format.equals("table") || format.startsWith("table ");
        String body = format.startsWith("table") ? format.substring(5).strip() : format;
        if (table && body.isEmpty()) {
            return defaultTable(rows);
        }
        body = body.replace("\\t", "\t").replace("\\n", "\n");
        var template = parsed(body.equals("json") && !table ? "{{json .}}" : body);
        var text = new StringBuilder();
        for (var row : rows) {
            text.append(executed(template, row)).append('\n');
        }
        if (!table) {
            return text.toString();
        }
        return Table.align(executedHeader(template) + "\n" + text);
    }

    private String defaultTable(List<? extends Subject> rows) throws TemplateException {
        var text = new StringBuilder();
        for (int i = 0; i < columns.size(); i++) {
            text.append(i == 0 ? "" : "\t").append(headers.get(columns.get(i)));
        }
        text.append('\n');
        for (var row : rows) {
            for (int i = 0; i < columns.size(); i++) {
                text.append(i == 0 ? "" : "\t").append(row.field(columns.get(i), List.of()));
            }
            text.append('\n');
        }
        return Table.align(text.toString());
    }

    private static Template parsed(String body) throws TemplateException {
        try {
            return Template.parse(body);
        } catch (TemplateException e) {
            throw new TemplateException("failed to parse template: " + e.getMessage());
        }
    }

    private static String executed(Template template, Subject row) throws TemplateException {
        try {
            return template.execute(row);
        } catch (TemplateException e) {
            throw new TemplateException("failed to execute template: " + e.getMessage());
        }
    }

    private String executedHeader(Template template) throws TemplateException {
        try {
            return template.executeHeader(new Headers(headers));
        } catch (TemplateException e) {
            throw new TemplateException("failed to execute template: " + e.getMessage());
        }
    }

    /// The row of heads: each field answers its head.
    private record Headers(Map<String, String> heads) implements Subject {
        @Override
        public Object field(String name, List<Object> arguments) {
            if (name.equals("Label") && arguments.size() == 1 && arguments.getFirst() instanceof String label) {
                return label.substring(label.lastIndexOf('.') + 1).replace('-', ' ').replace('_', ' ');
            }
            String head = heads.get(name);
            return head == null ? Values.ABSENT : head;
        }

        @Override
        public String typeName() {
            return "formatter.SubHeaderContext";
        }

        @Override
        public Json asJson() {
            return Json.ofMap(heads);
        }
    }
}
