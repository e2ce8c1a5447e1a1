package carafe.cli.format;

import carafe.cli.template.Subject;
import carafe.cli.template.TemplateException;
import carafe.spec.Json;
import java.util.List;

/// What rows have in common.
final class Rows {

    private Rows() {}

    /// An object of the row's `fields`, in the order given.
    static Json json(Subject row, String... fields) {
        var object = Json.object();
        for (var field : fields) {
            try {
                Object value = row.field(field, List.of());
                object.put(field, value instanceof Json json ? json : Json.of(String.valueOf(value)));
            } catch (TemplateException e) {
                throw new AssertionError(e); // rows answer their own fields
            }
        }
        return object.build();
    }
}
