package carafe.api;

import carafe.http.Query;
import carafe.spec.EngineException.Invalid;
import carafe.spec.EngineException.Unsupported;
import carafe.spec.Json;
import carafe.spec.build.BuildAnnotation;
import carafe.spec.build.BuildContexts;
import carafe.spec.build.BuildLimits;
import carafe.spec.build.BuildRequest;
import carafe.spec.build.CacheExport;
import carafe.spec.build.CacheImport;
import carafe.spec.docker.AuthConfig;
import carafe.spec.docker.Resources;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Reads what a build is asked for: from Docker's query, or from our own document.
final class BuildParameters {

    private static final String EPOCH = "SOURCE_DATE_EPOCH";
    private static final Set<String> NOTHING = Set.of("", "null", "[]");

    private BuildParameters() {}

    /// Docker's query.
    static BuildRequest read(Call call) throws Invalid, Unsupported {
        refuse(call.query());
        var arguments = texts("buildargs", call.text("buildargs"));
        var labels = texts("labels", call.text("labels"));
        var cpu = new BuildLimits.Cpu(call.number("cpushares").orElse(0L), call.number("cpuperiod").orElse(0L),
                call.number("cpuquota").orElse(0L), call.text("cpusetcpus"), call.text("cpusetmems"));
        var limits = new BuildLimits(call.number("memory").orElse(0L), call.number("memswap").orElse(0L), cpu,
                call.number("shmsize").orElse(0L), call.text("cgroupparent"), hosts(call), ulimits(call.text("ulimits")));
        var running = new BuildRequest.Running(network(call.text("networkmode")), limits, Map.of(), Map.of(), false, false);
        return new BuildRequest(call.text("dockerfile"), call.query().all("t").stream().filter(t -> !t.isEmpty()).toList(),
                arguments, labels, Optional.of(call.text("target")).filter(target -> !target.isEmpty()),
                onePlatform(call.text("platform")),
                new BuildRequest.Cache(call.flag("nocache"), List.of(), imports(call.text("cachefrom")), List.of()), running,
                new BuildRequest.Result(BuildRequest.Call.BUILD, epoch(arguments), false, call.flag("pull")),
                new BuildContexts(remote(call.text("remote")), Map.of(), List.of()));
    }

    /// What Docker's query may ask for and nothing here does is told; clients' words for nothing pass.
    static void refuse(Query query) throws Invalid, Unsupported {
        if (query.flag("squash")) {
            throw new Unsupported("squash=1 cannot be done: layers are kept apart; begin a last stage with FROM scratch and"
                    + " COPY --from, which has one layer");
        }
        if (!NOTHING.containsAll(query.all("securityopt"))) {
            throw new Unsupported("securityopt cannot be done: steps have the default profile; `carafe build --allow"
                    + " security.insecure` lets those out of it that ask for it");
        }
        for (String isolation : query.all("isolation")) {
            if (!isolation.isEmpty() && !isolation.equalsIgnoreCase("default")) {
                throw new Unsupported("isolation=" + isolation + " cannot be done: it is a matter of Windows");
            }
        }
        if (!NOTHING.containsAll(query.all("outputs"))) {
            throw new Unsupported("outputs cannot be done through POST /build, which makes an image; `carafe build --output`"
                    + " writes files");
        }
        String shared = query.first("shmsize").orElse("").strip();
        if (shared.startsWith("-")) {
            throw new Invalid("invalid value \"" + shared + "\" for parameter shmsize: no memory is smaller than nothing");
        }
    }

    /// Docker's door makes one image; several platforms are for our own.
    static List<String> onePlatform(String text) throws Invalid {
        if (text.indexOf(',') >= 0) {
            throw new Invalid("one platform at a time can be built here, not " + text
                    + ": build each alone, or all at once with \"carafe build --platform " + text + "\"");
        }
        return text.isEmpty() ? List.of() : List.of(text);
    }

    /// Docker's list of limits.
    private static List<BuildLimits.Ulimit> ulimits(String text) throws Invalid {
        if (text.isEmpty() || text.equals("null")) {
            return List.of();
        }
        return ulimits(Json.parseObject(("{\"all\":" + text + "}").getBytes(StandardCharsets.UTF_8)).objects("all"));
    }

