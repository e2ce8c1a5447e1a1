package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.flag.Values;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.TreeMap;

/// `events`: what happens in the engine, as it happens.
final class Events {

    private static final long NANOS = 1_000_000_000L;

    private Events() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS]", "Get real time events from the server").aliases("system events", "events");
        var flags = command.flags();
        flags.add("f,filter", "filter", "Filter output based on conditions provided").checked(Values::filter);
        Formats.document(flags, "format");
        flags.text("since", "Show all events created since timestamp");
        flags.text("until", "Stream events until this timestamp");
        return command.does(Events::run);
    }

    private static int run(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        String refusal = "Error response from daemon: ";
        var target = Filters.add(Target.of("events").given("since", Logs.moment(call, "since", refusal))
                .given("until", Logs.moment(call, "until", refusal)), call.flags().list("filter"));
        String format = call.flags().text("format");
        try (var answer = call.engine().open(target); var events = Json.stream(answer.body())) {
            for (var next = events.next(); next.isPresent(); next = events.next()) {
                if (next.get() instanceof Json.Obj event) {
                    call.session().println(format.isEmpty() ? line(event)
                            : Documents.show(format, event, "Error parsing format: "));
                }
            }
        }
        return 0;
    }

    private static String line(Json.Obj event) throws EngineException.Invalid {
        long nanos = event.number("timeNano", event.number("time", 0) * NANOS);
        var instant = Instant.ofEpochSecond(Math.floorDiv(nanos, NANOS), Math.floorMod(nanos, NANOS));
        var text = new StringBuilder(DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.nnnnnnnnnXXX", Locale.ROOT)
                .format(instant.atZone(ZoneId.systemDefault())));
        var actor = event.object("Actor");
        text.append(' ').append(event.text("Type")).append(' ').append(event.text("Action", event.text("status")))
                .append(' ').append(actor.text("ID", event.text("id")));
        var attributes = new TreeMap<>(actor.textMap("Attributes"));
        String separator = " (";
        for (var attribute : attributes.entrySet()) {
            text.append(separator).append(attribute.getKey()).append('=').append(attribute.getValue());
            separator = ", ";
        }
        return attributes.isEmpty() ? text.toString() : text.append(')').toString();
    }
}
