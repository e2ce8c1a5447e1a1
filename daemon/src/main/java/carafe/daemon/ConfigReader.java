package carafe.daemon;

import carafe.http.Address;
import carafe.hub.HubConfig;
import carafe.spec.EngineException.Invalid;
import carafe.spec.Json;
import carafe.spec.build.CacheRules;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Reads flags and configuration file into one [DaemonConfig].
///
/// A word neither Docker nor we know stops the start and names the nearest one. Docker's keys that this engine does not
/// act on yet are accepted with a warning, so an existing daemon.json keeps working. A directive given both as flag
/// and in the file is refused, as dockerd does. Source: dockerd(8).
final class ConfigReader {

    /// Where the configuration is looked for when no flag names a file: ours, then Docker's.
    private static final List<Path> DEFAULT_FILES =
            List.of(Path.of("/etc/carafe/daemon.json"), Path.of("/etc/docker/daemon.json"));

    private static final Path DATA_ROOT = Path.of("/var/lib/carafe");
    private static final int FILE_LIMIT = 1 << 20;

    /// Keys of Docker's daemon.json that have no effect here yet.
    private static final Set<String> WITHOUT_EFFECT = Set.of(
            "allow-nondistributable-artifacts", "api-cors-header", "authorization-plugins",
            "cgroup-parent", "containerd",
            "containerd-namespace", "containerd-plugin-namespace", "cpu-rt-period", "cpu-rt-runtime", "data-root-mode",
            "default-cgroupns-mode",
            "default-ipc-mode", "default-runtime", "default-shm-size", "default-ulimits",
            "exec-opts", "experimental", "features", "firewall-backend",
            "init", "init-path", "ip6tables",
            "iptables", "log-format", "metrics-addr", "network-control-plane-mtu", "no-new-privileges",
            "node-generic-resources", "oom-score-adjust", "raw-logs", "rootless", "runtimes", "seccomp-profile",
            "selinux-enabled", "shutdown-timeout", "storage-driver",
            "storage-opts", "swarm-default-advertise-addr", "userland-proxy", "userland-proxy-path");

    private final Map<Option, List<String>> flags = new EnumMap<>(Option.class);
    private final Map<Option, List<String>> file = new EnumMap<>(Option.class);
    private final List<String> warnings = new ArrayList<>();
    private Optional<Json> hub = Optional.empty();
    private CacheRules cache = CacheRules.USUAL;

    /// The flags as given. Throws on unknown ones; reads no file.
    ConfigReader(List<String> arguments) throws Invalid {
        var rest = new ArrayList<>(arguments);
        while (!rest.isEmpty()) {
            String word = rest.removeFirst();
            if (word.startsWith("--")) {
                longFlag(word.substring(2), rest);
            } else if (word.startsWith("-") && word.length() > 1) {
                shorthands(word, rest);
            } else {
                throw new Invalid("\"carafed\" accepts no arguments, but got: " + word);
            }
        }
    }

    /// Whether a flag that only asks for something (help, version, validate) was given.
    boolean asks(Option option) {
        return flags.getOrDefault(option, List.of()).contains("true");
    }

    private void longFlag(String word, List<String> rest) throws Invalid {
        int equals = word.indexOf('=');
        String name = equals < 0 ? word : word.substring(0, equals);
        Option option = Option.byFlag(name)
                .orElseThrow(() -> new Invalid(
                        "unknown flag: --" + name + " (nearest: --" + Option.nearest(name, false) + ")"));
        if (equals >= 0) {
            put(option, word.substring(equals + 1));
        } else if (option.kind == Option.Kind.TRUTH) {
            put(option, "true");
        } else if (rest.isEmpty()) {
            throw new Invalid("flag needs an argument: --" + name);
        } else {
            put(option, rest.removeFirst());
        }
    }

    private void shorthands(String word, List<String> rest) throws Invalid {
        for (int i = 1; i < word.length(); i++) {
            char letter = word.charAt(i);
            Option option = Option.byShorthand(letter)
                    .orElseThrow(() -> new Invalid("unknown shorthand flag: '" + letter + "' in " + word));
            if (option.kind == Option.Kind.TRUTH) {
                put(option, "true");
                continue;
            }
            String value = word.substring(i + 1);
            if (value.isEmpty() && rest.isEmpty()) {
                throw new Invalid("flag needs an argument: '" + letter + "' in " + word);
            }
            put(option, value.isEmpty() ? rest.removeFirst() : value.startsWith("=") ? value.substring(1) : value);
            return;
        }
    }

    private void put(Option option, String value) throws Invalid {
        if (option.kind == Option.Kind.TRUTH && !value.equals("true") && !value.equals("false")) {
            throw new Invalid("--" + option.flag + " takes true or false, not \"" + value + "\"");
        }
        flags.computeIfAbsent(option, _ -> new ArrayList<>()).add(value);
    }