    private static List<BuildLimits.Ulimit> ulimits(List<Json.Obj> documents) throws Invalid {
        var all = new ArrayList<BuildLimits.Ulimit>();
        for (var each : documents) {
            var ulimit = Resources.Ulimit.read(each);
            all.add(new BuildLimits.Ulimit(ulimit.name(), ulimit.soft(), ulimit.hard()));
        }
        return all;
    }

    /// Old clients give one text with commas, new ones repeat the parameter.
    private static List<String> hosts(Call call) {
        return call.query().all("extrahosts").stream().flatMap(text -> List.of(text.split(",")).stream())
                .map(String::strip).filter(text -> !text.isEmpty()).toList();
    }

    private static String network(String mode) {
        return mode.isEmpty() ? "default" : mode;
    }

    /// A JSON object of texts; a null means that the client's environment does not have the variable.
    private static Map<String, String> texts(String parameter, String text) throws Invalid {
        var values = new LinkedHashMap<String, String>();
        if (!text.isEmpty() && !text.equals("null")) {
            for (var field : Json.parseObject(text.getBytes(StandardCharsets.UTF_8)).fields().entrySet()) {
                switch (field.getValue()) {
                    case Json.Str(String value) -> values.put(field.getKey(), value);
                    case Json.Null _ -> { }
                    default -> throw new Invalid("error reading build " + parameter + ": " + field.getKey()
                            + " must be a string");
                }
            }
        }
        return values;
    }

    private static Optional<Long> epoch(Map<String, String> arguments) throws Invalid {
        String text = arguments.getOrDefault(EPOCH, "");
        if (text.isEmpty()) {
            return Optional.empty();
        }
        if (!text.matches("\\d{1,11}")) {
            throw new Invalid("invalid " + EPOCH + ": " + text + " is no number of seconds");
        }
        return Optional.of(Long.parseLong(text));
    }

    /// Docker's list of images here; what is not here is no cache, and nothing is fetched for it.
    private static List<CacheImport> imports(String text) throws Invalid {
        var imports = new ArrayList<CacheImport>();
        if (!text.isEmpty() && !text.equals("null")) {
            if (!(Json.parse(text) instanceof Json.Arr(var elements))) {
                throw new Invalid("error reading cache-from: " + text + " is no list");
            }
            for (var element : elements) {
                if (!(element instanceof Json.Str(String image))) {
                    throw new Invalid("error reading cache-from: " + element.print() + " is no string");
                }
                imports.add(new CacheImport(image, false, false));
            }
        }
        return imports;
    }

    private static BuildRequest.Cache cache(Json.Obj json) throws Invalid {
        var from = new ArrayList<CacheImport>();
        for (var entry : json.objects("cacheFrom")) {
            from.add(new CacheImport(entry.text("reference"), entry.truth("remote"), entry.truth("mounts")));
        }
        var to = new ArrayList<CacheExport>();
        for (var entry : json.objects("cacheTo")) {
            String reference = entry.text("reference");
            var kind = switch (entry.text("type")) {
                case "inline" -> CacheExport.Kind.INLINE;
                case "registry" -> CacheExport.Kind.REGISTRY;
                case "image" -> CacheExport.Kind.IMAGE;
                default -> throw new Invalid("unknown cache type \"" + entry.text("type")
                        + "\": inline, registry and image are known");
            };
            if ((kind == CacheExport.Kind.REGISTRY) == reference.isEmpty()) {
                throw new Invalid("a cache for a registry needs a reference, any other has none");
            }
            to.add(new CacheExport(kind, reference, entry.truth("all"), entry.truth("mounts"),
                    entry.truth("ignoreError")));
        }
        return new BuildRequest.Cache(json.truth("noCache"), json.texts("noCacheFilter"), from, to);
    }

