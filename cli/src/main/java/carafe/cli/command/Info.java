package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.format.InfoText;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;

/// `info`: the engine and its host.
final class Info {

    private Info() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS]", "Display system-wide information").aliases("system info", "info");
        Formats.document(command.flags(), "f,format");
        return command.does(Info::run);
    }

    private static int run(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        String format = call.flags().text("format");
        var client = Json.object().put("Debug", false).put("Version", Carafe.VERSION).put("Context", call.context()).build();
        Json.Obj info;
        try {
            info = call.engine().fetchObject(Target.of("info"));
        } catch (IOException e) {
            if (format.isEmpty()) {
                call.session().print(InfoText.client(client) + "\nServer:\n");
            }
            throw e;
        }
        if (!format.isEmpty()) {
            call.session().println(Documents.show(format, info.with("ClientInfo", client), "failed to execute template: "));
            return 0;
        }
        call.session().print(InfoText.client(client) + "\n" + InfoText.server(info) + "\n");
        for (var warning : info.texts("Warnings")) {
            call.session().say(warning);
        }
        return 0;
    }
}
