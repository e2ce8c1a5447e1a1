package carafe.registry;

import carafe.http.ClientResponse;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// A listing that comes in pages, each of which names the next. Bounded in pages and bytes; a page that leads back to
/// one already read ends it. Source: OCI distribution-spec, "Listing Tags"; RFC 8288.
final class Pages {

    private static final int MOST_PAGES = 1000;
    private static final Pattern NEXT = Pattern.compile("<([^>]{1,4096})>\\s*;\\s*rel=\"?next\"?");

    private final String what;
    private final Conversation conversation;
    private final List<String> scopes;
    private final int pageBytes;

    Pages(String what, Conversation conversation, List<String> scopes, int pageBytes) {
        this.what = what;
        this.conversation = conversation;
        this.scopes = scopes;
        this.pageBytes = pageBytes;
    }

    /// Reads from `first` on.
    void read(String first, Repository.PageReader reader) throws EngineException, InterruptedException {
        var seen = new HashSet<String>();
        Optional<String> target = Optional.of(first);
        while (target.isPresent() && seen.size() < MOST_PAGES && seen.add(target.get())) {
            var located = conversation.locate(what, Ask.of("GET", target.get(), scopes));
            var response = located.response();
            if (response.status() != 200) {
                throw Refusal.of(what, response);
            }
            if (!reader.read(object(response))) {
                return;
            }
            target = next(located);
        }
    }

    /// Where the page after this one is, if there is one, seen from where this one came from: a path of the registry's, or
    /// a whole URL.
    /// Source: RFC 8288 §3.2, RFC 3986 §5.2.
    static Optional<String> next(Conversation.Located page) throws EngineException.Unavailable {
        for (String link : page.response().headers().all("Link")) {
            var matcher = NEXT.matcher(link);
            if (matcher.find()) {
                return Optional.of(resolve(page.at(), matcher.group(1)));
            }
        }
        return Optional.empty();
    }

    private static String resolve(String target, String link) throws EngineException.Unavailable {
        if (target.startsWith("/") && link.startsWith("/")) {
            return link;
        }
        if (link.startsWith("?")) { // which URI, older than RFC 3986, takes for another page of the directory
            int query = target.indexOf('?');
            return (query < 0 ? target : target.substring(0, query)) + link;
        }
        try {
            return new URI(target).resolve(new URI(link)).toString();
        } catch (URISyntaxException e) {
            throw new EngineException.Unavailable("the page after " + target + " is said to be at \"" + link
                    + "\", which is no place of the web", e);
        }
    }

    private Json.Obj object(ClientResponse response) throws EngineException, InterruptedException {
        try (response) {
            return Json.parseObject(response.readBody(pageBytes));
        } catch (IOException e) {
            Interruption.check(e);
            throw new EngineException.Unavailable(what + ": " + e.getMessage(), e);
        } catch (EngineException.Invalid e) {
            throw new EngineException.Unavailable(what + ": the registry's answer is no list: " + e.getMessage(), e);
        }
    }
}
