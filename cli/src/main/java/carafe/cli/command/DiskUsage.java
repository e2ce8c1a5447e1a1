package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.format.DiskUsageRow;
import carafe.cli.format.DiskUsageText;
import carafe.cli.format.Listing;
import carafe.cli.template.TemplateException;
import java.io.IOException;

/// `system df`: what takes space.
final class DiskUsage {

    private DiskUsage() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS]", "Show disk usage");
        Formats.list(command.flags());
        command.flags().bool("v,verbose", "Show detailed information on space usage");
        return command.does(DiskUsage::run);
    }

    private static int run(Call call) throws Failure, EngineError, IOException {
        String format = call.flags().text("format");
        boolean verbose = call.flags().truth("verbose");
        var usage = call.engine().fetchObject(Target.of("system/df"));
        try {
            call.session().print(verbose && format.isEmpty()
                    ? DiskUsageText.of(usage, call.session().clock().instant())
                    : new Listing(DiskUsageRow.HEADERS, DiskUsageRow.COLUMNS).show(format, DiskUsageRow.of(usage)));
        } catch (TemplateException e) {
            throw new Failure(1, e.getMessage());
        }
        return 0;
    }
}