    /// Reads the configuration file and puts all together. A file that a flag names may be absent only as dockerd's may:
    /// not at all, unless it is one of the default places.
    DaemonConfig read() throws Invalid {
        var named = last(flags, Option.CONFIG_FILE);
        if (named.isPresent()) {
            readFile(Path.of(named.get()), true);
        } else {
            for (Path candidate : DEFAULT_FILES) {
                if (readFile(candidate, false)) {
                    break;
                }
            }
        }
        for (Option option : Option.values()) {
            if (flags.containsKey(option) && file.containsKey(option)) {
                throw new Invalid("the following directive is given both as a flag and in the configuration file: "
                        + option.key + " (from flag: " + flags.get(option) + ", from file: " + file.get(option) + ")");
            }
        }
        Path execRoot = path(Option.EXEC_ROOT).orElse(Path.of("/run/carafe"));
        var hosts = all(Option.HOST);
        if (hosts.isEmpty()) {
            hosts = List.of("unix://" + execRoot.resolve("carafe.sock"));
        }
        String driver = one(Option.LOG_DRIVER).orElse("json-file");
        if (!driver.equals("json-file")) {
            throw new Invalid("log driver \"" + driver + "\" is not offered; json-file is");
        }
        return new DaemonConfig(
                hosts,
                path(Option.DATA_ROOT).orElse(DATA_ROOT),
                execRoot,
                path(Option.PIDFILE).orElse(execRoot.resolve("carafed.pid")),
                one(Option.GROUP).orElse("carafe"),
                truth(Option.DEBUG) || one(Option.LOG_LEVEL).filter("debug"::equals).isPresent(),
                tls(),
                pairs(all(Option.LOG_OPT)),
                all(Option.LABEL),
                registries(),
                hub(path(Option.DATA_ROOT).orElse(DATA_ROOT), execRoot),
                NetworkOptions.read(this::all),
                one(Option.USERNS_REMAP).filter(word -> !word.isEmpty()),
                cache,
                warnings);
    }

    private DaemonConfig.Registries registries() throws Invalid {
        var mirrors = new LinkedHashMap<String, List<String>>();
        all(Option.REGISTRY_MIRROR).forEach(url -> mirrors.computeIfAbsent("docker.io", _ -> new ArrayList<>()).add(url));
        for (String word : all(Option.MIRROR)) {
            int equals = word.indexOf('=');
            if (equals <= 0) {
                throw new Invalid("mirror \"" + word + "\" is not of the form registry=https://host");
            }
            mirrors.computeIfAbsent(word.substring(0, equals), _ -> new ArrayList<>()).add(word.substring(equals + 1));
        }
        var proxies = pairs(all(Option.PROXIES));
        for (String key : proxies.keySet()) {
            if (!Set.of("http-proxy", "https-proxy", "no-proxy").contains(key)) {
                throw new Invalid("unknown key \"" + key + "\" in \"proxies\"; known are http-proxy, https-proxy, no-proxy");
            }
        }
        return new DaemonConfig.Registries(mirrors, all(Option.INSECURE_REGISTRY),
                proxy(Option.HTTP_PROXY, proxies), proxy(Option.HTTPS_PROXY, proxies), proxy(Option.NO_PROXY, proxies),
                new DaemonConfig.Transfers(number(Option.DOWNLOADS, 3), number(Option.UPLOADS, 5), number(Option.ATTEMPTS, 5)));
    }

    private Optional<String> proxy(Option option, Map<String, String> object) {
        return one(option).or(() -> Optional.ofNullable(object.get(option.key)));
    }

    /// A whole number from 1 to 1000.
    private int number(Option option, int otherwise) throws Invalid {
        String text = one(option).orElse(Integer.toString(otherwise));
        if (!text.matches("[1-9][0-9]{0,2}|1000")) {
            throw new Invalid("invalid " + option.key + ": " + text + ": it is a number from 1 to 1000");
        }
        return Integer.parseInt(text);
    }

    private DaemonConfig.Tls tls() throws Invalid {
        boolean verify = truth(Option.TLS_VERIFY);
        boolean on = verify || truth(Option.TLS);
        var tls = new DaemonConfig.Tls(
                on, verify, path(Option.TLS_CA), path(Option.TLS_CERT), path(Option.TLS_KEY));
        if (on && (tls.certificate().isEmpty() || tls.key().isEmpty())) {
            throw new Invalid("--tls needs --tlscert and --tlskey");
        }
        if (verify && tls.authority().isEmpty()) {
            throw new Invalid("--tlsverify needs --tlscacert, the authority that signs client certificates");
        }
        return tls;
    }

    /// The hub, when the file has one: its configuration, or the name of the file that holds it. Unless it says otherwise
    /// it keeps its data below the engine's and serves only a local socket, which is there in any case: pulls go there.
    private Optional<HubConfig> hub(Path dataRoot, Path execRoot) throws Invalid {
        if (hub.isEmpty()) {
            return Optional.empty();
        }
        Json.Obj document = switch (hub.get()) {
            case Json.Obj object -> object;
            case Json.Str(String name) -> HubCommand.read(Path.of(name));
            default -> throw new Invalid("\"hub\" must be an object, or the name of a file");
        };
        if (document.find("data").isEmpty()) {
            document = document.with("data", Json.of(dataRoot.resolve("hub").toString()));
        }
        try {
            var places = new ArrayList<Json>(document.list("listen"));
            if (places.isEmpty() || HubConfig.parse(document).listen().stream().noneMatch(Address.Unix.class::isInstance)) {
                places.add(Json.of("unix://" + execRoot.resolve("hub.sock")));
                document = document.with("listen", Json.ofAll(places));
            }
            return Optional.of(HubConfig.parse(document));
        } catch (Invalid e) {
            throw new Invalid("\"hub\": " + e.getMessage());
        }
    }

