package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.create.Variables;
import carafe.cli.flag.Values;
import carafe.cli.format.Human;
import carafe.cli.format.Listing;
import carafe.cli.format.VolumeRow;
import carafe.cli.template.TemplateException;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Comparator;

/// `volume`: what containers keep. Beyond Docker's: `clone`, `export`, `import`, `rename`.
final class VolumeCommands {

    private static final int LONGEST_ANSWER = 100;

    private VolumeCommands() {}

    static Command create(String path) {
        var command = Command.of(path, "[OPTIONS] [VOLUME]", "Create a volume").words(0, 1);
        var flags = command.flags();
        flags.text("d,driver", "Specify volume driver name").otherwise("local");
        flags.list("label", "Set metadata for a volume");
        flags.add("o,opt", "map", "Set driver specific options").shown("map[]");
        flags.text("name", "Specify volume name").hidden();
        ClusterVolumes.declare(flags);
        return command.does(call -> {
            String name = call.flags().text("name");
            if (!call.words().isEmpty()) {
                if (!name.isEmpty()) {
                    throw new Failure(1, "conflicting options: cannot specify a volume name through both --name and as"
                            + " a positional arg");
                }
                name = call.word(0);
            }
            var made = call.engine().post(Target.of("volumes/create"), ClusterVolumes.wanted(call.flags(), Json.object()
                    .put("Name", name)
                    .put("Driver", call.flags().text("driver"))
                    .put("DriverOpts", Json.ofMap(Variables.map(call.flags().list("opt"))))
                    .put("Labels", Json.ofMap(Variables.map(call.flags().list("label"))))
                    .build()));
            call.session().println(made.text("Name"));
            return 0;
        });
    }

    static Command list(String path) {
        var command = Command.of(path, "[OPTIONS]", "List volumes").aliases("volume ls", "volume list");
        var flags = command.flags();
        flags.bool("cluster", "Display only cluster volumes, and use cluster volume list formatting").hidden();
        flags.add("f,filter", "filter", "Provide filter values (e.g. \"dangling=true\")").checked(Values::filter);
        Formats.list(flags);
        flags.bool("q,quiet", "Only display volume names");
        return command.does(call -> {
            var answer = call.engine().fetchObject(Filters.add(Target.of("volumes"), call.flags().list("filter")));
            var rows = new ArrayList<VolumeRow>();
            for (var volume : answer.objects("Volumes")) {
                rows.add(new VolumeRow(volume));
            }
            rows.sort(Comparator.comparing(VolumeRow::name));
            boolean quiet = call.flags().truth("quiet");
            if (call.flags().truth("cluster")) {
                call.session().print(ClusterVolumes.none(quiet));
                return 0;
            }
            String format = call.flags().text("format");
            if (format.isEmpty()) {
                format = quiet ? "{{.Name}}" : call.setting("volumesFormat");
            }
            try {
                call.session().print(new Listing(VolumeRow.HEADERS, VolumeRow.COLUMNS).show(format, rows));
            } catch (TemplateException e) {
                throw new Failure(1, e.getMessage());
            }
            return 0;
        });
    }

    static Command remove(String path) {
        var command = Command.of(path, "[OPTIONS] VOLUME [VOLUME...]",
                "Remove one or more volumes. You cannot remove a volume that is in use by a container.")
                .aliases("volume rm", "volume remove").words(1, Command.ANY);
        command.flags().bool("f,force", "Force the removal of one or more volumes");
        return command.does(call -> Lifecycle.each(call, word -> {
            call.engine().delete(Target.of("volumes", word).when(call.flags().truth("force"), "force"));
            return word;
        }));
    }

    static Command prune(String path) {
        var command = Command.of(path, "[OPTIONS]", "Remove unused local volumes");
        var flags = command.flags();
        flags.bool("a,all", "Remove all unused volumes, not just anonymous ones");
        flags.add("filter", "filter", "Provide filter values (e.g. \"label=<label>\")").checked(Values::filter);
        flags.bool("f,force", "Do not prompt for confirmation");
        return command.does(VolumeCommands::prune);
    }

