package carafe.cli.command;

import carafe.cli.create.Ulimits;
import carafe.cli.create.Variables;
import carafe.cli.flag.FlagException;
import carafe.cli.flag.Flags;
import carafe.cli.flag.Values;
import carafe.cli.session.Session;
import carafe.spec.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/// What `build`'s flags ask for, as the document that goes before the context.
final class BuildDocument {

    private static final Set<String> SECRET = Set.of("id", "src", "source", "env", "type");
    private static final int MAX_SECRET_BYTES = 500 << 10;

    private final Call call;
    private final Session session;
    private final Flags flags;

    BuildDocument(Call call) {
        this.call = call;
        this.session = call.session();
        this.flags = call.flags();
    }

    /// `annotations` are written as `--annotation` has them; `agents` are the sockets of ssh agents, by their ids.
    Json.Obj read(BuildFiles.Source source, List<String> tags, List<String> annotations, Map<String, String> agents)
            throws Failure, IOException {
        var wanted = BuildCall.of(flags);
        return Json.object()
                .put("dockerfile", source.dockerfile())
                .put("dockerfileName", source.shown())
                .put("remote", source.remote())
                .put("contexts", Json.ofAll(source.named()))
                .put("tags", Json.ofTexts(tags))
                .put("arguments", Json.ofMap(arguments()))
                .put("labels", Json.ofMap(pairs("label")))
                .put("annotations", Json.ofTexts(annotations))
                .put("target", flags.text("target"))
                .put("platforms", Json.ofTexts(platforms(flags)))
                .put("network", flags.text("network"))
                .put("extraHosts", Json.ofTexts(flags.list("add-host")))
                .put("cgroupParent", flags.text("cgroup-parent"))
                .put("memory", bytes("memory"))
                .put("swap", swap())
                .put("cpu", Json.object().put("shares", flags.number("cpu-shares")).put("period", flags.number("cpu-period"))
                        .put("quota", flags.number("cpu-quota")).put("cpus", flags.text("cpuset-cpus"))
                        .put("memoryNodes", flags.text("cpuset-mems")).build())
                .put("shmSize", bytes("shm-size"))
                .put("ulimits", ulimits())
                .put("noCache", flags.truth("no-cache"))
                .put("noCacheFilter", Json.ofTexts(commas(flags, "no-cache-filter")))
                .put("pull", flags.truth("pull"))
                .put("explain", flags.truth("explain"))
                .put("keepFailed", flags.truth("debug"))
                .put("insecure", flags.list("allow").contains("security.insecure"))
                .put("hostNetwork", flags.list("allow").contains("network.host"))
                .put("call", wanted.word())
                .put("json", wanted.json())
                .put("credentials", Json.ofAll(call.credentials().documents()))
                .put("secrets", Json.ofMap(secrets()))
                .put("agents", Json.ofMap(agents))
                .build();
    }

    /// The platforms asked for; none is the engine's own.
    static List<String> platforms(Flags flags) {
        return commas(flags, "platform");
    }

    private static List<String> commas(Flags flags, String flag) {
        return flags.list(flag).stream().flatMap(text -> Stream.of(text.split(",")))
                .map(String::strip).filter(text -> !text.isEmpty()).distinct().toList();
    }

    private long swap() throws Failure {
        return flags.text("memory-swap").equals("-1") ? -1 : bytes("memory-swap");
    }

    private long bytes(String flag) throws Failure {
        String text = flags.text(flag);
        if (text.isEmpty()) {
            return 0;
        }
        try {
            return Values.size(text);
        } catch (FlagException e) {
            throw new Failure(1, "invalid size '" + text + "' of --" + flag);
        }
    }

    private Json ulimits() throws Failure {
        try {
            return Ulimits.document(flags.list("ulimit"));
        } catch (FlagException e) {
            throw new Failure(1, e.getMessage());
        }
    }

    /// Arguments; one without value takes the environment's, and none where it has none. Proxies of the user's settings
    /// are added.
    private Map<String, String> arguments() {
        var values = new LinkedHashMap<String, String>();
        String epoch = session.variable("SOURCE_DATE_EPOCH");
        if (!epoch.isEmpty()) {
            values.put("SOURCE_DATE_EPOCH", epoch);
        }
        for (String text : flags.list("build-arg")) {
            int equals = text.indexOf('=');
            String name = equals < 0 ? text : text.substring(0, equals);
            if (equals >= 0) {
                values.put(name, text.substring(equals + 1));
            } else if (session.environment().containsKey(name)) {
                values.put(name, session.variable(name));
            }
        }
        values.putAll(Variables.map(Variables.proxies(Creating.proxies(call), flags.list("build-arg"))));
        return values;
    }

    private Map<String, String> pairs(String flag) {
        var values = new LinkedHashMap<String, String>();
        for (String text : flags.list(flag)) {
            int equals = text.indexOf('=');
            values.put(equals < 0 ? text : text.substring(0, equals), equals < 0 ? "" : text.substring(equals + 1));
        }
        return values;
    }

    private Map<String, String> secrets() throws Failure, IOException {
        var values = new LinkedHashMap<String, String>();
        for (String text : flags.list("secret")) {
            var fields = new LinkedHashMap<String, String>();
            for (String field : text.split(",")) {
                int equals = field.indexOf('=');
                if (equals < 0) {
                    throw new Failure(1, "invalid secret \"" + text + "\": write it as id=NAME,src=FILE or id=NAME,env=VARIABLE");
                }
                fields.put(field.substring(0, equals), field.substring(equals + 1));
            }
            for (String field : fields.keySet()) {
                if (!SECRET.contains(field)) {
                    throw new Failure(1, "invalid secret \"" + text + "\": unexpected key '" + field + "'");
                }
            }
            String id = fields.getOrDefault("id", "");
            String file = fields.getOrDefault("src", fields.getOrDefault("source", ""));
            String variable = fields.getOrDefault("env", "");
            if (id.isEmpty()) {
                throw new Failure(1, "invalid secret \"" + text + "\": it has no id");
            }
            String type = fields.getOrDefault("type", "file");
            if (!List.of("file", "env").contains(type)) {
                throw new Failure(1, "invalid secret \"" + text + "\": unsupported secret type " + type);
            }
            if (type.equals("env") && variable.isEmpty()) {
                variable = file.isEmpty() ? id : file;
            }
            if (file.isEmpty() && variable.isEmpty() && session.environment().containsKey(id)) {
                variable = id;
            }
            byte[] content;
            if (!variable.isEmpty()) {
                content = session.variable(variable).getBytes(StandardCharsets.UTF_8);
                if (!session.environment().containsKey(variable)) { // BuildKit gives an empty secret, too, and says nothing
                    session.say("WARNING: the secret " + id + " is empty: the variable " + variable + " is not set");
                }
            } else {
                try (var in = session.files().read(session.path(file.isEmpty() ? id : file))) {
                    content = in.readNBytes(MAX_SECRET_BYTES + 1);
                }
            }
            if (content.length > MAX_SECRET_BYTES) {
                throw new Failure(1, "the secret " + id + " is longer than " + MAX_SECRET_BYTES + " bytes");
            }
            values.put(id, Base64.getEncoder().encodeToString(content));
        }
        return values;
    }
}
