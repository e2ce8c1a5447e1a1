package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.flag.Values;
import carafe.cli.format.Listing;
import carafe.cli.format.NetworkRow;
import carafe.cli.template.TemplateException;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/// The commands on networks that are there: ls, connect, disconnect, rm, prune.
final class NetworkCommands {

    private static final String WARNING = """
            WARNING! This will remove all custom networks not used by at least one container.
            Are you sure you want to continue? [y/N]\s""";

    private NetworkCommands() {}

    static Command list(String path) {
        var command = Command.of(path, "[OPTIONS]", "List networks").aliases("network ls", "network list");
        var flags = command.flags();
        flags.add("f,filter", "filter", "Provide filter values (e.g. \"driver=bridge\")").checked(Values::filter);
        Formats.list(flags);
        flags.bool("no-trunc", "Do not truncate the output");
        flags.bool("q,quiet", "Only display network IDs");
        return command.does(NetworkCommands::list);
    }

    private static int list(Call call) throws Failure, EngineError, IOException {
        var flags = call.flags();
        String format = flags.text("format");
        if (format.isEmpty()) {
            format = flags.truth("quiet") ? "{{.ID}}" : call.setting("networksFormat");
        }
        var rows = new ArrayList<NetworkRow>();
        var target = Filters.add(Target.of("networks"), flags.list("filter"));
        if (call.engine().get(target) instanceof Json.Arr array) {
            for (var element : array.elements()) {
                if (element instanceof Json.Obj network) {
                    rows.add(new NetworkRow(network, flags.truth("no-trunc")));
                }
            }
        }
        rows.sort(Comparator.comparing(row -> String.valueOf(row.field("Name", List.of()))));
        try {
            call.session().print(new Listing(NetworkRow.HEADERS, List.of("ID", "Name", "Driver", "Scope"))
                    .show(format, rows));
        } catch (TemplateException e) {
            throw new Failure(1, e.getMessage());
        }
        return 0;
    }

    static Command connect(String path) {
        var command = Command.of(path, "[OPTIONS] NETWORK CONTAINER", "Connect a container to a network")
                .aliases("network connect").words(2, 2);
        var flags = command.flags();
        flags.strings("alias", "Add network-scoped alias for the container");
        flags.strings("driver-opt", "driver options for the network");
        flags.integer("gw-priority", 0,
                "Highest gw-priority provides the default gateway. Accepts positive and negative values.");
        flags.text("ip", "IPv4 address (e.g., \"172.30.100.104\")");
        flags.text("ip6", "IPv6 address (e.g., \"2001:db8::33\")");
        flags.list("link", "Add link to another container");
        flags.strings("link-local-ip", "Add a link-local address for the container");
        return command.does(NetworkCommands::connect);
    }

    private static int connect(Call call) throws Failure, EngineError, IOException {
        var flags = call.flags();
        for (String option : flags.list("driver-opt")) {
            if (option.indexOf('=') < 0) {
                throw new Failure(1, "invalid key/value pair format in driver options");
            }
        }
        var ipam = Json.object()
                .put("IPv4Address", flags.text("ip"))
                .put("IPv6Address", flags.text("ip6"))
                .put("LinkLocalIPs", Json.ofTexts(flags.list("link-local-ip")))
                .build();
        var settings = Json.object()
                .put("IPAMConfig", ipam)
                .put("Links", Json.ofTexts(flags.list("link")))
                .put("Aliases", Json.ofTexts(flags.list("alias")))
                .put("DriverOpts", Json.ofMap(NetworkCreate.pairs(flags.list("driver-opt"))))
                .put("GwPriority", flags.number("gw-priority"))
                .build();
        call.engine().tell(Target.of("networks", call.word(0), "connect"), Json.object()
                .put("Container", call.word(1)).put("EndpointConfig", settings).build());
        return 0;
    }

    static Command disconnect(String path) {
        var command = Command.of(path, "[OPTIONS] NETWORK CONTAINER", "Disconnect a container from a network")
                .aliases("network disconnect").words(2, 2);
        command.flags().bool("f,force", "Force the container to disconnect from a network");
        return command.does(call -> {
            call.engine().tell(Target.of("networks", call.word(0), "disconnect"), Json.object()
                    .put("Container", call.word(1)).put("Force", call.flags().truth("force")).build());
            return 0;
        });
    }

    static Command remove(String path) {
        var command = Command.of(path, "NETWORK [NETWORK...]", "Remove one or more networks")
                .aliases("network rm", "network remove").words(1, Command.ANY);
        command.flags().bool("f,force", "Do not error if the network does not exist");
        return command.does(call -> Lifecycle.each(call, word -> {
            try {
                call.engine().delete(Target.of("networks", word));
            } catch (EngineError e) {
                if (!call.flags().truth("force") || !e.isNotFound()) {
                    throw e;
                }
                return "";
            }
            return word;
        }));
    }

    static Command prune(String path) {
        var command = Command.of(path, "[OPTIONS]", "Remove all unused networks").aliases("network prune");
        command.flags().add("filter", "filter", "Provide filter values (e.g. \"until=<timestamp>\")")
                .checked(Values::filter);
        command.flags().bool("f,force", "Do not prompt for confirmation");
        return command.does(NetworkCommands::prune);
    }

    private static int prune(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        if (!call.flags().truth("force")) {
            call.session().print(WARNING);
            if (!agreed(call)) {
                throw new Failure(1, "network prune has been cancelled");
            }
        }
        var answer = call.engine().post(
                Filters.add(Target.of("networks/prune"), call.flags().list("filter")), Json.object().build());
        var removed = answer.texts("NetworksDeleted");
        if (!removed.isEmpty()) {
            call.session().println("Deleted Networks:\n" + String.join("\n", removed) + "\n");
        }
        return 0;
    }

    private static boolean agreed(Call call) throws IOException {
        var line = new StringBuilder();
        for (int c = call.session().in().read(); c >= 0 && c != '\n' && line.length() < 10; c = call.session().in().read()) {
            line.append(new String(new byte[] {(byte) c}, StandardCharsets.ISO_8859_1));
        }
        return line.toString().strip().toLowerCase(Locale.ROOT).equals("y");
    }
}
