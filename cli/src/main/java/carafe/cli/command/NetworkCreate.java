package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.create.IpamOption;
import carafe.cli.flag.FlagException;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// `network create`.
final class NetworkCreate {

    private NetworkCreate() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS] NETWORK", "Create a network").aliases("network create").words(1, 1);
        var flags = command.flags();
        flags.bool("attachable", "Enable manual container attachment");
        flags.add("aux-address", "map", "Auxiliary IPv4 or IPv6 addresses used by Network driver").shown("map[]");
        flags.text("config-from", "The network from which to copy the configuration");
        flags.bool("config-only", "Create a configuration only network");
        flags.text("d,driver", "Driver to manage the Network").otherwise("bridge");
        flags.strings("gateway", "IPv4 or IPv6 Gateway for the master subnet");
        flags.bool("ingress", "Create swarm routing-mesh network");
        flags.bool("internal", "Restrict external access to the network");
        flags.strings("ip-range", "Allocate container ip from a sub-range");
        flags.text("ipam-driver", "IP Address Management Driver").otherwise("default");
        flags.add("ipam-opt", "map", "Set IPAM driver specific options").shown("map[]");
        flags.bool("ipv4", "Enable or disable IPv4 address assignment").otherwise("true");
        flags.bool("ipv6", "Enable or disable IPv6 address assignment");
        flags.list("label", "Set metadata on a network");
        flags.add("o,opt", "map", "Set driver specific options").shown("map[]");
        flags.text("scope", "Control the network's scope");
        flags.strings("subnet", "Subnet in CIDR format that represents a network segment");
        return command.does(NetworkCreate::run);
    }

    private static int run(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        var flags = call.flags();
        Json pools;
        Map<String, String> options;
        Map<String, String> ipamOptions;
        try {
            options = pairs(flags.list("opt"));
            ipamOptions = pairs(flags.list("ipam-opt"));
            pools = IpamOption.config(flags.list("subnet"), flags.list("ip-range"),
                    flags.list("gateway"), pairs(flags.list("aux-address")));
        } catch (FlagException e) {
            throw new Failure(1, e.getMessage());
        }
        var labels = new LinkedHashMap<String, String>();
        for (String label : flags.list("label")) {
            int equals = label.indexOf('=');
            labels.put(equals < 0 ? label : label.substring(0, equals), equals < 0 ? "" : label.substring(equals + 1));
        }
        var body = Json.object()
                .put("Name", call.word(0))
                .put("Driver", flags.text("driver"))
                .put("Scope", flags.text("scope"))
                .put("Internal", flags.truth("internal"))
                .put("Attachable", flags.truth("attachable"))
                .put("Ingress", flags.truth("ingress"))
                .put("ConfigOnly", flags.truth("config-only"))
                .put("IPAM", Json.object()
                        .put("Driver", flags.text("ipam-driver"))
                        .put("Options", Json.ofMap(ipamOptions))
                        .put("Config", pools)
                        .build())
                .put("Options", Json.ofMap(options))
                .put("Labels", Json.ofMap(labels));
        if (flags.given("ipv4")) {
            body.put("EnableIPv4", flags.truth("ipv4"));
        }
        if (flags.given("ipv6")) {
            body.put("EnableIPv6", flags.truth("ipv6"));
        }
        if (!flags.text("config-from").isEmpty()) {
            body.put("ConfigFrom", Json.object().put("Network", flags.text("config-from")).build());
        }
        var answer = call.engine().post(Target.of("networks/create"), body.build());
        if (!answer.text("Warning").isEmpty()) {
            call.session().say("WARNING: " + answer.text("Warning"));
        }
        call.session().println(answer.text("Id"));
        return 0;
    }

    /// `key=value`, as flags of type map take it.
    static Map<String, String> pairs(List<String> typed) {
        var pairs = new LinkedHashMap<String, String>();
        for (String one : typed) {
            int equals = one.indexOf('=');
            pairs.put(equals < 0 ? one : one.substring(0, equals), equals < 0 ? "" : one.substring(equals + 1));
        }
        return pairs;
    }
}
