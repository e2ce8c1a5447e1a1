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
        return Command.of(path, "CONTAINER [PRIVATE_PORT[/PROTO]]",
                "List port mappings or a specific mapping for the container")
                .aliases("container port", "port").words(1, 2).does(Port::run);
    }

    private static int run(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
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

    private static String address(Json.Obj binding) throws EngineException.Invalid {
        String host = binding.text("HostIp");
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + binding.text("HostPort");
    }
}
