package carafe.spec.docker;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;

/// What a client says to prove who it is to one registry: a name and a password, or a token for more tokens
/// (`identityToken`), or a token to be shown as it is (`registryToken`). Empty texts mean "not said". Never printed.
/// Source: Docker Engine API, "Authentication".
public record AuthConfig(String username, String password, String identityToken, String registryToken,
        String serverAddress) {

    /// Nothing is said.
    public static final AuthConfig NONE = new AuthConfig("", "", "", "", "");

    private static final String HUB = "docker.io";
    private static final int MAX_HEADER = 64 << 10;

    /// Name and password for the registry at `serverAddress`.
    public static AuthConfig password(String username, String password, String serverAddress) {
        return new AuthConfig(username, password, "", "", serverAddress);
    }

    /// Reads the document of `POST /auth`.
    public static AuthConfig fromJson(Json.Obj json) throws EngineException.Invalid {
        String username = json.text("username");
        String password = json.text("password");
        String both = json.text("auth");
        if (username.isEmpty() && !both.isEmpty()) {
            String decoded = decode(both);
            int colon = decoded.indexOf(':');
            username = colon < 0 ? "" : decoded.substring(0, colon);
            password = colon < 0 ? "" : decoded.substring(colon + 1);
        }
        return new AuthConfig(username, password, json.text("identitytoken"), json.text("registrytoken"),
                json.text("serveraddress"));
    }

    /// Reads the header X-Registry-Auth: base64 of the document, in either alphabet. What cannot be read says nothing,
    /// as Docker has it.
    public static AuthConfig fromHeader(String header) {
        if (header.isEmpty() || header.length() > MAX_HEADER) {
            return NONE;
        }
        try {
            return fromJson(Json.parseObject(decode(header).getBytes(StandardCharsets.UTF_8)));
        } catch (EngineException.Invalid e) {
            return NONE;
        }
    }

    /// Reads the header X-Registry-Config: base64 of a document for each registry. What cannot be read says nothing.
    /// @return each for the one registry it was given for
    public static List<AuthConfig> fromConfigHeader(String header) {
        if (header.isEmpty() || header.length() > MAX_HEADER) {
            return List.of();
        }
        try {
            var all = new ArrayList<AuthConfig>();
            for (var field : Json.parseObject(decode(header).getBytes(StandardCharsets.UTF_8)).fields().entrySet()) {
                if (field.getValue() instanceof Json.Obj document && !field.getKey().isBlank()) {
                    var auth = fromJson(document);
                    all.add(new AuthConfig(auth.username, auth.password, auth.identityToken, auth.registryToken,
                            field.getKey()));
                }
            }
            return List.copyOf(all);
        } catch (EngineException.Invalid e) {
            return List.of();
        }
    }

    private static String decode(String text) throws EngineException.Invalid {
        try {
            String standard = text.strip().replace('-', '+').replace('_', '/');
            return new String(Base64.getDecoder().decode(standard), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw new EngineException.Invalid("not base64");
        }
    }

    /// Whether anything is said.
    public boolean present() {
        return !username.isEmpty() || !identityToken.isEmpty() || !registryToken.isEmpty();
    }

    /// This if it was given for the registry `domain` (or for none by name), else nothing: what was given to one host
    /// goes to no other.
    public AuthConfig ifFor(String domain) {
        return serverAddress.isEmpty() || hostOf(serverAddress).equals(hostOf(domain)) ? this : NONE;
    }

    /// The registry that an address in a client's configuration means: without scheme and path, one name for the hub.
    public static String hostOf(String address) {
        String bare = address.strip().toLowerCase(Locale.ROOT);
        int scheme = bare.indexOf("://");
        bare = scheme < 0 ? bare : bare.substring(scheme + 3);
        int slash = bare.indexOf('/');
        bare = slash < 0 ? bare : bare.substring(0, slash);
        return switch (bare) {
            case "index.docker.io", "registry-1.docker.io", "docker.io" -> HUB;
            default -> bare;
        };
    }

    /// Says nothing of what must stay secret.
    @Override
    public String toString() {
        return present() ? "credentials for " + (serverAddress.isEmpty() ? "a registry" : hostOf(serverAddress)) : "none";
    }
}
