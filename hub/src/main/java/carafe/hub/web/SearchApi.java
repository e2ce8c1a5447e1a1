package carafe.hub.web;

import carafe.hub.access.Gate;
import carafe.hub.access.Identity;
import carafe.hub.access.Right;
import carafe.hub.store.Refusal;
import carafe.hub.store.Refusal.Reason;
import carafe.hub.store.Repositories;
import carafe.http.Exchange;
import carafe.http.Headers;
import carafe.spec.Json;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Finds images for programs: Docker's `/v1/search`, and `/api/v1/repositories` with more in it.
/// Source: Docker Engine API "Search images", whose daemon asks a registry's `/v1/search`.
final class SearchApi {

    static final int PAGE = 50;

    private static final int MOST = 100;
    private static final Headers JSON = Headers.of("Content-Type", "application/json",
            "X-Content-Type-Options", "nosniff", "Cache-Control", "private, no-store");

    private final Repositories repositories;
    private final Gate gate;
    private final ImageReader reader;
    private final boolean login;

    /// What was found; `next` is where to go on.
    record Found(List<Summary> summaries, Optional<String> next) {}

    /// `login` when there is somebody to log in as.
    SearchApi(Repositories repositories, Gate gate, ImageReader reader, boolean login) {
        this.repositories = repositories;
        this.gate = gate;
        this.reader = reader;
        this.login = login;
    }

    void handle(Exchange exchange, Identity who, List<String> path) throws IOException, Refusal {
        switch (String.join("/", path)) {
            case "v1/_ping" -> exchange.respond(200, JSON, Json.object().put("standalone", true).build().printBytes());
            case "v1/search" -> docker(exchange, who);
            case "api/v1/repositories" -> list(exchange, who);
            default -> {
                if (path.size() > 3 && path.get(1).equals("v1") && path.get(2).equals("repositories")) {
                    repository(exchange, who, String.join("/", path.subList(3, path.size())));
                } else {
                    throw new Refusal(Reason.NAME_UNKNOWN, "there is nothing here");
                }
            }
        }
    }

    /// Repositories that `who` may pull from and whose name or description holds every word of `query`, after `last`.
    Found find(Identity who, String query, String last, int limit) throws IOException, Refusal {
        var words = List.of(query.toLowerCase(Locale.ROOT).strip().split("\\s+"));
        var found = new ArrayList<Summary>();
        for (String name : repositories.names(last)) {
            if (!gate.lists(who, name)) {
                continue;
            }
            var repository = repositories.find(name);
            if (repository.isEmpty()) {
                continue;
            }
            var summary = Summary.of(repository.get(), reader);
            String text = name + " " + summary.description().toLowerCase(Locale.ROOT);
            if (words.stream().allMatch(text::contains)) {
                if (found.size() == limit) {
                    return new Found(found, Optional.of(found.getLast().name()));
                }
                found.add(summary);
            }
        }
        return new Found(found, Optional.empty());
    }

    private static int number(Exchange exchange, String name, int otherwise) throws IOException, Refusal {
        String text = exchange.query().first(name).orElse("");
        if (text.isEmpty()) {
            return otherwise;
        }
        if (!text.matches("\\d{1,6}")) {
            throw new Refusal(Reason.PAGINATION_NUMBER_INVALID, name + " must be a number of at most six digits");
        }
        return Math.max(1, Integer.parseInt(text));
    }

    private void docker(Exchange exchange, Identity who) throws IOException, Refusal {
        String query = exchange.query().first("q").orElse("");
        int limit = Math.min(number(exchange, "n", 25), MOST);
        int page = number(exchange, "page", 1);
        // Counted to one beyond the page: whether there is another is what a client asks the numbers for.
        var all = find(who, query, "", Math.min(limit * page, 10_000) + 1).summaries();
        if (all.isEmpty() && login && who.isNobody()) { // Podman asks without a login first, and again elsewhere after a 401
            throw new Refusal(Reason.UNAUTHORIZED, "nothing that everybody may see is called " + query + "; log in to see more");
        }
        int from = (int) Math.min(all.size(), (long) limit * (page - 1));
        var results = all.subList(from, Math.min(all.size(), from + limit)).stream()
                .map(summary -> Json.object()
                        .put("name", summary.name())
                        .put("description", summary.description())
                        .put("star_count", 0)
                        .put("is_official", false)
                        .put("is_automated", false)
                        .build())
                .toList();
        exchange.respond(200, JSON, Json.object()
                .put("query", query)
                .put("page", page)
                .put("page_size", limit)
                .put("num_pages", (all.size() + limit - 1) / limit)
                .put("num_results", all.size())
                .put("results", Json.ofAll(results))
                .build()
                .printBytes());
    }

    private void list(Exchange exchange, Identity who) throws IOException, Refusal {
        var query = exchange.query();
        int limit = Math.min(number(exchange, "n", PAGE), MOST);
        var found = find(who, query.first("q").orElse(""), query.first("last").orElse(""), limit);
        var body = Json.object().put("repositories", Json.ofAll(found.summaries().stream().map(Summary::toJson).toList()));
        found.next().ifPresent(last -> body.put("last", last));
        exchange.respond(200, JSON, body.build().printBytes());
    }

    private void repository(Exchange exchange, Identity who, String name) throws IOException, Refusal {
        var repository = Reference.isPath(name) && gate.allows(who, Right.PULL, name)
                ? repositories.find(name)
                : Optional.<carafe.hub.store.Repository>empty();
        if (repository.isEmpty()) {
            throw new Refusal(Reason.NAME_UNKNOWN, "there is no repository of that name that you may see");
        }
        var tags = new ArrayList<Json>();
        for (var tag : repository.get().tags().entrySet()) {
            var images = reader.images(repository.get(), tag.getValue().manifest());
            tags.add(Json.object()
                    .put("tag", tag.getKey())
                    .put("digest", tag.getValue().manifest().toString())
                    .put("pushed", tag.getValue().at().toString())
                    .put("images", Json.ofAll(images.stream().map(ImageView::toJson).toList()))
                    .build());
            if (tags.size() == MOST) {
                break;
            }
        }
        exchange.respond(200, JSON, Summary.of(repository.get(), reader).toJson()
                .with("images", Json.ofAll(tags))
                .printBytes());
    }
}