    /// Our own document.
    static BuildRequest read(Json.Obj json) throws Invalid {
        var arguments = json.textMap("arguments");
        var secrets = new HashMap<String, byte[]>();
        for (var secret : json.textMap("secrets").entrySet()) {
            try {
                secrets.put(secret.getKey(), Base64.getDecoder().decode(secret.getValue()));
            } catch (IllegalArgumentException e) {
                throw new Invalid("the secret " + secret.getKey() + " is not base64");
            }
        }
        var cpu = json.object("cpu");
        var limits = new BuildLimits(json.number("memory", 0), json.number("swap", 0),
                new BuildLimits.Cpu(cpu.number("shares", 0), cpu.number("period", 0), cpu.number("quota", 0), cpu.text("cpus"),
                        cpu.text("memoryNodes")), json.number("shmSize", 0), json.text("cgroupParent"), json.texts("extraHosts"),
                ulimits(json.objects("ulimits")));
        var running = new BuildRequest.Running(network(json.text("network")), limits, secrets, json.textMap("agents"),
                json.truth("insecure"), json.truth("hostNetwork"), json.truth("keepFailed"));
        return new BuildRequest(json.text("dockerfile"), json.texts("tags"), arguments, json.textMap("labels"),
                Optional.of(json.text("target")).filter(target -> !target.isEmpty()), json.texts("platforms"),
                cache(json), running,
                new BuildRequest.Result(kind(json.text("call", "build")), epoch(arguments), json.truth("explain"),
                        json.truth("pull"), BuildAnnotation.parseAll(json.texts("annotations")), json.truth("json"),
                        json.truth("pushed")),
                contexts(json));
    }

    /// Where the context is fetched from; `""` when it is sent.
    private static String remote(String text) throws Invalid {
        if (text.equals("client-session") || text.isEmpty()) {
            return "";
        }
        if (BuildContexts.isRemoteContext(text)) {
            return text;
        }
        if (text.matches("[\\w.-]+\\.[A-Za-z]{2,}/\\S*")) {
            return "https://" + text;
        }
        throw new Invalid("unable to prepare context: \"" + text + "\" is no URL of a git repository, a tar or a Dockerfile");
    }

    /// The contexts of our own document: `contexts` has objects of `name`, `kind` and `place`, those that are sent in the
    /// order in which they come.
    private static BuildContexts contexts(Json.Obj json) throws Invalid {
        var named = new LinkedHashMap<String, BuildContexts.Place>();
        var sent = new ArrayList<String>();
        for (var context : json.objects("contexts")) {
            String name = context.text("name").toLowerCase(Locale.ROOT);
            String place = context.text("place");
            if (named.containsKey(name)) {
                throw new Invalid("the context " + name + " is given twice; give each a name of its own");
            }
            named.put(name, switch (context.text("kind")) {
                case "directory" -> new BuildContexts.Directory();
                case "layout" -> new BuildContexts.Layout(place);
                case "image" -> new BuildContexts.Image(place);
                case "remote" -> new BuildContexts.Remote(place);
                default -> throw new Invalid("unknown kind of context \"" + context.text("kind") + "\" of " + name);
            });
            if (List.of("directory", "layout").contains(context.text("kind"))) {
                sent.add(name);
            }
        }
        return new BuildContexts(remote(json.text("remote")), named, sent, listing(json.object("listing")),
                json.text("dockerfileName"));
    }

    /// `listing` has the name of the `directory` that is listed, and whether its tar stays out (`alone`).
    private static Optional<BuildContexts.Listing> listing(Json.Obj json) throws Invalid {
        String directory = json.text("directory");
        return directory.isEmpty() ? Optional.empty()
                : Optional.of(new BuildContexts.Listing(directory, json.truth("alone")));
    }

    /// What our own document says to prove who its sender is; what names no registry is for none.
    static List<AuthConfig> credentials(Json.Obj json) throws Invalid {
        var all = new ArrayList<AuthConfig>();
        for (var document : json.objects("credentials")) {
            var auth = AuthConfig.fromJson(document);
            if (!auth.serverAddress().isEmpty()) {
                all.add(auth);
            }
        }
        return all;
    }

    private static BuildRequest.Call kind(String word) throws Invalid {
        try {
            return BuildRequest.Call.valueOf(word.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new Invalid("unknown call \"" + word + "\": build, check, outline and targets are known");
        }
    }
}
