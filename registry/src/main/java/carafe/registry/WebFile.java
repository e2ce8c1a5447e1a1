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
import java.util.Optional;

/// A file that lies somewhere in the web, fetched with the proxies and the trust that registries have. Who asks is told
/// to the origin of the URL only, and only where it is said. Redirects are followed, from TLS never into the clear.
final class WebFile {

    private static final int MOST_HOPS = 6;

    private final Clients clients;

    WebFile(Clients clients) {
        this.clients = clients;
    }

    /// What `url` names (`http://` if it has no scheme); to be closed. With `version`, an earlier answer's, the answer
    /// may be that it is unchanged. `authorization` is shown to the URL's own origin.
    WebAnswer open(String url, Optional<String> version, Optional<String> authorization)
            throws EngineException, InterruptedException {
        String what = "download of " + url;
        try {
            var at = new URI(url.indexOf("://") < 0 ? "http://" + url : url);
            String own = at.getScheme() + "://" + at.getRawAuthority();
            for (int hop = 0; hop < MOST_HOPS; hop++) {
                boolean home = own.equals(at.getScheme() + "://" + at.getRawAuthority());
                var response = ask(at, what, version, authorization.filter(_ -> home));
                var location = response.headers().first("Location");
                int status = response.status();
                if (status == 200) {
                    return new WebAnswer(new Body(response), response.headers().first("ETag"),
                            response.headers().first("Last-Modified"), false);
                }
                Conversation.drain(response);
                if (status == 304 && version.isPresent()) {
                    return new WebAnswer(InputStream.nullInputStream(), version, Optional.empty(), true);
                }
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
            Interruption.check(e);
            throw new EngineException.Unavailable(what + ": " + e.getMessage(), e);
        } catch (URISyntaxException | IllegalArgumentException e) {
            throw new EngineException.Invalid("invalid URL \"" + url + "\": " + e.getMessage());
        }
    }

    private ClientResponse ask(URI at, String what, Optional<String> version, Optional<String> authorization)
            throws IOException, EngineException {
        boolean secure = "https".equals(at.getScheme());
        if (!secure && !"http".equals(at.getScheme()) || at.getRawAuthority() == null || at.getRawUserInfo() != null) {
            throw new EngineException.Invalid(what + ": only http://HOST/PATH and https://HOST/PATH can be fetched");
        }
        String path = at.getRawPath().isEmpty() ? "/" : at.getRawPath();
        String target = at.getRawQuery() == null ? path : path + "?" + at.getRawQuery();
        var request = ClientRequest.get(target).header("User-Agent", clients.config().agent());
        if (version.isPresent()) {
            request = request.header("If-None-Match", version.get());
        }
        if (authorization.isPresent()) {
            request = request.header("Authorization", authorization.get());
        }
        return clients.of(Origin.parse(secure, at.getRawAuthority())).send(request);
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
