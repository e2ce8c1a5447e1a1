package carafe.cli.command;

import carafe.cli.template.Template;
import carafe.cli.template.TemplateException;
import carafe.spec.Json;

/// One document by a template: `json`, or Go's.
final class Documents {

    /// What Docker exits with when a template cannot be read.
    private static final int UNREADABLE = 64;

    private Documents() {}

    /// The text of `document`; what fails begins with `prefix`.
    static String show(String format, Json document, String prefix) throws Failure {
        if (format.equals("json")) {
            return document.print();
        }
        Template template;
        try {
            template = Template.parse(format);
        } catch (TemplateException e) {
            throw new Failure(UNREADABLE, "template parsing error: " + e.getMessage());
        }
        try {
            return template.execute(document);
        } catch (TemplateException e) {
            throw new Failure(1, prefix + e.getMessage());
        }
    }
}
