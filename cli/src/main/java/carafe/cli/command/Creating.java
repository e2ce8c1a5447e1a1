package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.client.Unreachable;
import carafe.cli.create.CreateException;
import carafe.cli.create.CreateRequest;
import carafe.cli.flag.Flags;
import carafe.cli.session.Session;
import carafe.cli.session.Terminal;
import carafe.http.Address;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What `run` and `create` share: from flags to a container that exists.
final class Creating {

    private static final int OURS = 125;

    private final Call call;
    private final CreateRequest request;

    private Creating(Call call, CreateRequest request) {
        this.call = call;
        this.request = request;
    }

    /// Reads the call's flags.
    static Creating read(Call call, boolean detached) throws Failure {
        String pull = call.flags().text("pull");
        if (!pull.equals("always") && !pull.equals("missing") && !pull.equals("never") && !pull.isEmpty()) {
            throw failure(call.command(),
                    "invalid pull option: '" + pull + "': must be one of \"always\", \"missing\" or \"never\"");
        }
        String wrong = ImageName.mistake(call.word(0));
        if (!wrong.isEmpty()) {
            throw failure(call.command(), wrong);
        }
        try {
            String socket = call.engine().endpoint().address() instanceof Address.Unix unix ? unix.path().toString() : "";
            var context = new CreateRequest.Context(call.words(), detached, proxies(call), socket);
            return new Creating(call, CreateRequest.of(call.flags(), context, call.session()));
        } catch (CreateException e) {
            throw failure(call.command(), String.valueOf(e.getMessage()));
        }
    }

    CreateRequest request() {
        return request;
    }

    /// `proxies` of the user's settings that apply to this engine.
    static Map<String, String> proxies(Call call) {
        try {
            var proxies = call.settings().object("proxies");
            var all = new LinkedHashMap<>(proxies.textMap("default"));
            all.putAll(proxies.textMap(call.engine().endpoint().shown()));
            return all;
        } catch (EngineException.Invalid | Failure e) {
            return Map.of(); // settings of another shape than ours to read
        }
    }

    /// An error of run and create: 125, with a pointer to help.
    static Failure failure(Command command, String sentence) {
        return new Failure(OURS, Help.PROGRAM + ": " + sentence + Help.hint(command));
    }

    /// The document with the caller's window in it.
    Json.Obj body() throws EngineException.Invalid {
        Session session = call.session();
        if (!call.flags().truth("tty") || !session.terminal().isTerminal(1)) {
            return request.body();
        }
        var size = session.terminal().size().orElse(new Terminal.Size(0, 0));
        var console = Json.ofAll(List.of(Json.of(size.rows()), Json.of(size.columns())));
        return request.body().with("HostConfig", request.body().object("HostConfig").with("ConsoleSize", console));
    }

    /// Makes the container, pulling its image when it is missing; answers its id.
    String create() throws Failure, EngineException.Invalid, IOException {
        Flags flags = call.flags();
        Path file = call.session().path(flags.text("cidfile"));
        boolean recorded = !flags.text("cidfile").isEmpty();
        if (recorded && call.session().files().exists(file)) {
            throw failure(call.command(), "container ID file found, make sure the other container isn't running or delete "
                    + flags.text("cidfile"));
        }
        try {
            String image = call.word(0);
            if (flags.text("pull").equals("always")) {
                pull(image);
            }
            Json.Obj answer;
            try {
                answer = post();
            } catch (EngineError e) {
                if (!e.isNotFound() || !isImageMissing(e) || flags.text("pull").equals("never")) {
                    throw e;
                }
                if (!flags.truth("quiet")) {
                    call.session().say("Unable to find image '" + ImageName.tagged(image) + "' locally");
                }
                pull(image);
                answer = post();
            }
            for (var warning : answer.texts("Warnings")) {
                call.session().say("WARNING: " + warning);
            }
            String id = answer.text("Id");
            if (recorded) {
                try (OutputStream out = call.session().files().create(file)) {
                    out.write(id.getBytes(StandardCharsets.UTF_8));
                }
            }
            return id;
        } catch (EngineError e) {
            throw refused(e);
        } catch (Unreachable e) {
            throw new Failure(OURS, e.getMessage());
        }
    }

    /// What the engine refused: `run` ends with 125 and a pointer to help, `create` with 1, as docker's do.
    private Failure refused(EngineError e) {
        return call.command().path().endsWith("create")
                ? new Failure(1, e.sentence())
                : failure(call.command(), e.sentence());
    }

    /// Also where it is here for other platforms only.
    private static boolean isImageMissing(EngineError error) {
        String said = String.valueOf(error.getMessage()).toLowerCase(Locale.ROOT);
        return said.contains("no such image") || said.contains("was found but does not match the specified platform");
    }

    private Json.Obj post() throws Failure, EngineError, EngineException.Invalid, IOException {
        return call.engine().post(
                Target.of("containers/create").given("name", request.name()).given("platform", request.platform()), body());
    }

    private void pull(String image) throws Failure, EngineException.Invalid, IOException {
        try {
            var wanted = new Pulling.Wanted(image, request.platform(), false, false);
            Pulling.pull(call, wanted, call.session().err(), call.flags().truth("quiet"));
        } catch (EngineError e) {
            throw failure(call.command(), e.sentence());
        } catch (Failure e) {
            throw failure(call.command(), String.valueOf(e.getMessage()));
        }
    }
}
