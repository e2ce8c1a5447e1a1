package carafe.hub.distribution;

import carafe.hub.access.Right;
import carafe.hub.store.Refusal;
import carafe.hub.store.Refusal.Reason;
import carafe.hub.store.Repositories;
import carafe.http.Headers;
import carafe.spec.Json;
import carafe.spec.oci.Digest;
import carafe.spec.oci.MediaTypes;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Lists: repositories, tags, referrers. Pages end where `n` says, or earlier; a Link field leads on.
final class ListRoutes {

    private static final int CATALOG_PAGE = 1000;
    private static final int REFERRERS_PAGE = 500;
    private static final String JSON = "application/json";

    private final Repositories repositories;

    ListRoutes(Repositories repositories) {
        this.repositories = repositories;
    }

    /// The repositories that the caller may pull from. Nothing for want of a login, or of a token that may list, is told as
    /// that: clients that asked with a token for nothing in particular then ask for the right one.
    void catalog(Call call) throws IOException, Refusal {
        requireGet(call);
        int limit = Math.min(pageSize(call).orElse(CATALOG_PAGE), CATALOG_PAGE);
        var names = new ArrayList<String>();
        boolean more = false;
        for (String name : repositories.names(call.query().first("last").orElse(""))) {
            if (!call.gate().lists(call.who(), name)) {
                continue;
            }
            if (names.size() == limit) {
                more = limit > 0;
                break;
            }
            names.add(name);
        }
        if (names.isEmpty() && call.who().isNobody() && !call.gate().allows(call.who(), Right.PULL, "x")) {
            throw new Refusal(Reason.UNAUTHORIZED, "to list repositories you must log in first");
        }
        if (names.isEmpty() && call.who().ticket().filter(ticket -> !ticket.catalog()).isPresent()) {
            throw new Refusal(Reason.UNAUTHORIZED, "to list repositories a token must be for registry:catalog:*");
        }
        var fields = Call.fields();
        if (more) {
            link(fields, "/v2/_catalog", limit, names.getLast(), "");
        }
        call.json(200, JSON, Json.object().put("repositories", Json.ofTexts(names)).build(), fields);
    }

    void tags(Call call, Target.Tags target) throws IOException, Refusal {
        requireGet(call);
        call.require(Right.PULL, target.repository());
        var all = Distribution.existing(repositories, target.repository()).tags();
        var last = call.query().first("last").orElse("");
        var limit = pageSize(call);
        var following = last.isEmpty() ? all : all.tailMap(last, false);
        var names = following.keySet().stream()
                .limit(limit.map(n -> n + 1L).orElse(Long.MAX_VALUE))
                .toList();
        var fields = Call.fields();
        if (limit.isPresent() && names.size() > limit.get()) {
            names = names.subList(0, limit.get());
            if (limit.get() > 0) {
                link(fields, "/v2/" + target.repository() + "/tags/list", limit.get(), names.getLast(), "");
            }
        }
        call.json(200, JSON, Json.object()
                .put("name", target.repository())
                .put("tags", Json.ofTexts(names))
                .build(), fields);
    }

    void referrers(Call call, Target.Referrers target) throws IOException, Refusal {
        requireGet(call);
        call.require(Right.PULL, target.repository());
        var type = call.query().first("artifactType");
        var last = call.query().first("last");
        var repository = repositories.find(target.repository());
        var found = new ArrayList<Json>();
        var fields = Call.fields();
        type.ifPresent(_ -> fields.add("OCI-Filters-Applied", "artifactType"));
        String at = "";
        for (Digest digest : repository.map(here -> here.referrers(target.digest())).orElse(List.of())) {
            if (last.isPresent() && digest.toString().compareTo(last.get()) <= 0) {
                continue;
            }
            if (found.size() == REFERRERS_PAGE) {
                String filter = type.map(text -> "&artifactType=" + encode(text)).orElse("");
                String path = "/v2/" + target.repository() + "/referrers/" + target.digest();
                link(fields, path, REFERRERS_PAGE, at, filter);
                break;
            }
            var document = repository.get().document(digest);
            boolean wanted = document.isPresent()
                    && (type.isEmpty() || document.get().artifactType().equals(type));
            if (wanted) {
                found.add(document.get().descriptor().toJson());
                at = digest.toString();
            }
        }
        call.json(200, MediaTypes.OCI_INDEX, Json.object()
                .put("schemaVersion", 2)
                .put("mediaType", MediaTypes.OCI_INDEX)
                .put("manifests", Json.ofAll(found))
                .build(), fields);
    }

    private static void requireGet(Call call) throws Refusal {
        if (!call.is("GET") && !call.is("HEAD")) {
            throw Distribution.wrongMethod(call);
        }
    }

    private static Optional<Integer> pageSize(Call call) throws IOException, Refusal {
        var text = call.query().first("n");
        if (text.isEmpty()) {
            return Optional.empty();
        }
        if (!text.get().matches("\\d{1,9}")) {
            throw new Refusal(Reason.PAGINATION_NUMBER_INVALID, "n must be a number of at most nine digits");
        }
        return Optional.of(Integer.parseInt(text.get()));
    }

    private static void link(Headers.Builder fields, String path, int limit, String last, String rest) {
        fields.add("Link", "<" + path + "?n=" + limit + "&last=" + encode(last) + rest + ">; rel=\"next\"");
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
