package carafe.registry;

import carafe.registry.Registries.Found;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Finds repositories: by the search of the hub, which other registries may offer too, else in the registry's catalog.
/// Source: Docker Registry API v1, "Search"; OCI distribution-spec's `_catalog` extension.
final class Search {

    private static final int ANSWER = 4 << 20;
    private static final int PAGE = 1000;
    private static final int LONGEST_NAME = 255;

    private final Conversation conversation;

    Search(Conversation conversation) {
        this.conversation = conversation;
    }

    /// At most `limit` repositories that match `term`. Names begin with the registry unless it is the hub.
    List<Found> find(String term, int limit) throws EngineException, InterruptedException {
        String what = "search " + conversation.endpoint();
        var response = conversation.send(what, Ask.of("GET",
                "/v1/search?q=" + URLEncoder.encode(term, StandardCharsets.UTF_8) + "&n=" + limit, List.of()));
        if (response.status() == 404 || response.status() == 405) {
            Conversation.drain(response);
            return catalog(Optional.of(term), limit).stream()
                    .map(name -> new Found(shown(name), "", 0, false, false))
                    .toList();
        }
        if (response.status() != 200) {
            throw Refusal.of(what, response);
        }
        try (response) {
            return results(Json.parseObject(response.readBody(ANSWER)), limit);
        } catch (IOException e) {
            Interruption.check(e);
            throw new EngineException.Unavailable(what + ": " + e.getMessage(), e);
        } catch (EngineException.Invalid e) {
            throw new EngineException.Unavailable(what + ": the answer cannot be read: " + e.getMessage(), e);
        }
    }

    private List<Found> results(Json.Obj answer, int limit) throws EngineException.Invalid {
        var found = new ArrayList<Found>();
        for (var each : answer.objects("results")) {
            String name = each.text("name");
            if (!name.isEmpty() && name.length() <= LONGEST_NAME && found.size() < limit) {
                found.add(new Found(shown(name), each.text("description"), each.number("star_count", 0),
                        each.truth("is_official"), each.truth("is_automated")));
            }
        }
        return found;
    }

    private String shown(String name) {
        String domain = conversation.endpoint().domain();
        return domain.equals("docker.io") || name.startsWith(domain + "/") ? name : domain + "/" + name;
    }

    /// At most `limit` repositories of the registry, those that hold `term` if there is one.
    List<String> catalog(Optional<String> term, int limit) throws EngineException, InterruptedException {
        var names = new ArrayList<String>();
        String wanted = term.orElse("").toLowerCase(Locale.ROOT);
        new Pages("catalog of " + conversation.endpoint(), conversation, List.of("registry:catalog:*"), ANSWER)
                .read("/v2/_catalog?n=" + PAGE, page -> {
                    for (String name : page.texts("repositories")) {
                        if (name.length() <= LONGEST_NAME && name.contains(wanted) && names.size() < limit) {
                            names.add(name);
                        }
                    }
                    return names.size() < limit;
                });
        return names;
    }
}
