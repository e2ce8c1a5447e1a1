package carafe.daemon;

import carafe.http.Address;
import carafe.http.ClientRequest;
import carafe.http.HttpClient;
import carafe.hub.Hub;
import carafe.hub.HubConfig;
import carafe.hub.store.Verifier;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Optional;

/// `carafe hub verify`: has the hub that runs read its content, through its unix socket, or reads it here when none runs.
/// Ends with 1 when something is damaged and stays so.
final class HubVerify {

    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final int LARGEST_ANSWER = 64 << 20;

    private final PrintStream out;

    HubVerify(PrintStream out) {
        this.out = out;
    }

    /// The exit status.
    int run(HubConfig config, boolean repair) throws EngineException {
        for (var address : config.listen()) {
            if (address instanceof Address.Unix(Path socket) && Files.exists(socket)) {
                var report = ask(socket, repair);
                if (report.isPresent()) {
                    return print(report.get(), repair);
                }
            }
        }
        try (var hub = Hub.start(config.withoutDoors(), HubCommand.surroundings("unknown", Optional.empty()))) {
            return print(hub.verify(repair), repair);
        } catch (EngineException.Unavailable e) {
            throw new EngineException.Unavailable(e.getMessage() + "\n  if it runs: add \"unix:///PATH\" to \"listen\", or as an"
                    + " administrator POST /api/v1/verify" + (repair ? "?repair=true" : "")
                    + "; inside the daemon: carafe system check", e);
        }
    }

    /// Empty when nobody is behind the socket.
    private static Optional<Verifier.Report> ask(Path socket, boolean repair) throws EngineException {
        try (var client = new HttpClient(new Address.Unix(socket), CONNECT)) {
            try (var ping = client.send(ClientRequest.get("/v2/"))) {
                ping.readBody(LARGEST_ANSWER);
            } catch (IOException e) {
                return Optional.empty();
            }
            try (var answer = client.send(ClientRequest.of("POST", "/api/v1/verify" + (repair ? "?repair=true" : "")))) {
                byte[] body = answer.readBody(LARGEST_ANSWER);
                if (answer.status() != 200) {
                    throw new EngineException.Unavailable("the hub at " + socket + " did not verify its content: "
                            + new String(body, StandardCharsets.UTF_8).strip());
                }
                return Optional.of(report(Json.parseObject(body)));
            }
        } catch (IOException e) {
            throw new EngineException.Unavailable("the hub at " + socket + " did not finish: " + e.getMessage(), e);
        }
    }

    private static Verifier.Report report(Json.Obj answer) throws EngineException.Invalid {
        var faults = new ArrayList<Verifier.Fault>();
        for (var fault : answer.objects("faults")) {
            faults.add(new Verifier.Fault(fault.text("kind"), fault.text("subject"), fault.text("fault"),
                    fault.texts("repositories"), fault.truth("repaired")));
        }
        return new Verifier.Report((int) answer.number("blobs", 0), answer.number("bytes", 0), faults);
    }

    private int print(Verifier.Report report, boolean repair) {
        int left = 0;
        for (var fault : report.faults()) {
            left += fault.repaired() ? 0 : 1;
            String users = String.join(", ", fault.repositories());
            out.println((fault.repaired() ? "repaired: " : "damaged: ") + fault.kind() + " " + fault.subject() + ": "
                    + fault.what() + (users.isEmpty() ? "" : " (in " + users + ")"));
        }
        out.println("Verified " + report.blobs() + " blobs and manifests, " + report.bytes() + " bytes");
        if (left > 0) {
            out.println(left + (left == 1 ? " thing is" : " things are") + " damaged; "
                    + (repair ? "push again what is said above, which heals it" : "try: carafe hub verify --repair"));
        }
        return left == 0 ? 0 : 1;
    }
}
