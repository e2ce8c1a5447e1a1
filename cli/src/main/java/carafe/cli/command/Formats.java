package carafe.cli.command;

import carafe.cli.flag.Flag;
import carafe.cli.flag.Flags;

/// The flag `--format`.
final class Formats {

    private static final String REFER = """

            Refer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates""";

    private Formats() {}

    /// For lists.
    static Flag list(Flags flags) {
        return flags.text("format", """
                Format output using a custom template:
                'table':            Print output in table format with column headers (default)
                'table TEMPLATE':   Print output in table format using the given Go template
                'json':             Print in JSON format
                'TEMPLATE':         Print output using the given Go template.""" + REFER);
    }

    /// For documents; `spelled` says whether it has a letter.
    static Flag document(Flags flags, String spelled) {
        return flags.text(spelled, """
                Format output using a custom template:
                'json':             Print in JSON format
                'TEMPLATE':         Print output using the given Go template.""" + REFER);
    }
}
