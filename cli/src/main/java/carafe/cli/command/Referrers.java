package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.format.Listing;
import carafe.cli.format.ReferrerRow;
import carafe.cli.template.TemplateException;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;

/// `image referrers`: what refers to an image at its registry, or here: signatures, attestations, lists of its parts.
final class Referrers {

    private Referrers() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS] NAME[:TAG|@DIGEST]",
                "List what refers to an image: signatures, attestations").words(1, 1);
        var flags = command.flags();
        flags.text("artifact-type", "Show artifacts of this type only");
        flags.text("format", "Format output using a Go template, \"json\" or \"table TEMPLATE\"");
        flags.bool("local", "Look here only, not at the registry");
        flags.bool("q,quiet", "Only show digests");
        return command.does(Referrers::run);
    }

    private static int run(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        String image = call.word(0);
        String type = call.flags().text("artifact-type");
        var rows = new ArrayList<ReferrerRow>();
        var list = call.flags().truth("local") ? here(call, image) : there(call, image);
        for (var found : list.objects("referrers")) {
            if (type.isEmpty() || found.object("descriptor").text("artifactType").equals(type)) {
                rows.add(new ReferrerRow(found));
            }
        }
        String format = call.flags().text("format");
        try {
            call.session().print(new Listing(ReferrerRow.HEADERS, ReferrerRow.COLUMNS)
                    .show(format.isEmpty() && call.flags().truth("quiet") ? "{{.Digest}}" : format, rows));
        } catch (TemplateException e) {
            throw new Failure(1, e.getMessage());
        }
        String left = list.text("left");
        if (!left.isEmpty()) {
            call.session().err().write(("Not all is shown: " + left + "\n").getBytes(StandardCharsets.UTF_8));
        }
        return 0;
    }

    private static Json.Obj here(Call call, String image)
            throws Failure, EngineError, EngineException.Invalid, IOException {
        return call.engine().fetchOwn(Target.of("carafe/v1/images/referrers").with("name", image), "");
    }

    private static Json.Obj there(Call call, String image)
            throws Failure, EngineError, EngineException.Invalid, IOException {
        String wrong = ImageName.mistake(image);
        if (!wrong.isEmpty()) {
            throw new Failure(1, wrong);
        }
        var target = Target.of("carafe/v1/registry/referrers").with("name", image);
        return call.engine().fetchOwn(target, call.credentials().header(ImageName.registry(image)));
    }
}
