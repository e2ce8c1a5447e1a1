package carafe.hub;

import carafe.hub.access.Grant;
import carafe.hub.notice.Webhooks;
import carafe.hub.store.Namespace;
import carafe.hub.store.Retention;
import carafe.http.Address;
import carafe.spec.EngineException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// What a hub was told; parsed once, then constant. Nothing here grants anything by itself: without rights only local
/// sockets may do anything.
///
/// `data` is the hub's directory, `listen` where it serves, `users` an htpasswd file.
public record HubConfig(
        Path data,
        List<Address> listen,
        Optional<Path> users,
        Login login,
        List<Grant> rights,
        List<Limit> quotas,
        List<Retention.Rule> retention,
        Collect collect,
        List<Webhooks.Hook> webhooks,
        List<Mirrored> upstreams,
        boolean publicMetrics,
        boolean web) {

    /// Checks that nobody from elsewhere can change anything without logging in.
    public HubConfig {
        listen = List.copyOf(listen);
        rights = List.copyOf(rights);
        quotas = List.copyOf(quotas);
        retention = List.copyOf(retention);
        webhooks = List.copyOf(webhooks);
        upstreams = List.copyOf(upstreams);
    }

    /// How people log in: `token` as Docker's hub does, or Basic alone. `url` is how clients reach the hub, where that
    /// differs from what they call it; `service` names it in tokens, which live `tokenLife`.
    public record Login(boolean token, Optional<String> url, String service, Duration tokenLife) {}

    /// A namespace's share of the disk.
    public record Limit(Namespace namespace, long bytes) {}

    /// When garbage goes: a round `every` so often, leases of `grace`, idle uploads kept for `uploads`.
    public record Collect(Duration every, Duration grace, Duration uploads) {}

    /// The registry at `registry` (`docker.io`, `localhost:5000`), shown below `prefix`; its tags are believed for
    /// `fresh`. The password is read from its file when the hub starts. An `insecure` one need not prove who it is.
    public record Mirrored(String prefix, String registry, Optional<String> user, Optional<Path> passwordFile,
            boolean insecure, Duration fresh) {}

    /// The same hub, reached by nobody: for work on its directory alone.
    public HubConfig withoutDoors() {
        return new HubConfig(data, List.of(), users, login, rights, quotas, retention, collect, webhooks, upstreams,
                publicMetrics, web);
    }

    /// Reads a configuration document.
    /// @throws EngineException.Invalid with a sentence naming the key
    public static HubConfig parse(carafe.spec.Json.Obj document) throws EngineException.Invalid {
        return new ConfigDocument(document).read();
    }
}
