package carafe.spec.oci;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The process of a container, or one executed in it. `cwd` is absolute in the container; `args[0]` is searched
/// in the PATH of `env` when it has no slash. Source: runtime-spec 1.2 config.md#process.
public record ProcessSpec(
        boolean terminal,
        Optional<ConsoleSize> consoleSize,
        User user,
        List<String> args,
        List<String> env,
        String cwd,
        Capabilities capabilities,
        List<Rlimit> rlimits,
        boolean noNewPrivileges,
        Optional<Long> oomScoreAdj,
        String apparmorProfile) {

    public ProcessSpec {
        args = List.copyOf(args);
        env = List.copyOf(env);
        rlimits = List.copyOf(rlimits);
    }

    /// The size of a terminal in characters.
    public record ConsoleSize(int height, int width) {}

    /// Who the process runs as, in the container's numbers. `umask` is left as inherited when empty.
    public record User(long uid, long gid, Optional<Integer> umask, List<Long> additionalGids) {

        /// Root with no further group.
        public static final User ROOT = new User(0, 0, Optional.empty(), List.of());

        public User {
            additionalGids = List.copyOf(additionalGids);
        }
    }

    /// The five capability sets by name (`CAP_CHOWN`).
    public record Capabilities(
            List<String> bounding,
            List<String> effective,
            List<String> inheritable,
            List<String> permitted,
            List<String> ambient) {

        /// Every set empty.
        public static final Capabilities NONE = same(List.of());

        public Capabilities {
            bounding = List.copyOf(bounding);
            effective = List.copyOf(effective);
            inheritable = List.copyOf(inheritable);
            permitted = List.copyOf(permitted);
            ambient = List.copyOf(ambient);
        }

        /// `names` bounding, permitted and effective; nothing inheritable or ambient.
        public static Capabilities same(List<String> names) {
            return new Capabilities(names, names, List.of(), names, List.of());
        }
    }

    /// A limit by its name in getrlimit(2) (`RLIMIT_NOFILE`). The values are unsigned: `-1` is no limit.
    public record Rlimit(String type, long soft, long hard) {}

    /// This process as another user.
    public ProcessSpec withUser(User other) {
        return new ProcessSpec(
                terminal, consoleSize, other, args, env, cwd, capabilities, rlimits, noNewPrivileges, oomScoreAdj,
                apparmorProfile);
    }

    /// This process with another environment.
    public ProcessSpec withEnv(List<String> other) {
        return new ProcessSpec(
                terminal, consoleSize, user, args, other, cwd, capabilities, rlimits, noNewPrivileges, oomScoreAdj,
                apparmorProfile);
    }

    /// This process with another command.
    public ProcessSpec withArgs(List<String> other) {
        return new ProcessSpec(
                terminal, consoleSize, user, other, env, cwd, capabilities, rlimits, noNewPrivileges, oomScoreAdj,
                apparmorProfile);
    }

    /// Reads the section `process`.
    public static ProcessSpec fromJson(Json.Obj json) throws EngineException.Invalid {
        var size = json.object("consoleSize");
        var capabilities = json.object("capabilities");
        var rlimits = new ArrayList<Rlimit>();
        for (var limit : json.objects("rlimits")) {
            rlimits.add(new Rlimit(limit.text("type"), unsigned(limit, "soft"), unsigned(limit, "hard")));
        }
        return new ProcessSpec(
                json.truth("terminal"),
                size.fields().isEmpty()
                        ? Optional.empty()
                        : Optional.of(new ConsoleSize(
                                (int) bounded(size, "height", 65535), (int) bounded(size, "width", 65535))),
                user(json.object("user")),
                json.texts("args"),
                json.texts("env"),
                json.text("cwd", "/"),
                new Capabilities(
                        capabilities.texts("bounding"),
                        capabilities.texts("effective"),
                        capabilities.texts("inheritable"),
                        capabilities.texts("permitted"),
                        capabilities.texts("ambient")),
                rlimits,
                json.truth("noNewPrivileges"),
                json.number("oomScoreAdj"),
                json.text("apparmorProfile"));
    }

    /// This process as the section `process`.
    public Json.Obj toJson() {
        var fields = new Fields().put("terminal", terminal);
        consoleSize.ifPresent(size -> fields.put(
                "consoleSize",
                Json.object().put("height", size.height).put("width", size.width).build()));
        return fields.put("user", json(user))
                .put("args", args)
                .put("env", env)
                .put("cwd", cwd)
                .put("capabilities", new Fields()
                        .put("bounding", capabilities.bounding)
                        .put("effective", capabilities.effective)
                        .put("inheritable", capabilities.inheritable)
                        .put("permitted", capabilities.permitted)
                        .put("ambient", capabilities.ambient)
                        .build())
                .putAll("rlimits", rlimits, ProcessSpec::json)
                .put("noNewPrivileges", noNewPrivileges)
                .put("oomScoreAdj", oomScoreAdj)
                .put("apparmorProfile", apparmorProfile)
                .build();
    }

    private static User user(Json.Obj json) throws EngineException.Invalid {
        var groups = new ArrayList<Long>();
        for (var element : json.list("additionalGids")) {
            groups.add(bounded(Json.object().put("additionalGids", element).build(), "additionalGids", MAX_ID));
        }
        return new User(
                bounded(json, "uid", MAX_ID),
                bounded(json, "gid", MAX_ID),
                json.find("umask").isEmpty() ? Optional.empty() : Optional.of((int) bounded(json, "umask", 0777)),
                groups);
    }

    private static Json.Obj json(User user) {
        var builder = Json.object().put("uid", user.uid).put("gid", user.gid);
        user.umask.ifPresent(umask -> builder.put("umask", umask));
        if (!user.additionalGids.isEmpty()) {
            builder.put("additionalGids", Json.ofAll(user.additionalGids.stream().map(Json::of).toList()));
        }
        return builder.build();
    }

    private static Json json(Rlimit limit) {
        return Json.object()
                .put("type", limit.type)
                .put("hard", unsigned(limit.hard))
                .put("soft", unsigned(limit.soft))
                .build();
    }

    /// The largest id the kernel takes; 2^32-1 means "no change" to it and is refused (CVE-2024-40635).
    private static final long MAX_ID = 0xFFFF_FFFEL;

    private static long bounded(Json.Obj json, String key, long limit) throws EngineException.Invalid {
        long value = json.number(key, 0);
        if (value < 0 || value > limit) {
            throw new EngineException.Invalid("\"" + key + "\" must be between 0 and " + limit + ", not " + value);
        }
        return value;
    }

    private static long unsigned(Json.Obj json, String key) throws EngineException.Invalid {
        var value = json.find(key);
        if (value.isPresent() && value.get() instanceof Json.Num number) {
            try {
                var whole = number.number().toBigIntegerExact();
                if (whole.bitLength() <= 64 && (whole.signum() >= 0 || whole.longValue() == -1)) {
                    return whole.longValue();
                }
            } catch (ArithmeticException e) {
                throw new EngineException.Invalid("\"" + key + "\" must be a whole number");
            }
        }
        throw new EngineException.Invalid("\"" + key + "\" must be a whole number of at most 64 bits");
    }

    private static Json unsigned(long value) {
        return new Json.Num(new BigDecimal(Long.toUnsignedString(value)));
    }
}
