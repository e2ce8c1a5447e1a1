package carafe.cli.template;

import carafe.spec.Json;
import java.util.List;

/// Data that computes its fields when a template asks for them.
public interface Subject {

    /// The value of the field or method `name` with what stands behind it in the command: a String, Long, Boolean or
    /// [Json]. An unknown name answers [Values#ABSENT].
    Object field(String name, List<Object> arguments) throws TemplateException;

    /// Go's name of the type, for error sentences.
    String typeName();

    /// All fields, for the function `json` and for printing.
    Json asJson();
}
