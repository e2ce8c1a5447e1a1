package carafe.cli.credential;

import carafe.cli.session.Files;
import carafe.cli.session.Session;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.TreeSet;

/// What the caller's `config.json` says about registries: who he is there, itself (`auths`) or through a helper program
/// (`credHelpers` for one registry, `credsStore` for all). Changes keep what else is in the file.
public final class Credentials {

    /// The key of the hub.
    public static final String HUB = "https://index.docker.io/v1/";

    private static final String TOKEN_NAME = "<token>";
    private static final String NOT_FOUND = "credentials not found";
    private static final int MOST_BYTES = 4 << 20;

    private final Session session;
    private final Path file;

    /// The settings of `directory`, read each time they are asked.
    public Credentials(Session session, Path directory) {
        this.session = session;
        this.file = directory.resolve("config.json");
    }

    /// A name with a secret: a password, or an identity token when `token`.
    public record Login(String username, String secret, boolean token) {

        /// Nobody.
        public static final Login NONE = new Login("", "", false);

        /// Whether anything is known.
        public boolean present() {
            return !secret.isEmpty() || !username.isEmpty();
        }

        /// Says nothing of the secret.
        @Override
        public String toString() {
            return present() ? "login of " + username : "no login";
        }
    }

    /// The file, for sentences.
    public Path file() {
        return file;
    }

    /// The key under which a registry's login is kept.
    public static String key(String registry) {
        String bare = registry.strip();
        int scheme = bare.indexOf("://");
        bare = scheme < 0 ? bare : bare.substring(scheme + 3);
        int slash = bare.indexOf('/');
        bare = slash < 0 ? bare : bare.substring(0, slash);
        boolean hub = bare.isEmpty() || bare.equals("docker.io") || bare.equals("index.docker.io")
                || bare.equals("registry-1.docker.io");
        return hub ? HUB : bare;
    }

    /// Whether any login is kept by a program, as the settings in `directory` say.
    public static boolean needPrograms(Files files, Path directory) throws IOException {
        Path file = directory.resolve("config.json");
        try {
            var settings = settings(files, file);
            return !settings.text("credsStore").isEmpty() || !settings.object("credHelpers").fields().isEmpty();
        } catch (EngineException.Invalid e) {
            throw new IOException("error parsing " + file + ": " + e.getMessage(), e);
        }
    }

    private Json.Obj settings() throws IOException {
        return settings(session.files(), file);
    }

    private static Json.Obj settings(Files files, Path file) throws IOException {
        if (!files.exists(file)) {
            return Json.object().build();
        }
        try (var in = files.read(file)) {
            byte[] bytes = in.readNBytes(MOST_BYTES);
            return bytes.length == 0 ? Json.object().build() : Json.parseObject(bytes);
        } catch (EngineException.Invalid e) {
            throw new IOException("error parsing " + file + ": " + e.getMessage(), e);
        }
    }

    /// The helper program for a registry; empty when the file itself keeps its login.
    public String helper(String key) throws IOException {
        try {
            String own = settings().object("credHelpers").text(key);
            return own.isEmpty() ? settings().text("credsStore") : own;
        } catch (EngineException.Invalid e) {
            throw new IOException("error parsing " + file + ": " + e.getMessage(), e);
        }
    }

    /// What is known for the registry `key`.
    public Login get(String key) throws IOException {
        try {
            String helper = helper(key);
            if (!helper.isEmpty()) {
                return ask(helper, key);
            }
            var auths = settings().object("auths");
            for (var name : auths.fields().keySet()) {
                if (key(name).equals(key)) {
                    return read(auths.object(name));
                }
            }
            return Login.NONE;
        } catch (EngineException.Invalid e) {
            throw new IOException("error parsing " + file + ": " + e.getMessage(), e);
        }
    }

    private static Login read(Json.Obj auth) throws EngineException.Invalid {
        String username = auth.text("username");
        String password = auth.text("password");
        String both = auth.text("auth");
        if (!both.isEmpty()) {
            try {
                String decoded = new String(Base64.getDecoder().decode(both), StandardCharsets.UTF_8);
                int colon = decoded.indexOf(':');
                username = colon < 0 ? "" : decoded.substring(0, colon);
                password = colon < 0 ? "" : decoded.substring(colon + 1).replaceAll("\0+$", "");
            } catch (IllegalArgumentException e) {
                throw new EngineException.Invalid("an \"auth\" is not base64");
            }
        }
        String token = auth.text("identitytoken");
        return token.isEmpty() ? new Login(username, password, false) : new Login(username, token, true);
    }

