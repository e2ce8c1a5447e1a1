package carafe.registry;

import carafe.http.ClientRequest;
import carafe.http.Headers;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A request to a registry that can be sent again: `target` is a path with its query on the registry's own origin, or a
/// whole URL that the registry gave. `scopes` are the rights it needs, should the server ask for a token.
record Ask(String method, String target, Headers headers, Optional<Payload> payload, List<String> scopes) {

    Ask {
        scopes = List.copyOf(scopes);
    }

    /// A body that can be made again.
    @FunctionalInterface
    interface Payload {
        ClientRequest on(ClientRequest request);
    }

    static Ask of(String method, String target, List<String> scopes) {
        return new Ask(method, target, Headers.NONE, Optional.empty(), scopes);
    }

    Ask header(String name, String value) {
        return new Ask(method, target, headers.toBuilder().add(name, value).build(), payload, scopes);
    }

    Ask with(Payload payload) {
        return new Ask(method, target, headers, Optional.of(payload), scopes);
    }

    /// With one more right.
    Ask scope(String scope) {
        var more = new ArrayList<>(scopes);
        more.add(scope);
        return new Ask(method, target, headers, payload, more);
    }

    /// The right to do `actions` (`pull`, `pull,push`) with a repository.
    static String scopeOf(String repository, String actions) {
        return "repository:" + repository + ":" + actions;
    }
}