    private boolean readFile(Path path, boolean mustExist) throws Invalid {
        byte[] bytes;
        try {
            if (Files.size(path) > FILE_LIMIT) {
                throw new Invalid("configuration file " + path + " is larger than 1 MiB");
            }
            bytes = Files.readAllBytes(path);
        } catch (NoSuchFileException e) {
            if (mustExist) {
                throw new Invalid("configuration file " + path + " does not exist");
            }
            return false;
        } catch (IOException e) {
            throw new Invalid("configuration file " + path + " cannot be read: " + e.getMessage());
        }
        try {
            if (!new String(bytes, java.nio.charset.StandardCharsets.UTF_8).isBlank()) {
                readKeys(Json.parseObject(bytes), path);
            }
        } catch (Invalid e) {
            throw new Invalid("configuration file " + path + ": " + e.getMessage());
        }
        return true;
    }

    private void readKeys(Json.Obj object, Path path) throws Invalid {
        for (String key : object.fields().keySet()) {
            var option = Option.byKey(key);
            if (key.equals("hub")) {
                hub = object.find(key);
            } else if (key.equals("builder")) {
                readBuilder(object.find(key).orElse(Json.object().build()), path);
            } else if (option.isPresent()) {
                file.put(option.get(), values(object, option.get()));
            } else if (WITHOUT_EFFECT.contains(key)) {
                warnings.add(withoutEffect(key, path));
            } else {
                throw new Invalid("unknown key \"" + key + "\"; the nearest is \"" + Option.nearest(key, true) + "\"");
            }
        }
    }

    private void readBuilder(Json value, Path path) throws Invalid {
        var builder = BuilderOptions.read(value, Instant.now());
        cache = builder.rules();
        builder.withoutEffect().forEach(key -> warnings.add(withoutEffect(key, path)));
    }

    private static String withoutEffect(String key, Path path) {
        return "\"" + key + "\" in " + path + " has no effect in this version";
    }

    private static List<String> values(Json.Obj object, Option option) throws Invalid {
        return switch (option.kind) {
            case TRUTH -> List.of(String.valueOf(object.truth(option.key)));
            case NUMBER -> List.of(Long.toString(object.number(option.key, 0)));
            case LIST -> object.texts(option.key);
            case LISTS -> {
                var elements = new ArrayList<String>();
                for (String name : object.object(option.key).fields().keySet()) {
                    object.object(option.key).texts(name).forEach(element -> elements.add(name + "=" + element));
                }
                yield elements;
            }
            case MAPS -> {
                var elements = new ArrayList<String>();
                for (String name : object.object(option.key).fields().keySet()) {
                    object.object(option.key).textMap(name).forEach((key, value) ->
                            elements.add(name + "=" + key + "=" + value));
                }
                yield elements;
            }
            case TEXT -> List.of(object.find(option.key).orElse(Json.NULL) instanceof Json.Num number
                    ? String.valueOf(number.number())
                    : object.text(option.key));
            case POOLS -> pools(object.objects(option.key));
            case MAP -> object.textMap(option.key).entrySet().stream()
                    .map(entry -> entry.getKey() + "=" + entry.getValue())
                    .toList();
        };
    }

    private static List<String> pools(List<Json.Obj> objects) throws Invalid {
        var texts = new ArrayList<String>();
        for (var object : objects) {
            texts.add("base=" + object.text("base") + ",size=" + object.number("size", 0));
        }
        return texts;
    }

    private static Map<String, String> pairs(List<String> words) throws Invalid {
        var pairs = new LinkedHashMap<String, String>();
        for (String word : words) {
            int equals = word.indexOf('=');
            if (equals <= 0) {
                throw new Invalid("log option \"" + word + "\" is not of the form key=value");
            }
            pairs.put(word.substring(0, equals), word.substring(equals + 1));
        }
        return pairs;
    }

    private List<String> all(Option option) {
        return flags.getOrDefault(option, file.getOrDefault(option, List.of()));
    }

    private Optional<String> one(Option option) {
        return last(flags, option).or(() -> last(file, option));
    }

    private boolean truth(Option option) {
        return one(option).filter("true"::equals).isPresent();
    }

    private Optional<Path> path(Option option) {
        return one(option).map(text -> Path.of(text).toAbsolutePath().normalize());
    }

    private static Optional<String> last(Map<Option, List<String>> from, Option option) {
        var values = from.get(option);
        return values == null || values.isEmpty() ? Optional.empty() : Optional.of(values.getLast());
    }
}
