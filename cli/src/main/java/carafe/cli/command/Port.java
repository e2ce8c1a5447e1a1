package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.util.TreeSet;

/// `port`: where the host offers a container's ports.
final class Port {

    private Port() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS] CONTAINER [PRIVATE_PORT[/PROTO]]",
                "List port mappings or a specific mapping for the container")
                .aliases("container port", "port").words(1, 2);
        command.flags().bool("reachable", "Tell from where each port can be reached");
        return command.does(Port::run);
    }

    private static int run(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        if (call.flags().truth("reachable")) {
            return reachable(call);
        }
        var container = call.engine().fetchObject(Target.of("containers", call.word(0), "json"));
        var ports = container.object("NetworkSettings").object("Ports");
        var lines = new TreeSet<String>();
        if (call.words().size() > 1) {
            String wanted = call.word(1).indexOf('/') < 0 ? call.word(1) + "/tcp" : call.word(1);
            for (var binding : ports.objects(wanted)) {
                lines.add(address(binding));
            }
            if (lines.isEmpty()) {
                throw new Failure(1, "Error: No public port '" + call.word(1) + "' published for " + call.word(0));
            }
        } else {
            for (var port : ports.fields().keySet()) {
                for (var binding : ports.objects(port)) {
                    lines.add(port + " -> " + address(binding));
                }
            }
        }
        for (var line : lines) {
            call.session().println(line);
        }
        return 0;
    }

    /// One line for each port and one for each remark on it.
    private static int reachable(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        String wanted = call.words().size() < 2 ? ""
                : call.word(1).indexOf('/') < 0 ? call.word(1) + "/tcp" : call.word(1);
        var answer = call.engine().fetchOwn(Target.of("carafe/v1/containers", call.word(0), "reach"));
        boolean found = false;
        for (var port : answer.objects("Ports")) {
            if (wanted.isEmpty() || wanted.equals(port.text("ContainerPort"))) {
                found = true;
                String from = port.truth("FromOthers") ? "this host and others"
                        : port.truth("FromThisHost") ? "this host only" : "nowhere";
                call.session().println(port.text("ContainerPort") + " -> " + port.text("Host") + ": from " + from);
                for (String remark : port.texts("Remarks")) {
                    call.session().println("  " + remark);
                }
            }
        }
        if (!found && !wanted.isEmpty()) {
            throw new Failure(1, "Error: No public port '" + call.word(1) + "' published for " + call.word(0));
        }
        return 0;
    }

    private static String address(Json.Obj binding) throws EngineException.Invalid {
        String host = binding.text("HostIp");
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + binding.text("HostPort");
    }
}
