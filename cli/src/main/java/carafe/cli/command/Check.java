package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.format.Human;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.io.InputStream;

/// `system check`: whether everything that is stored, and what the engine has on its host, is what it should be. Exits 1
/// when something is not and stays so.
final class Check {

    private static final int LARGEST_ANSWER = 64 << 20;

    private Check() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS]", "Verify everything that is stored, and repair it");
        var flags = command.flags();
        flags.text("from", "Repair from this image archive too, as \"save\" writes it");
        flags.text("login", "Show a registry the credentials that are kept for it");
        flags.bool("repair", "Repair what is damaged, images by their digests from the registries they came from");
        flags.bool("take-volumes", "Use the directory of volumes that is there from now on, not the one of before");
        return command.does(Check::run);
    }

    private static int run(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        String archive = call.flags().text("from");
        boolean repair = call.flags().truth("repair") || !archive.isEmpty();
        var target = Target.of("system/check").when(repair, "repair")
                .when(call.flags().truth("take-volumes"), "take-volumes");
        Json.Obj result;
        if (archive.isEmpty()) {
            String registry = call.flags().text("login");
            try (var answer = registry.isEmpty() ? call.engine().openPost(target)
                    : call.engine().openPost(target, call.credentials().header(registry))) {
                result = Json.parseObject(answer.readBody(LARGEST_ANSWER));
            }
        } else {
            try (InputStream in = call.session().files().read(call.session().path(archive));
                    var answer = call.engine().upload(target, in)) {
                result = Json.parseObject(answer.readBody(LARGEST_ANSWER));
            }
        }
        int wrong = hostFaults(call, result);
        int left = 0;
        for (var problem : result.objects("Problems")) {
            boolean repaired = problem.truth("Repaired");
            left += repaired ? 0 : 1;
            String users = String.join(", ", problem.texts("Images"));
            call.session().println((repaired ? "repaired: " : "damaged: ") + problem.text("Kind") + " "
                    + problem.text("Digest") + ": " + problem.text("Fault")
                    + (users.isEmpty() ? "" : " (needed by " + users + ")"));
        }
        call.session().println("Checked " + result.number("Layers", 0) + " layers and " + result.number("Blobs", 0)
                + " blobs, " + Human.size(result.number("Bytes", 0), 4));
        if (left > 0) {
            throw new Failure(1, left + (left == 1 ? " thing is" : " things are") + " damaged\n  try:  "
                    + (repair ? "repair from an archive with the image (--from FILE), log in to its registry (--login HOST), or"
                                    + " remove and pull it again"
                            : "carafe system check --repair, with --from FILE if there is an archive of the image"));
        }
        if (wrong > 0) {
            throw new Failure(1, wrong + (wrong == 1 ? " thing" : " things") + " of the engine's on this host "
                    + (wrong == 1 ? "is" : "are") + " not as it should be"
                    + (mendable(result) && !repair ? "\n  try:  carafe system check --repair" : ""));
        }
        return 0;
    }

    /// Which directory of volumes is meant nobody but the user knows; what to do is said with it.
    private static boolean mendable(Json.Obj result) throws EngineException.Invalid {
        for (var fault : result.objects("Host")) {
            if (!fault.truth("Repaired") && !fault.text("Kind").equals("volumes")) {
                return true;
            }
        }
        return false;
    }

    /// Tells them. @return how many stay
    private static int hostFaults(Call call, Json.Obj result) throws EngineException.Invalid, IOException {
        int left = 0;
        for (var fault : result.objects("Host")) {
            boolean repaired = fault.truth("Repaired");
            left += repaired ? 0 : 1;
            call.session().println((repaired ? "repaired: " : "wrong: ") + fault.text("Kind") + " " + fault.text("Name") + ": "
                    + fault.text("Fault"));
        }
        return left;
    }
}
