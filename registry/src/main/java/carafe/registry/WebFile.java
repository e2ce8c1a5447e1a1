package carafe.registry;

import carafe.http.ClientRequest;
import carafe.http.ClientResponse;
import carafe.http.Origin;
import carafe.spec.EngineException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;

/// A file that lies somewhere in the web, fetched with the proxies and the trust that registries have; nobody is told who
/// asks. Redirects are followed, from TLS never into the clear.
final class WebFile {

    private static final int MOST_HOPS = 6;

    private final Clients clients;

    WebFile(Clients clients) {
        this.clients = clients;
    }

    /// The bytes of what `url` names (`http://` if it has no scheme); to be closed.
    InputStream open(String url) throws EngineException {
        String what = "download of " + url;
        try {
            var at = new URI(url.indexOf("://") < 0 ? "http://" + url : url);
            for (int hop = 0; hop < MOST_HOPS; hop++) {
                var response = ask(at, what);
                var location = response.headers().first("Location");
                int status = response.status();
                if (status == 200) {
                    return new Body(response);
                }
                Conversation.drain(response);
                if (status < 300 || status >= 400 || location.isEmpty()) {
                    throw new EngineException.Unavailable(what + ": " + at.getRawAuthority() + " answers with status " + status);
                }
                var next = at.resolve(new URI(location.get()));
                if ("https".equals(at.getScheme()) && !"https".equals(next.getScheme())) {
                    throw new EngineException.Forbidden(what + ": " + at.getRawAuthority() + " sends us on to " + next
                            + ", without TLS");
                }
                at = next;
            }
            throw new EngineException.Unavailable(what + ": redirects without end");
        } catch (IOException e) {
            throw new EngineException.Unavailable(what + ": " + e.getMessage(), e);
        } catch (URISyntaxException | IllegalArgumentException e) {
            throw new EngineException.Invalid("invalid URL \"" + url + "\": " + e.getMessage());
        }
    }

    private ClientResponse ask(URI at, String what) throws IOException, EngineException {
        boolean secure = "https".equals(at.getScheme());
        if (!secure && !"http".equals(at.getScheme()) || at.getRawAuthority() == null || at.getRawUserInfo() != null) {
            throw new EngineException.Invalid(what + ": only http://HOST/PATH and https://HOST/PATH can be fetched");
        }
        String path = at.getRawPath().isEmpty() ? "/" : at.getRawPath();
        String target = at.getRawQuery() == null ? path : path + "?" + at.getRawQuery();
        return clients.of(Origin.parse(secure, at.getRawAuthority())).send(ClientRequest.get(target)
                .header("User-Agent", clients.config().agent()));
    }

    /// Closes the answer with its body.
    private static final class Body extends FilterInputStream {
        private final ClientResponse response;

        Body(ClientResponse response) {
            super(response.body());
            this.response = response;
        }

        @Override
        public void close() {
            response.close();
        }
    }
}
