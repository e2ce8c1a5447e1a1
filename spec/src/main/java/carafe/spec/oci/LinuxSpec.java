package carafe.spec.oci;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The Linux section of a container's configuration. Source: runtime-spec 1.2 config-linux.md.
public record LinuxSpec(
        List<Namespace> namespaces,
        List<RuntimeSpec.IdMapping> uidMappings,
        List<RuntimeSpec.IdMapping> gidMappings,
        List<Device> devices,
        String cgroupsPath,
        LinuxResources resources,
        Optional<SeccompSpec> seccomp,
        List<String> maskedPaths,
        List<String> readonlyPaths,
        Map<String, String> sysctl,
        String rootfsPropagation,
        String mountLabel) {

    public LinuxSpec {
        namespaces = List.copyOf(namespaces);
        uidMappings = List.copyOf(uidMappings);
        gidMappings = List.copyOf(gidMappings);
        devices = List.copyOf(devices);
        maskedPaths = List.copyOf(maskedPaths);
        readonlyPaths = List.copyOf(readonlyPaths);
        sysctl = Collections.unmodifiableMap(new LinkedHashMap<>(sysctl));
    }

    /// The kinds of namespace by the specification's name.
    public enum NamespaceType {
        PID("pid"),
        NETWORK("network"),
        MOUNT("mount"),
        IPC("ipc"),
        UTS("uts"),
        USER("user"),
        CGROUP("cgroup"),
        TIME("time");

        private final String word;

        NamespaceType(String word) {
            this.word = word;
        }

        /// The specification's name.
        public String word() {
            return word;
        }

        /// The type with the specification's name `word`.
        public static NamespaceType of(String word) throws EngineException.Invalid {
            for (var type : values()) {
                if (type.word.equals(word)) {
                    return type;
                }
            }
            throw new EngineException.Invalid("unknown namespace type \"" + word + "\"");
        }
    }

    /// A namespace to make new (`path` is `""`) or to join (`path` names its file on the host, `/proc/7/ns/net`).
    /// A type that is not listed stays the host's.
    public record Namespace(NamespaceType type, String path) {

        /// A new namespace.
        public static Namespace of(NamespaceType type) {
            return new Namespace(type, "");
        }
    }

    /// A device node to make; `type` is `c`, `b`, `u` or `p`.
    public record Device(String type, String path, long major, long minor, int fileMode, long uid, long gid) {}

    /// The namespace of this type, if the container has its own.
    public Optional<Namespace> namespace(NamespaceType type) {
        return namespaces.stream().filter(namespace -> namespace.type == type).findFirst();
    }

    /// The maps of its user namespace; [IdMaps#NONE] if it has none of its own.
    public IdMaps ids() {
        return new IdMaps(uidMappings, gidMappings);
    }

    /// This section with other resources.
    public LinuxSpec withResources(LinuxResources other) {
        return new LinuxSpec(
                namespaces, uidMappings, gidMappings, devices, cgroupsPath, other, seccomp, maskedPaths,
                readonlyPaths, sysctl, rootfsPropagation, mountLabel);
    }

    static LinuxSpec fromJson(Json.Obj json) throws EngineException.Invalid {
        var namespaces = new ArrayList<Namespace>();
        for (var namespace : json.objects("namespaces")) {
            var type = NamespaceType.of(namespace.text("type"));
            if (namespaces.stream().anyMatch(other -> other.type == type)) {
                throw new EngineException.Invalid("namespace \"" + type.word + "\" is listed twice");
            }
            namespaces.add(new Namespace(type, namespace.text("path")));
        }
        var devices = new ArrayList<Device>();
        for (var device : json.objects("devices")) {
            devices.add(new Device(
                    device.text("type"),
                    device.text("path"),
                    device.number("major", 0),
                    device.number("minor", 0),
                    (int) device.number("fileMode", 0666),
                    device.number("uid", 0),
                    device.number("gid", 0)));
        }
        var seccomp = json.find("seccomp").isPresent()
                ? Optional.of(SeccompSpec.fromJson(json.object("seccomp")))
                : Optional.<SeccompSpec>empty();
        return new LinuxSpec(
                namespaces,
                RuntimeSpec.idMappings(json, "uidMappings"),
                RuntimeSpec.idMappings(json, "gidMappings"),
                devices,
                json.text("cgroupsPath"),
                LinuxResources.fromJson(json.object("resources")),
                seccomp,
                json.texts("maskedPaths"),
                json.texts("readonlyPaths"),
                json.textMap("sysctl"),
                json.text("rootfsPropagation"),
                json.text("mountLabel"));
    }

    Json.Obj toJson() {
        var fields = new Fields()
                .putAll("uidMappings", uidMappings, RuntimeSpec::json)
                .putAll("gidMappings", gidMappings, RuntimeSpec::json)
                .put("sysctl", sysctl)
                .put("resources", resources.toJson())
                .put("cgroupsPath", cgroupsPath)
                .putAll("namespaces", namespaces, LinuxSpec::json)
                .putAll("devices", devices, LinuxSpec::json);
        seccomp.ifPresent(profile -> fields.put("seccomp", profile.toJson()));
        return fields.put("rootfsPropagation", rootfsPropagation)
                .put("maskedPaths", maskedPaths)
                .put("readonlyPaths", readonlyPaths)
                .put("mountLabel", mountLabel)
                .build();
    }

    private static Json json(Namespace namespace) {
        return new Fields()
                .put("type", namespace.type.word)
                .put("path", namespace.path)
                .build();
    }

    private static Json json(Device device) {
        return Json.object()
                .put("path", device.path)
                .put("type", device.type)
                .put("major", device.major)
                .put("minor", device.minor)
                .put("fileMode", device.fileMode)
                .put("uid", device.uid)
                .put("gid", device.gid)
                .build();
    }
}