    private static int prune(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        boolean all = call.flags().truth("all");
        if (!call.flags().truth("force")) {
            call.session().print("WARNING! This will remove " + (all ? "all" : "anonymous local")
                    + " volumes not used by at least one container.\nAre you sure you want to continue? [y/N] ");
            if (!line(call.session().in()).strip().equalsIgnoreCase("y")) {
                throw new Failure(1, "volume prune has been cancelled");
            }
        }
        var filters = new ArrayList<>(call.flags().list("filter"));
        if (all) {
            filters.add("all=true");
        }
        try (var answer = call.engine().openPost(Filters.add(Target.of("volumes/prune"), filters))) {
            var report = Json.parseObject(answer.readBody(64 << 20));
            var names = report.texts("VolumesDeleted");
            if (!names.isEmpty()) {
                call.session().println("Deleted Volumes:");
                for (var name : names) {
                    call.session().println(name);
                }
                call.session().println("");
            }
            call.session().println("Total reclaimed space: " + Human.size(report.number("SpaceReclaimed", 0), 4));
        }
        return 0;
    }

    private static String line(InputStream in) throws IOException {
        var line = new StringBuilder();
        for (int next = in.read(); next >= 0 && next != '\n' && line.length() < LONGEST_ANSWER; next = in.read()) {
            line.append((char) next);
        }
        return line.toString();
    }

    static Command rename(String path) {
        return Command.of(path, "VOLUME NEW_NAME", "Rename a volume that no container uses").words(2, 2).does(call -> {
            call.engine().postOwn(Target.of("carafe/v1/volumes", call.word(0), "rename").with("name", call.word(1)));
            return 0;
        });
    }

    static Command duplicate(String path) {
        return Command.of(path, "VOLUME NEW_VOLUME", "Copy a volume, with its labels and options, to a new one")
                .words(2, 2).does(call -> {
                    call.engine().postOwn(
                            Target.of("carafe/v1/volumes", call.word(0), "clone").with("name", call.word(1)));
                    call.session().println(call.word(1));
                    return 0;
                });
    }

    static Command pack(String path) {
        var command = Command.of(path, "[OPTIONS] VOLUME", "Write a volume's content as a tar archive").words(1, 1);
        command.flags().text("o,output", "Write to a file, instead of STDOUT");
        return command.does(call -> {
            String file = call.flags().text("output");
            if (file.isEmpty() && call.session().terminal().isTerminal(1)) {
                throw new Failure(1, "cowardly refusing to save to a terminal. Use the -o flag or redirect");
            }
            try (var answer = call.engine().openOwn(Target.of("carafe/v1/volumes", call.word(0), "archive"))) {
                if (file.isEmpty()) {
                    answer.body().transferTo(call.session().out());
                    return 0;
                }
                try (OutputStream out = call.session().files().create(call.session().path(file))) {
                    answer.body().transferTo(out);
                }
            }
            return 0;
        });
    }

    static Command unpack(String path) {
        var command = Command.of(path, "[OPTIONS] VOLUME [FILE|-]", "Make a new volume of a tar archive, from a file or STDIN");
        command.flags().add("o,opt", "map", "Set driver specific options, as size=100m").shown("map[]");
        return command.words(1, 2).does(call -> {
            boolean input = call.words().size() < 2 || call.word(1).equals("-");
            if (input && call.session().terminal().isTerminal(0)) {
                throw new Failure(1, "requested import from stdin, but stdin is empty");
            }
            var options = Variables.map(call.flags().list("opt"));
            var target = Target.of("carafe/v1/volumes", call.word(0), "archive")
                    .given("options", options.isEmpty() ? "" : Json.ofMap(options).print());
            try (InputStream archive = input ? call.session().in()
                    : call.session().files().read(call.session().path(call.word(1)));
                    var answer = call.engine().uploadOwn(target, archive)) {
                answer.readBody(1 << 20);
            }
            call.session().println(call.word(0));
            return 0;
        });
    }
}
