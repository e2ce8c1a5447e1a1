package carafe.cli.format;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.List;
import java.util.TreeSet;

/// `info` in lines.
public final class InfoText {

    private final Json.Obj info;
    private final StringBuilder out = new StringBuilder("Server:\n");

    private InfoText(Json.Obj info) {
        this.info = info;
    }

    /// The lines about the client.
    public static String client(Json.Obj client) throws EngineException.Invalid {
        return "Client:\n Version:    " + client.text("Version") + "\n Context:    " + client.text("Context")
                + "\n Debug Mode: " + client.truth("Debug") + "\n";
    }

    /// The lines about the engine, from `GET /info`.
    public static String server(Json.Obj info) throws EngineException.Invalid {
        var text = new InfoText(info);
        text.counts();
        text.parts();
        text.runtimes();
        text.host();
        text.settings();
        return text.out.toString();
    }

    private void counts() throws EngineException.Invalid {
        line(1, "Containers", info.number("Containers", 0));
        line(2, "Running", info.number("ContainersRunning", 0));
        line(2, "Paused", info.number("ContainersPaused", 0));
        line(2, "Stopped", info.number("ContainersStopped", 0));
        line(1, "Images", info.number("Images", 0));
        text(1, "Server Version", "ServerVersion");
        text(1, "Storage Driver", "Driver");
        for (var pair : info.list("DriverStatus")) {
            if (pair instanceof Json.Arr array && array.elements().size() == 2
                    && array.elements().getFirst() instanceof Json.Str name
                    && array.elements().getLast() instanceof Json.Str value) {
                line(2, name.text(), value.text());
            }
        }
        text(1, "Logging Driver", "LoggingDriver");
        text(1, "Cgroup Driver", "CgroupDriver");
        text(1, "Cgroup Version", "CgroupVersion");
    }

    private void parts() throws EngineException.Invalid {
        var plugins = info.object("Plugins");
        out.append(" Plugins:\n");
        line(2, "Volume", String.join(" ", plugins.texts("Volume")));
        line(2, "Network", String.join(" ", plugins.texts("Network")));
        if (!plugins.texts("Authorization").isEmpty()) {
            line(2, "Authorization", String.join(" ", plugins.texts("Authorization")));
        }
        line(2, "Log", String.join(" ", plugins.texts("Log")));
        line(1, "Swarm", info.object("Swarm").text("LocalNodeState", "inactive"));
    }

    private void runtimes() throws EngineException.Invalid {
        if (!info.object("Runtimes").fields().isEmpty()) {
            line(1, "Runtimes", String.join(" ", new TreeSet<>(info.object("Runtimes").fields().keySet())));
            text(1, "Default Runtime", "DefaultRuntime");
        }
        text(1, "Init Binary", "InitBinary");
        commit("containerd version", "ContainerdCommit");
        commit("runc version", "RuncCommit");
        commit("init version", "InitCommit");
        var options = info.texts("SecurityOptions");
        if (!options.isEmpty()) {
            out.append(" Security Options:\n");
            for (var option : options) {
                security(option);
            }
        }
    }

    private void commit(String label, String field) throws EngineException.Invalid {
        if (info.find(field).isPresent()) {
            out.append(' ').append(label).append(": ").append(info.object(field).text("ID")).append('\n');
        }
    }

    private void security(String option) {
        for (var part : option.split(",")) {
            int equals = part.indexOf('=');
            String key = equals < 0 ? part : part.substring(0, equals);
            String value = part.substring(equals + 1);
            if (key.equals("name")) {
                out.append("  ").append(value).append('\n');
            } else {
                out.append("   ").append(key.equals("profile") ? "Profile" : key).append(": ").append(value).append('\n');
            }
        }
    }

    private void host() throws EngineException.Invalid {
        text(1, "Kernel Version", "KernelVersion");
        text(1, "Operating System", "OperatingSystem");
        text(1, "OSType", "OSType");
        text(1, "Architecture", "Architecture");
        line(1, "CPUs", info.number("NCPU", 0));
        line(1, "Total Memory", Human.binarySize(info.number("MemTotal", 0)));
        text(1, "Name", "Name");
        text(1, "ID", "ID");
        text(1, "Docker Root Dir", "DockerRootDir");
        line(1, "Debug Mode", info.truth("Debug"));
    }

    private void settings() throws EngineException.Invalid {
        text(1, "HTTP Proxy", "HttpProxy");
        text(1, "HTTPS Proxy", "HttpsProxy");
        text(1, "No Proxy", "NoProxy");
        lines("Labels", info.texts("Labels"));
        line(1, "Experimental", info.truth("ExperimentalBuild"));
        lines("Insecure Registries", info.object("RegistryConfig").texts("InsecureRegistryCIDRs"));
        lines("Registry Mirrors", info.object("RegistryConfig").texts("Mirrors"));
        line(1, "Live Restore Enabled", info.truth("LiveRestoreEnabled"));
        text(1, "Product License", "ProductLicense");
    }

    private void lines(String label, List<String> values) {
        if (!values.isEmpty()) {
            out.append(' ').append(label).append(":\n");
            for (var value : values) {
                out.append("  ").append(value).append('\n');
            }
        }
    }

    private void text(int indent, String label, String field) throws EngineException.Invalid {
        if (!info.text(field).isEmpty()) {
            line(indent, label, info.text(field));
        }
    }

    private void line(int indent, String label, Object value) {
        out.repeat(' ', indent).append(label).append(": ").append(value).append('\n');
    }
}
