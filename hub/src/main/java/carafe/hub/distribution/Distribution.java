package carafe.hub.distribution;

import carafe.hub.access.Gate;
import carafe.hub.access.Identity;
import carafe.hub.notice.Event;
import carafe.hub.store.Refusal;
import carafe.hub.store.Refusal.Reason;
import carafe.hub.store.Repositories;
import carafe.hub.store.Repository;
import carafe.hub.upstream.PullThrough;
import carafe.http.Exchange;
import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;

/// Answers what is below `/v2/`.
public final class Distribution {

    private final Gate gate;
    private final boolean login;
    private final PullThrough upstreams;
    private final BlobRoutes blobs;
    private final UploadRoutes uploads;
    private final ManifestRoutes manifests;
    private final ListRoutes lists;

    /// What the door stands on; `login` when there is somebody to log in as.
    public record Parts(Repositories repositories, Gate gate, boolean login, PullThrough upstreams) {}

    /// With `events` told of pushes, pulls and deletions.
    public Distribution(Parts parts, Consumer<Event> events) {
        this.gate = parts.gate();
        this.login = parts.login();
        this.upstreams = parts.upstreams();
        this.blobs = new BlobRoutes(parts.repositories(), parts.upstreams());
        this.uploads = new UploadRoutes(parts.repositories());
        this.manifests = new ManifestRoutes(parts.repositories(), parts.upstreams(), events);
        this.lists = new ListRoutes(parts.repositories());
    }

    /// Answers `who`. `path` is the decoded path behind `v2`. Returns the kind of request, for the metrics.
    public String handle(Exchange exchange, Identity who, List<String> path) throws IOException, Refusal {
        var call = new Call(exchange, who, gate);
        Target target = Target.parse(prefixed(exchange, path));
        switch (target) {
            case Target.Root _ -> root(call);
            case Target.Catalog _ -> lists.catalog(call);
            case Target.Tags tags -> lists.tags(call, tags);
            case Target.Blob blob -> blobs.handle(call, blob);
            case Target.Uploads begun -> uploads.begin(call, begun);
            case Target.Upload upload -> uploads.handle(call, upload);
            case Target.Tagged tagged -> manifests.tagged(call, tagged);
            case Target.Pinned pinned -> manifests.pinned(call, pinned);
            case Target.Referrers referrers -> lists.referrers(call, referrers);
        }
        return switch (target) {
            case Target.Blob _ -> "blob";
            case Target.Uploads _, Target.Upload _ -> "upload";
            case Target.Tagged _, Target.Pinned _ -> "manifest";
            case Target.Root _, Target.Catalog _, Target.Tags _, Target.Referrers _ -> "list";
        };
    }

    /// A client that uses the hub as a mirror says by `ns` whose repository it means.
    private List<String> prefixed(Exchange exchange, List<String> path) throws IOException {
        if (exchange.rawQuery().isEmpty()) {
            return path;
        }
        var ns = exchange.query().first("ns");
        boolean reads = exchange.method().equals("GET") || exchange.method().equals("HEAD");
        if (ns.isEmpty() || !reads || path.size() < 3 || !upstreams.serves(ns.get())) {
            return path;
        }
        var longer = new java.util.ArrayList<>(path);
        longer.addFirst(ns.get());
        return longer;
    }

    /// Clients ask here whether, and how, they must log in; so nobody gets a yes where there are users.
    private void root(Call call) throws IOException, Refusal {
        if (login && call.who().isNobody()) {
            throw new Refusal(Reason.UNAUTHORIZED, "you must log in first");
        }
        call.json(200, "application/json", carafe.spec.Json.object().build(), Call.fields());
    }

    static Repository existing(Repositories repositories, String name) throws IOException, Refusal {
        return repositories.find(name)
                .orElseThrow(() -> new Refusal(Reason.NAME_UNKNOWN, "there is no repository " + name));
    }

    static Refusal wrongMethod(Call call) {
        return new Refusal(Reason.UNSUPPORTED, call.exchange().method() + " is not possible here");
    }

    /// What a client must ask a token for to do what it tried.
    public static String scope(Exchange exchange, List<String> path) {
        try {
            var target = Target.parse(path);
            if (target instanceof Target.Catalog) {
                return "registry:catalog:*";
            }
            String repository = switch (target) {
                case Target.Tags(var name) -> name;
                case Target.Blob(var name, var _) -> name;
                case Target.Uploads(var name) -> name;
                case Target.Upload(var name, var _) -> name;
                case Target.Tagged(var name, var _) -> name;
                case Target.Pinned(var name, var _) -> name;
                case Target.Referrers(var name, var _) -> name;
                case Target.Root _, Target.Catalog _ -> "";
            };
            String rights = switch (exchange.method()) {
                case "GET", "HEAD" -> "pull";
                case "DELETE" -> "delete";
                default -> "pull,push";
            };
            return repository.isEmpty() ? "" : "repository:" + repository + ":" + rights;
        } catch (Refusal e) {
            return "";
        }
    }
}
