package carafe.cli.command;

import carafe.cli.client.Engine;
import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.client.Unreachable;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// `version`: what the client and the engine are.
final class Version {

    private static final Map<String, String> LABELS = Map.of(
            "ApiVersion", "API version", "GoVersion", "Go version", "JavaVersion", "Java version",
            "GitCommit", "Git commit", "BuildTime", "Built", "OsArch", "OS/Arch");

    private Version() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS]", "Show the Carafe version information");
        Formats.document(command.flags(), "f,format");
        return command.does(Version::run);
    }

    private static int run(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        Json.@Nullable Obj server = null;
        @Nullable Exception trouble = null;
        try {
            call.engine().agree();
            server = call.engine().fetchObject(Target.of("version"));
        } catch (Unreachable e) {
            trouble = e;
        } catch (EngineError e) {
            trouble = e;
        }
        var client = client(call);
        String format = call.flags().text("format");
        if (!format.isEmpty()) {
            boolean template = !format.equals("json");
            var both = Json.object()
                    .put("Client", template ? named(client) : client)
                    .put("Server", server == null ? Json.NULL : template ? named(server) : server)
                    .build();
            call.session().println(Documents.show(format, both, "failed to execute template: "));
        } else {
            call.session().print(text(client, server, call.engine().version()));
        }
        if (trouble != null) {
            throw new Failure(1, trouble instanceof EngineError e ? e.sentence() : String.valueOf(trouble.getMessage()));
        }
        return 0;
    }

    /// Templates say `.APIVersion`, documents `ApiVersion`, as with docker: one is the field's name, the other its key.
    private static Json.Obj named(Json.Obj side) {
        return side.with("APIVersion", side.find("ApiVersion").orElse(Json.NULL));
    }

    private static Json.Obj client(Call call) throws Failure {
        return Json.object()
                .put("Version", Carafe.VERSION)
                .put("ApiVersion", call.engine().version())
                .put("DefaultAPIVersion", Engine.NEWEST)
                .put("GitCommit", "")
                .put("GoVersion", "")
                .put("JavaVersion", Runtime.version().toString())
                .put("Os", "linux")
                .put("Arch", System.getProperty("os.arch", "").equals("aarch64") ? "arm64" : System.getProperty("os.arch", ""))
                .put("BuildTime", "")
                .put("Context", call.context())
                .build();
    }

    private static String text(Json.Obj client, Json.@Nullable Obj server, String spoken)
            throws EngineException.Invalid {
        var text = new StringBuilder("Client:\n");
        line(text, " ", "Version", client.text("Version"));
        line(text, " ", "ApiVersion", spoken.equals(Engine.NEWEST) ? spoken
                : spoken + " (downgraded from " + Engine.NEWEST + ")");
        line(text, " ", "JavaVersion", client.text("JavaVersion"));
        line(text, " ", "OsArch", client.text("Os") + "/" + client.text("Arch"));
        line(text, " ", "Context", client.text("Context"));
        if (server == null) {
            return text.toString();
        }
        String platform = server.object("Platform").text("Name");
        text.append("\nServer:").append(platform.isEmpty() ? "" : " " + platform).append('\n');
        for (var component : server.objects("Components")) {
            var details = component.object("Details");
            text.append(' ').append(component.text("Name")).append(":\n");
            line(text, "  ", "Version", component.text("Version"));
            if (component.text("Name").equals("Engine")) {
                line(text, "  ", "ApiVersion", details.text("ApiVersion") + " (minimum version "
                        + details.text("MinAPIVersion") + ")");
                line(text, "  ", "GoVersion", details.text("GoVersion"));
                line(text, "  ", "JavaVersion", details.text("JavaVersion"));
                line(text, "  ", "GitCommit", details.text("GitCommit"));
                line(text, "  ", "BuildTime", details.text("BuildTime"));
                line(text, "  ", "OsArch", details.text("Os") + "/" + details.text("Arch"));
                line(text, "  ", "Experimental", details.text("Experimental"));
            } else {
                for (var detail : details.fields().entrySet()) {
                    if (detail.getValue() instanceof Json.Str value) {
                        text.append("  ").append(detail.getKey()).append(':')
                                .repeat(' ', Math.max(1, 17 - detail.getKey().length())).append(value.text()).append('\n');
                    }
                }
            }
        }
        return text.toString();
    }

    private static void line(StringBuilder text, String indent, String name, String value) {
        if (!value.isEmpty()) {
            String label = LABELS.getOrDefault(name, name);
            text.append(indent).append(label).append(':')
                    .repeat(' ', Math.max(1, 19 - indent.length() - label.length())).append(value).append('\n');
        }
    }
}
