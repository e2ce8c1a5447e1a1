package carafe.hub;

import carafe.hub.HubConfig.Collect;
import carafe.hub.HubConfig.Limit;
import carafe.hub.HubConfig.Login;
import carafe.hub.HubConfig.Mirrored;
import carafe.hub.access.Grant;
import carafe.hub.access.Right;
import carafe.hub.notice.Event;
import carafe.hub.notice.Webhooks;
import carafe.hub.store.Namespace;
import carafe.hub.store.Retention;
import carafe.http.Address;
import carafe.http.TlsFiles;
import carafe.spec.EngineException.Invalid;
import carafe.spec.Json;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/// Reads the hub's configuration; docs/hub.md describes every key. An unknown key stops the start.
final class ConfigDocument {

    private final Json.Obj document;

    ConfigDocument(Json.Obj document) {
        this.document = document;
    }

    HubConfig read() throws Invalid {
        known(document, "", "data", "listen", "users", "login", "rights", "quotas", "retention", "collect", "webhooks",
                "upstreams", "metrics", "web");
        String data = document.text("data");
        if (data.isEmpty()) {
            throw new Invalid("\"data\" is missing: the directory in which the hub keeps everything");
        }
        String metrics = document.text("metrics", "admin");
        if (!metrics.equals("admin") && !metrics.equals("public")) {
            throw new Invalid("\"metrics\" must be \"admin\" or \"public\", not \"" + metrics + "\"");
        }
        var config = new HubConfig(Path.of(data).toAbsolutePath(), listen(), path(document, "users"), login(), rights(),
                quotas(), retention(), collect(), webhooks(), upstreams(), metrics.equals("public"),
                document.truth("web", true));
        requireLoginToChange(config);
        return config;
    }

    private static void known(Json.Obj object, String where, String... keys) throws Invalid {
        for (String key : object.fields().keySet()) {
            if (!List.of(keys).contains(key)) {
                throw new Invalid("unknown key \"" + key + "\"" + (where.isEmpty() ? "" : " in \"" + where + "\"")
                        + "; known are: " + String.join(", ", keys));
            }
        }
    }

    private static Optional<Path> path(Json.Obj object, String key) throws Invalid {
        String text = object.text(key);
        return text.isEmpty() ? Optional.empty() : Optional.of(Path.of(text).toAbsolutePath());
    }

    private List<Address> listen() throws Invalid {
        var addresses = new ArrayList<Address>();
        for (Json element : document.list("listen")) {
            Json.Obj place = element instanceof Json.Str(String text)
                    ? Json.object().put("address", text).build()
                    : element instanceof Json.Obj object ? object : Json.object().build();
            known(place, "listen", "address", "cert", "key", "client-ca");
            var cert = path(place, "cert");
            var key = path(place, "key");
            var ca = path(place, "client-ca");
            if (cert.isPresent() != key.isPresent() || ca.isPresent() && cert.isEmpty()) {
                throw new Invalid("TLS in \"listen\" needs both \"cert\" and \"key\"");
            }
            Optional<TlsFiles> tls =
                    cert.isPresent() ? Optional.of(new TlsFiles(ca, cert, key, ca.isPresent())) : Optional.empty();
            try {
                addresses.add(Address.parse(place.text("address"), tls));
            } catch (IllegalArgumentException e) {
                throw new Invalid("\"listen\": " + e.getMessage());
            }
        }
        if (addresses.isEmpty()) {
            throw new Invalid("\"listen\" is missing: at least one address, as \"tcp://127.0.0.1:5000\" or \"unix:///path\"");
        }
        return addresses;
    }

    private Login login() throws Invalid {
        var login = document.object("login");
        known(login, "login", "mode", "url", "service", "token-life");
        String mode = login.text("mode", "token");
        if (!mode.equals("token") && !mode.equals("basic")) {
            throw new Invalid("\"mode\" of \"login\" must be \"token\" or \"basic\", not \"" + mode + "\"");
        }
        String url = login.text("url");
        if (!url.isEmpty() && !url.matches("https?://[A-Za-z0-9.:\\[\\]-]+")) {
            throw new Invalid("\"url\" of \"login\" must be https://HOST or http://HOST, not \"" + url + "\"");
        }
        String service = login.text("service", "carafe-hub");
        if (!service.matches("[A-Za-z0-9.:_-]+")) {
            throw new Invalid("\"service\" of \"login\" may hold letters, digits and . : _ -");
        }
        return new Login(mode.equals("token"), url.isEmpty() ? Optional.empty() : Optional.of(url), service,
                Units.duration(login, "token-life", Duration.ofMinutes(5)));
    }

    private List<Grant> rights() throws Invalid {
        var grants = new ArrayList<Grant>();
        for (var element : document.objects("rights")) {
            known(element, "rights", "who", "namespace", "may");
            Set<Right> rights = EnumSet.noneOf(Right.class);
            for (String word : element.texts("may")) {
                rights.addAll(Right.parse(word));
            }
            var who = new HashSet<>(element.texts("who"));
            if (who.isEmpty() || rights.isEmpty()) {
                throw new Invalid("each of \"rights\" needs \"who\", \"namespace\" and \"may\"");
            }
            grants.add(Grant.of(who, element.text("namespace"), rights));
        }
        return grants;
    }