    private Login ask(String helper, String key) throws IOException {
        var outcome = call(helper, "get", key);
        if (outcome.code() != 0) {
            if (outcome.output().contains(NOT_FOUND)) {
                return Login.NONE;
            }
            throw new IOException("error getting credentials: " + program(helper) + " ended with " + outcome.code() + ": "
                    + outcome.output().strip());
        }
        try {
            var answer = Json.parseObject(outcome.output().getBytes(StandardCharsets.UTF_8));
            String name = answer.text("Username");
            return new Login(name.equals(TOKEN_NAME) ? "" : name, answer.text("Secret"), name.equals(TOKEN_NAME));
        } catch (EngineException.Invalid e) {
            throw new IOException("error getting credentials: " + program(helper) + " does not answer in JSON", e);
        }
    }

    private static String program(String helper) {
        return "docker-credential-" + helper;
    }

    private carafe.cli.session.Programs.Outcome call(String helper, String verb, String input) throws IOException {
        if (helper.indexOf('/') >= 0) {
            throw new IOException("\"" + helper + "\" in " + file + " is no name of a credential helper");
        }
        return session.programs().run(List.of(program(helper), verb), input);
    }

    /// Keeps a login.
    public void put(String key, Login login) throws IOException {
        String helper = helper(key);
        if (!helper.isEmpty()) {
            var document = Json.object()
                    .put("ServerURL", key)
                    .put("Username", login.token() ? TOKEN_NAME : login.username())
                    .put("Secret", login.secret())
                    .build();
            var outcome = call(helper, "store", document.print());
            if (outcome.code() != 0) {
                throw new IOException("error storing credentials: " + outcome.output().strip());
            }
            change(key, Json.object().build());
            return;
        }
        var auth = Json.object();
        String both = login.username() + ":" + (login.token() ? "" : login.secret());
        auth.put("auth", Base64.getEncoder().encodeToString(both.getBytes(StandardCharsets.UTF_8)));
        if (login.token()) {
            auth.put("identitytoken", login.secret());
        }
        change(key, auth.build());
    }

    /// Forgets the login for a registry, wherever it is kept; whether there was one.
    public boolean erase(String key) throws IOException {
        try {
            boolean kept = settings().object("auths").fields().keySet().stream().anyMatch(name -> key(name).equals(key));
            String helper = helper(key);
            if (!helper.isEmpty()) {
                kept |= call(helper, "erase", key).code() == 0;
            }
            if (kept) {
                change(key, Json.NULL);
            }
            return kept;
        } catch (EngineException.Invalid e) {
            throw new IOException("error parsing " + file + ": " + e.getMessage(), e);
        }
    }

    /// Writes the settings with another entry for `key`, or none for null.
    private void change(String key, Json entry) throws IOException {
        try {
            var settings = settings();
            var auths = Json.object();
            for (var auth : settings.object("auths").fields().entrySet()) {
                if (!key(auth.getKey()).equals(key)) {
                    auths.put(auth.getKey(), auth.getValue());
                }
            }
            if (entry instanceof Json.Obj) {
                auths.put(key, entry);
            }
            var changed = settings.with("auths", auths.build());
            session.files().replacePrivately(file, (changed.printIndented("\t") + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (EngineException.Invalid e) {
            throw new IOException("error parsing " + file + ": " + e.getMessage(), e);
        }
    }

    /// The value of X-Registry-Auth for the registry of an image; it says nothing when nothing is known.
    public String header(String registry) throws IOException {
        return Base64.getUrlEncoder().encodeToString(document(registry).printBytes());
    }

    /// The documents of all registries that are logged in to.
    public List<Json.Obj> documents() throws IOException {
        try {
            var all = new ArrayList<Json.Obj>();
            var settings = settings();
            var registries = new TreeSet<>(settings.object("auths").fields().keySet());
            registries.addAll(settings.object("credHelpers").fields().keySet());
            for (String registry : registries) {
                var document = document(registry);
                if (!document.fields().isEmpty()) {
                    all.add(document);
                }
            }
            return all;
        } catch (EngineException.Invalid e) {
            throw new IOException("error parsing " + file + ": " + e.getMessage(), e);
        }
    }

    /// The same as a document.
    public Json.Obj document(String registry) throws IOException {
        String key = key(registry);
        var login = get(key);
        var document = Json.object();
        if (login.present()) {
            document.put("username", login.username());
            document.put(login.token() ? "identitytoken" : "password", login.secret());
            document.put("serveraddress", key);
        }
        return document.build();
    }
}
