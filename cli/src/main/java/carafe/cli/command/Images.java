package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.flag.Values;
import carafe.cli.format.ImageRow;
import carafe.cli.format.Listing;
import carafe.cli.template.TemplateException;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// `images`: the images, a row for each name.
final class Images {

    private Images() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS] [REPOSITORY[:TAG]]", "List images")
                .aliases("image ls", "image list", "images").words(0, 1);
        var flags = command.flags();
        flags.bool("a,all", "Show all images (default hides intermediate images)");
        flags.bool("digests", "Show digests");
        flags.add("f,filter", "filter", "Filter output based on conditions provided").checked(Values::filter);
        Formats.list(flags);
        flags.bool("no-trunc", "Don't truncate output");
        flags.bool("q,quiet", "Only show image IDs");
        return command.does(Images::run);
    }

    private static int run(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        var flags = call.flags();
        var filters = new ArrayList<>(flags.list("filter"));
        if (!call.words().isEmpty()) {
            filters.add("reference=" + call.word(0));
        }
        boolean quiet = flags.truth("quiet");
        String format = flags.text("format");
        if (format.isEmpty()) {
            format = quiet ? "{{.ID}}" : call.setting("imagesFormat");
        }
        var style = new ImageRow.Style(flags.truth("no-trunc"), flags.truth("digests") || format.contains(".Digest"),
                call.session().clock().instant());
        var rows = new ArrayList<ImageRow>();
        var target = Filters.add(Target.of("images/json").when(flags.truth("all"), "all"), filters);
        if (call.engine().get(target) instanceof Json.Arr array) {
            for (var element : array.elements()) {
                if (element instanceof Json.Obj image) {
                    rows.addAll(ImageRow.of(image, style));
                }
            }
        }
        var columns = new ArrayList<>(flags.truth("digests")
                ? List.of("Repository", "Tag", "Digest", "ID", "CreatedSince", "Size")
                : List.of("Repository", "Tag", "ID", "CreatedSince", "Size"));
        if (rows.stream().anyMatch(ImageRow::isArtifact)) {
            columns.add("ArtifactType"); // last, so that who cuts columns gets the same as ever
        }
        try {
            call.session().print(new Listing(ImageRow.HEADERS, columns).show(format, rows));
        } catch (TemplateException e) {
            throw new Failure(1, e.getMessage());
        }
        return 0;
    }
}
