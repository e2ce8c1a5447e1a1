package carafe.spec.oci;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The configuration of one container as the OCI runtime specification writes it into `config.json`.
/// Absent texts are `""`, absent lists are empty. Source: runtime-spec 1.2 config.md.
public record RuntimeSpec(
        String ociVersion,
        ProcessSpec process,
        Root root,
        String hostname,
        String domainname,
        List<Mount> mounts,
        Hooks hooks,
        Map<String, String> annotations,
        LinuxSpec linux) {

    /// The version of the specification that this engine writes.
    public static final String VERSION = "1.2.1";

    public RuntimeSpec {
        mounts = List.copyOf(mounts);
        annotations = Collections.unmodifiableMap(new LinkedHashMap<>(annotations));
    }

    /// The root filesystem; `path` may be relative to the bundle and is `""` when a [RootfsPlan] says where it is.
    public record Root(String path, boolean readonly) {}

    /// One mount, done in list order. `options` mixes kernel flags, propagation and filesystem data, as mount(8) does.
    /// The id mappings belong to the options `idmap` and `ridmap`.
    public record Mount(
            String destination,
            String type,
            String source,
            List<String> options,
            List<IdMapping> uidMappings,
            List<IdMapping> gidMappings) {
        public Mount {
            options = List.copyOf(options);
            uidMappings = List.copyOf(uidMappings);
            gidMappings = List.copyOf(gidMappings);
        }

        /// A mount without id mappings.
        public static Mount of(String destination, String type, String source, List<String> options) {
            return new Mount(destination, type, source, options, List.of(), List.of());
        }

        /// Whether this binds an existing file or directory instead of mounting a filesystem.
        public boolean isBind() {
            return options.contains("bind") || options.contains("rbind") || type.equals("bind");
        }
    }

    /// `size` ids from `containerId` in the container stand for those from `hostId` outside.
    public record IdMapping(long containerId, long hostId, long size) {}

    /// Programs the runtime calls at fixed points of a container's life.
    public record Hooks(
            List<Hook> createRuntime,
            List<Hook> createContainer,
            List<Hook> startContainer,
            List<Hook> poststart,
            List<Hook> poststop) {

        /// No hooks.
        public static final Hooks NONE = new Hooks(List.of(), List.of(), List.of(), List.of(), List.of());

        public Hooks {
            createRuntime = List.copyOf(createRuntime);
            createContainer = List.copyOf(createContainer);
            startContainer = List.copyOf(startContainer);
            poststart = List.copyOf(poststart);
            poststop = List.copyOf(poststop);
        }

        /// Whether no hook is named at all.
        public boolean isEmpty() {
            return equals(NONE);
        }
    }

    /// One hook: an absolute path, its whole argv, its environment and, if positive, its time limit in seconds.
    public record Hook(String path, List<String> args, List<String> env, long timeoutSeconds) {
        public Hook {
            args = List.copyOf(args);
            env = List.copyOf(env);
        }
    }

    /// This configuration with another process.
    public RuntimeSpec withProcess(ProcessSpec other) {
        return new RuntimeSpec(ociVersion, other, root, hostname, domainname, mounts, hooks, annotations, linux);
    }

    /// This configuration with other mounts.
    public RuntimeSpec withMounts(List<Mount> others) {
        return new RuntimeSpec(ociVersion, process, root, hostname, domainname, others, hooks, annotations, linux);
    }

    /// This configuration with another Linux section.
    public RuntimeSpec withLinux(LinuxSpec other) {
        return new RuntimeSpec(ociVersion, process, root, hostname, domainname, mounts, hooks, annotations, other);
    }

    /// Reads a `config.json`. Unknown fields are ignored, as the specification asks; wrong types are refused.
    public static RuntimeSpec fromJson(Json.Obj json) throws EngineException.Invalid {
        var mounts = new ArrayList<Mount>();
        for (var mount : json.objects("mounts")) {
            mounts.add(mount(mount));
        }
        var root = json.object("root");
        return new RuntimeSpec(
                json.text("ociVersion", VERSION),
                ProcessSpec.fromJson(json.object("process")),
                new Root(root.text("path"), root.truth("readonly")),
                json.text("hostname"),
                json.text("domainname"),
                mounts,
                hooks(json.object("hooks")),
                json.textMap("annotations"),
                LinuxSpec.fromJson(json.object("linux")));
    }

    /// This configuration as a `config.json`; what is absent is left out.
    public Json.Obj toJson() {
        var fields = new Fields()
                .put("ociVersion", ociVersion)
                .put("process", process.toJson())
                .put("root", new Fields().put("path", root.path).put("readonly", root.readonly).build())
                .put("hostname", hostname)
                .put("domainname", domainname)
                .putAll("mounts", mounts, RuntimeSpec::json);
        if (!hooks.isEmpty()) {
            fields.put("hooks", new Fields()
                    .putAll("createRuntime", hooks.createRuntime, RuntimeSpec::json)
                    .putAll("createContainer", hooks.createContainer, RuntimeSpec::json)
                    .putAll("startContainer", hooks.startContainer, RuntimeSpec::json)
                    .putAll("poststart", hooks.poststart, RuntimeSpec::json)
                    .putAll("poststop", hooks.poststop, RuntimeSpec::json)
                    .build());
        }
        return fields.put("annotations", annotations).put("linux", linux.toJson()).build();
    }

    private static Mount mount(Json.Obj json) throws EngineException.Invalid {
        return new Mount(
                json.text("destination"),
                json.text("type"),
                json.text("source"),
                json.texts("options"),
                idMappings(json, "uidMappings"),
                idMappings(json, "gidMappings"));
    }

    private static Json json(Mount mount) {
        return new Fields()
                .put("destination", mount.destination)
                .put("type", mount.type)
                .put("source", mount.source)
                .put("options", mount.options)
                .putAll("uidMappings", mount.uidMappings, RuntimeSpec::json)
                .putAll("gidMappings", mount.gidMappings, RuntimeSpec::json)
                .build();
    }

    static List<IdMapping> idMappings(Json.Obj json, String key) throws EngineException.Invalid {
        var mappings = new ArrayList<IdMapping>();
        for (var mapping : json.objects(key)) {
            mappings.add(new IdMapping(
                    mapping.number("containerID", 0), mapping.number("hostID", 0), mapping.number("size", 0)));
        }
        return mappings;
    }

    static Json json(IdMapping mapping) {
        return Json.object()
                .put("containerID", mapping.containerId)
                .put("hostID", mapping.hostId)
                .put("size", mapping.size)
                .build();
    }

    private static Hooks hooks(Json.Obj json) throws EngineException.Invalid {
        return new Hooks(
                hookList(json, "createRuntime"),
                hookList(json, "createContainer"),
                hookList(json, "startContainer"),
                hookList(json, "poststart"),
                hookList(json, "poststop"));
    }

    private static List<Hook> hookList(Json.Obj json, String key) throws EngineException.Invalid {
        var hooks = new ArrayList<Hook>();
        for (var hook : json.objects(key)) {
            hooks.add(new Hook(hook.text("path"), hook.texts("args"), hook.texts("env"), hook.number("timeout", 0)));
        }
        return hooks;
    }

    private static Json json(Hook hook) {
        return new Fields()
                .put("path", hook.path)
                .put("args", hook.args)
                .put("env", hook.env)
                .put("timeout", hook.timeoutSeconds > 0 ? Optional.of(hook.timeoutSeconds) : Optional.empty())
                .build();
    }
}
