package carafe.hub.web;

import carafe.hub.access.Gate;
import carafe.hub.access.Identity;
import carafe.hub.access.Right;
import carafe.hub.store.Refusal;
import carafe.hub.store.Refusal.Reason;
import carafe.hub.store.Repositories;
import carafe.hub.store.Repository;
import carafe.http.Exchange;
import carafe.http.Headers;
import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.time.Clock;
import java.util.List;
import java.util.Optional;

/// Answers everything that is not the registry protocol.
public final class Web {

    /// Nothing but our own files, no script in the page, no frame around it: even markup that slipped through could do
    /// nothing.
    static final Headers PAGE = Headers.of(
            "Content-Type", "text/html; charset=utf-8",
            "Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"
                    + " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            "X-Content-Type-Options", "nosniff",
            "Referrer-Policy", "no-referrer",
            "Cross-Origin-Opener-Policy", "same-origin",
            "Cross-Origin-Resource-Policy", "same-origin",
            "Cache-Control", "private, no-store");

    private static final String HOST = "[A-Za-z0-9.:\\[\\]-]{1,255}";

    private final Repositories repositories;
    private final Gate gate;
    private final Settings settings;
    private final Clock clock;
    private final SearchApi search;
    private final RepositoryPage repositoryPage;
    private final ImagePage imagePage;
    private final Assets assets = new Assets();

    /// `pages` when people may look, `login` when there are users, `url` as clients reach the hub where it differs.
    public record Settings(boolean pages, boolean login, Optional<String> url) {}

    /// Who asks, found out when somebody needs to know.
    @FunctionalInterface
    public interface Asker {
        /// Who asks.
        /// @throws Refusal what he showed is not right
        Identity who() throws Refusal;
    }

    /// Over `repositories`, of which `gate` says who may see which.
    public Web(Repositories repositories, Gate gate, Settings settings, Clock clock) {
        this.repositories = repositories;
        this.gate = gate;
        this.settings = settings;
        this.clock = clock;
        var reader = new ImageReader(repositories.content());
        this.search = new SearchApi(repositories, gate, reader, settings.login());
        this.repositoryPage = new RepositoryPage(reader);
        this.imagePage = new ImagePage(reader);
    }

    /// Answers a request; `path` is decoded.
    public void handle(Exchange exchange, Asker asker, List<String> path) throws IOException, Refusal {
        if (!exchange.method().equals("GET") && !exchange.method().equals("HEAD")) {
            throw new Refusal(Reason.UNSUPPORTED, exchange.method() + " is not possible here");
        }
        switch (path.getFirst()) {
            case "v1", "api" -> search.handle(exchange, asker.who(), path);
            case "assets" -> assets.handle(exchange, path);
            case "" -> home(exchange, asker.who());
            case "r" -> repository(exchange, asker.who(), String.join("/", path.subList(1, path.size())));
            case "sign-in" -> signIn(exchange, asker.who());
            default -> missing(exchange, asker.who());
        }
    }

    private Pages.Viewer viewer(Exchange exchange, Identity who) {
        String host = exchange.headers().first("Host").filter(text -> text.matches(HOST)).orElse("HOST");
        String name = settings.url().map(url -> url.substring(url.indexOf("://") + 3)).orElse(host);
        return new Pages.Viewer(who, name, settings.login(), clock.instant());
    }

    private void requirePages() throws Refusal {
        if (!settings.pages()) {
            throw new Refusal(Reason.UNSUPPORTED, "this hub shows no pages");
        }
    }

    private void home(Exchange exchange, Identity who) throws IOException, Refusal {
        requirePages();
        var query = exchange.query();
        String words = query.first("q").orElse("");
        var found = search.find(who, words, query.first("last").orElse(""), SearchApi.PAGE);
        Optional<String> next = found.next().map(last ->
                "/?" + (words.isEmpty() ? "" : "q=" + Words.encode(words) + "&") + "last=" + Words.encode(last));
        exchange.respond(200, PAGE, Pages.home(found.summaries(), words, next, viewer(exchange, who)));
    }

    private void repository(Exchange exchange, Identity who, String name) throws IOException, Refusal {
        requirePages();
        Optional<Repository> repository = Reference.isPath(name) && gate.allows(who, Right.PULL, name)
                ? repositories.find(name)
                : Optional.empty();
        if (repository.isEmpty()) {
            missing(exchange, who);
            return;
        }
        var query = exchange.query();
        var tag = query.first("tag");
        var digest = query.first("digest");
        if (tag.isEmpty() && digest.isEmpty()) {
            exchange.respond(200, PAGE, repositoryPage.print(repository.get(), viewer(exchange, who)));
            return;
        }
        var asked = tag.isPresent() ? tagged(repository.get(), tag.get()) : pinned(repository.get(), digest.orElse(""));
        if (asked.isEmpty()) {
            missing(exchange, who);
            return;
        }
        var chosen = new ImagePage.Asked(
                asked.get().shown(), asked.get().digest(), query.first("platform").orElse(""));
        exchange.respond(200, PAGE, imagePage.print(repository.get(), chosen, viewer(exchange, who)));
    }

    private static Optional<ImagePage.Asked> tagged(Repository repository, String tag) {
        return Optional.ofNullable(repository.tags().get(tag))
                .map(link -> new ImagePage.Asked(tag, link.manifest(), ""));
    }

    private static Optional<ImagePage.Asked> pinned(Repository repository, String text) {
        try {
            var digest = Digest.parse(text);
            return repository.manifest(digest).map(_ -> new ImagePage.Asked(digest.toString(), digest, ""));
        } catch (EngineException.Invalid e) {
            return Optional.empty();
        }
    }

    /// The browser asks for name and password when it is refused, and shows them from then on.
    private void signIn(Exchange exchange, Identity who) throws IOException, Refusal {
        if (who.isNobody() && settings.login()) {
            throw new Refusal(Reason.UNAUTHORIZED, "sign in with your user name and password");
        }
        exchange.respond(302, Headers.of("Location", "/", "Cache-Control", "no-store"), new byte[0]);
    }

    private void missing(Exchange exchange, Identity who) throws IOException, Refusal {
        requirePages();
        exchange.respond(404, PAGE, Pages.message("Not found",
                "There is nothing under that name, or nothing that you may see.", viewer(exchange, who)));
    }
}