    /// What anybody may change without a name must not be within reach of anybody.
    private static void requireLoginToChange(HubConfig config) throws Invalid {
        boolean open = config.rights().stream()
                .anyMatch(grant -> grant.isPublic() && !EnumSet.of(Right.PULL).containsAll(grant.rights()));
        for (var address : config.listen()) {
            if (open && address instanceof Address.Tcp tcp && !loopback(tcp)) {
                throw new Invalid("\"rights\" let anonymous push or delete, but the hub listens at " + tcp
                        + ", where others can reach it; name users instead");
            }
        }
    }

    private static boolean loopback(Address.Tcp tcp) {
        try {
            return InetAddress.getByName(tcp.host()).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }

    private List<Limit> quotas() throws Invalid {
        var limits = new ArrayList<Limit>();
        for (var element : document.objects("quotas")) {
            known(element, "quotas", "namespace", "size");
            limits.add(new Limit(Namespace.parse(element.text("namespace")), Units.size(element, "size")));
        }
        return limits;
    }

    private List<Retention.Rule> retention() throws Invalid {
        var rules = new ArrayList<Retention.Rule>();
        for (var element : document.objects("retention")) {
            known(element, "retention", "namespace", "tags", "keep-last", "keep-for", "untagged");
            var last = element.number("keep-last");
            if (last.isPresent() && (last.get() < 0 || last.get() > 1_000_000)) {
                throw new Invalid("\"keep-last\" must be a number of tags");
            }
            try {
                rules.add(new Retention.Rule(Namespace.parse(element.text("namespace", "**")),
                        Pattern.compile(element.text("tags", ".*")), last.map(Long::intValue),
                        Units.duration(element, "keep-for"), Units.duration(element, "untagged")));
            } catch (PatternSyntaxException e) {
                throw new Invalid("\"tags\" of \"retention\" is not a regular expression: " + e.getDescription());
            }
        }
        return rules;
    }

    private Collect collect() throws Invalid {
        var collect = document.object("collect");
        known(collect, "collect", "every", "grace", "uploads");
        return new Collect(Units.duration(collect, "every", Duration.ofHours(6)),
                Units.duration(collect, "grace", Duration.ofHours(1)),
                Units.duration(collect, "uploads", Duration.ofHours(24)));
    }

    private List<Webhooks.Hook> webhooks() throws Invalid {
        var hooks = new ArrayList<Webhooks.Hook>();
        for (var element : document.objects("webhooks")) {
            known(element, "webhooks", "url", "actions", "namespace", "secret-file", "ca");
            var actions = EnumSet.noneOf(Event.Action.class);
            for (String word : element.find("actions").isPresent()
                    ? element.texts("actions") : List.of("push", "pull", "delete")) {
                try {
                    actions.add(Event.Action.valueOf(word.toUpperCase(Locale.ROOT)));
                } catch (IllegalArgumentException e) {
                    throw new Invalid("\"actions\" of \"webhooks\" are push, pull and delete, not \"" + word + "\"");
                }
            }
            URI url = url(element.text("url"), "webhooks");
            String path = url.getRawPath().isEmpty() ? "/" : url.getRawPath();
            hooks.add(new Webhooks.Hook(address(url, path(element, "ca")),
                    url.getRawQuery() == null ? path : path + "?" + url.getRawQuery(), actions,
                    Namespace.parse(element.text("namespace", "**")), secret(path(element, "secret-file"))));
        }
        return hooks;
    }

    private static URI url(String text, String where) throws Invalid {
        try {
            var url = URI.create(text);
            boolean known = "http".equals(url.getScheme()) || "https".equals(url.getScheme());
            if (known && url.getHost() != null && url.getUserInfo() == null) {
                return url;
            }
        } catch (IllegalArgumentException e) {
            throw new Invalid("\"url\" of \"" + where + "\" is not a URL: " + text);
        }
        throw new Invalid("\"url\" of \"" + where + "\" must be http://HOST… or https://HOST…, not \"" + text + "\"");
    }

    private static Address address(URI url, Optional<Path> ca) {
        boolean tls = "https".equals(url.getScheme());
        int port = url.getPort() >= 0 ? url.getPort() : tls ? 443 : 80;
        return new Address.Tcp(url.getHost(), port,
                tls ? Optional.of(new TlsFiles(ca, Optional.empty(), Optional.empty(), true)) : Optional.empty());
    }

    private static Optional<String> secret(Optional<Path> file) throws Invalid {
        try {
            return file.isEmpty() ? Optional.empty() : Optional.of(Files.readString(file.get()).strip());
        } catch (IOException e) {
            throw new Invalid("the secret " + file.get() + " cannot be read: " + e.getMessage());
        }
    }

    private List<Mirrored> upstreams() throws Invalid {
        var upstreams = new ArrayList<Mirrored>();
        for (var element : document.objects("upstreams")) {
            known(element, "upstreams", "prefix", "registry", "user", "password-file", "insecure", "fresh");
            String registry = element.text("registry");
            String prefix = element.text("prefix", registry);
            if (!Reference.isPath(prefix)) {
                throw new Invalid("\"prefix\" of \"upstreams\" must be a path like \"docker.io\", not \"" + prefix + "\"");
            }
            if (!registry.matches("[A-Za-z0-9.-]+(:\\d{1,5})?")) {
                throw new Invalid("\"registry\" of \"upstreams\" must be a host like \"docker.io\" or \"localhost:5000\","
                        + " not \"" + registry + "\"");
            }
            String user = element.text("user");
            upstreams.add(new Mirrored(prefix, registry, user.isEmpty() ? Optional.empty() : Optional.of(user),
                    path(element, "password-file"), element.truth("insecure"),
                    Units.duration(element, "fresh", Duration.ofMinutes(10))));
        }
        return upstreams;
    }
}
