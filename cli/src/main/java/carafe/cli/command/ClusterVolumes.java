package carafe.cli.command;

import carafe.cli.client.Target;
import carafe.cli.flag.Flag;
import carafe.cli.flag.Flags;
import carafe.cli.flag.Values;
import carafe.cli.format.Listing;
import carafe.cli.format.VolumeRow;
import carafe.cli.template.TemplateException;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.List;

/// What Docker's `volume` says of volumes that a swarm has. There is no swarm here, and so there are none of them: who
/// asks for one is told so by the engine.
final class ClusterVolumes {

    private static final List<String> FLAGS = List.of("availability", "group", "limit-bytes", "required-bytes", "scope",
            "secret", "sharing", "topology-preferred", "topology-required", "type");

    private ClusterVolumes() {}

    /// Docker shows them where there is a swarm.
    static void declare(Flags flags) {
        availability(flags).hidden();
        flags.text("group", "Cluster Volume group (cluster volumes)").hidden();
        flags.add("limit-bytes", "bytes", "Minimum size of the Cluster Volume in bytes").checked(Values::bytes).hidden();
        flags.add("required-bytes", "bytes", "Maximum size of the Cluster Volume in bytes").checked(Values::bytes).hidden();
        flags.text("scope", "Cluster Volume access scope (\"single\", \"multi\")").otherwise("single").hidden();
        flags.add("secret", "map", "Cluster Volume secrets").shown("map[]").hidden();
        flags.text("sharing", "Cluster Volume access sharing (\"none\", \"readonly\", \"onewriter\", \"all\")").otherwise("none")
                .hidden();
        flags.list("topology-preferred", "A topology that the Cluster Volume would be preferred in").hidden();
        flags.list("topology-required", "A topology that the Cluster Volume must be accessible from").hidden();
        flags.text("type", "Cluster Volume access type (\"mount\", \"block\")").otherwise("block").hidden();
    }

    private static Flag availability(Flags flags) {
        return flags.text("availability", "Cluster Volume availability (\"active\", \"pause\", \"drain\")").otherwise("active");
    }

    /// The request with what makes it one of a swarm's, if any of the flags was given.
    static Json.Obj wanted(Flags flags, Json.Obj request) throws EngineException.Invalid {
        return FLAGS.stream().noneMatch(flags::given) ? request : request.with("ClusterVolumeSpec", Json.object()
                .put("Group", flags.text("group"))
                .put("Availability", flags.text("availability"))
                .put("AccessMode", Json.object().put("Scope", flags.text("scope")).put("Sharing", flags.text("sharing")).build())
                .build());
    }

    /// The list of none.
    static String none(boolean quiet) throws Failure {
        try {
            return quiet ? "" : new Listing(VolumeRow.HEADERS, VolumeRow.COLUMNS)
                    .show("table {{.Name}}\t{{.Group}}\t{{.Driver}}\t{{.Availability}}\t{{.Status}}", List.of());
        } catch (TemplateException e) {
            throw new Failure(1, e.getMessage());
        }
    }

    static Command update(String path) {
        var command = Command.of(path, "[OPTIONS] VOLUME", "Update a volume (cluster volumes only)").words(1, 1);
        availability(command.flags());
        return command.does(call -> {
            call.engine().fetchObject(Target.of("volumes", call.word(0)));
            throw new Failure(1, "can only update cluster volumes");
        });
    }
}
