package carafe.spec.docker;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;

/// Something a client wants to see at `target` inside a container: from `-v`, `--mount` or `--tmpfs`.
public sealed interface MountRequest {

    /// The absolute path inside the container.
    String target();

    /// A file or directory of the host. `create` makes a missing directory, as `-v` does and `--mount` does not.
    record Bind(String source, String target, boolean readOnly, String propagation, boolean create, Below below)
            implements MountRequest {

        /// With all that is mounted below, read-only as the bind itself.
        public Bind(String source, String target, boolean readOnly, String propagation, boolean create) {
            this(source, target, readOnly, propagation, create, Below.ALIKE);
        }
    }

    /// What becomes of the host's mounts below the source of a bind.
    enum Below {
        /// They come along, read-only if the bind is.
        ALIKE,
        /// They come along as they are, even if the bind is read-only.
        WRITABLE,
        /// They do not come along.
        ABSENT;

        private static Below of(Json.Obj options, boolean readOnly) throws EngineException.Invalid {
            boolean absent = options.truth("NonRecursive");
            boolean writable = options.truth("ReadOnlyNonRecursive");
            boolean forced = options.truth("ReadOnlyForceRecursive");
            String refused = "invalid mount config for type \"bind\": ";
            if (forced && (absent || writable)) {
                throw new EngineException.Invalid(refused + "ReadOnlyForceRecursive contradicts "
                        + (absent ? "NonRecursive" : "ReadOnlyNonRecursive"));
            }
            String propagation = options.text("Propagation");
            if (forced && !readOnly) {
                throw new EngineException.Invalid(refused + "ReadOnlyForceRecursive needs ReadOnly");
            }
            if (forced && !propagation.isEmpty() && !propagation.equals("rprivate")) {
                throw new EngineException.Invalid(refused + "ReadOnlyForceRecursive needs the propagation rprivate, not "
                        + propagation);
            }
            return absent ? ABSENT : writable ? WRITABLE : ALIKE;
        }
    }

    /// A memory file system with mount options as tmpfs(5) writes them (`size=64m,mode=1777`).
    record Tmpfs(String target, List<String> options) implements MountRequest {
        public Tmpfs {
            options = List.copyOf(options);
        }
    }

    /// A volume of the engine; an empty name is an anonymous one.
    record Volume(String name, String target, boolean readOnly) implements MountRequest {}

    /// All mounts of a host configuration, checked; two with one target are refused.
    static List<MountRequest> parseAll(Json.Obj document) throws EngineException.Invalid {
        var mounts = new ArrayList<MountRequest>();
        for (var bind : document.texts("Binds")) {
            mounts.add(bind(bind));
        }
        for (var mount : document.objects("Mounts")) {
            mounts.add(mount(mount));
        }
        for (var tmpfs : document.textMap("Tmpfs").entrySet()) {
            mounts.add(new Tmpfs(absolute(tmpfs.getKey(), "tmpfs"), words(tmpfs.getValue())));
        }
        var targets = new HashSet<String>();
        for (var mount : mounts) {
            if (!targets.add(mount.target())) {
                throw new EngineException.Invalid("Duplicate mount point: " + mount.target());
            }
        }
        return List.copyOf(mounts);
    }

    /// Reads `source:target[:options]`, or `target` alone (an anonymous volume).
    private static MountRequest bind(String text) throws EngineException.Invalid {
        String[] parts = text.split(":", -1);
        if (text.isEmpty() || parts.length > 3 || parts[0].isEmpty() || parts.length > 1 && parts[1].isEmpty()) {
            throw new EngineException.Invalid("invalid volume specification: '" + text + "'");
        }
        if (parts.length == 1) {
            return new Volume("", absolute(parts[0], text), false);
        }
        boolean readOnly = false;
        String propagation = "";
        for (var option : parts.length == 3 ? parts[2].split(",") : new String[0]) {
            switch (option) {
                case "ro", "readonly" -> readOnly = true;
                case "rw", "z", "Z", "nocopy", "cached", "delegated", "consistent", "" -> { }
                case "private", "rprivate", "slave", "rslave", "shared", "rshared" -> propagation = option;
                default -> throw new EngineException.Invalid("invalid mode: " + parts[2]);
            }
        }
        String target = absolute(parts[1], text);
        if (parts[0].startsWith("/")) {
            return new Bind(parts[0], target, readOnly, propagation, true);
        }
        return new Volume(volumeName(parts[0]), target, readOnly);
    }

    private static MountRequest mount(Json.Obj mount) throws EngineException.Invalid {
        String target = mount.text("Target");
        String source = mount.text("Source");
        if (target.isEmpty()) {
            throw new EngineException.Invalid("invalid mount config for type \"" + mount.text("Type")
                    + "\": field Target must not be empty");
        }
        target = absolute(target, target);
        boolean readOnly = mount.truth("ReadOnly");
        switch (mount.text("Type")) {
            case "bind" -> {
                if (source.isEmpty()) {
                    throw new EngineException.Invalid(
                            "invalid mount config for type \"bind\": field Source must not be empty");
                }
                if (!source.startsWith("/")) {
                    throw new EngineException.Invalid("invalid mount config for type \"bind\": invalid mount path: '"
                            + source + "' mount path must be absolute");
                }
                var options = mount.object("BindOptions");
                return new Bind(
                        source, target, readOnly, options.text("Propagation"), options.truth("CreateMountpoint"),
                        Below.of(options, readOnly));
            }
            case "tmpfs" -> {
                if (!source.isEmpty()) {
                    throw new EngineException.Invalid(
                            "invalid mount config for type \"tmpfs\": field Source must not be specified");
                }
                var options = mount.object("TmpfsOptions");
                var words = new ArrayList<String>();
                if (readOnly) {
                    words.add("ro");
                }
                options.number("SizeBytes").filter(size -> size > 0).ifPresent(size -> words.add("size=" + size));
                options.number("Mode").filter(mode -> mode > 0)
                        .ifPresent(mode -> words.add("mode=" + Long.toOctalString(mode)));
                return new Tmpfs(target, words);
            }
            case "volume", "" -> {
                return new Volume(source.isEmpty() ? "" : volumeName(source), target, readOnly);
            }
            default -> throw new EngineException.Invalid(
                    "invalid mount config for type \"" + mount.text("Type") + "\": mount type unknown");
        }
    }

    private static String volumeName(String name) throws EngineException.Invalid {
        if (!name.matches("[a-zA-Z0-9][a-zA-Z0-9_.-]*")) {
            throw new EngineException.Invalid("create " + name + ": \"" + name + "\" includes invalid characters for a"
                    + " local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a"
                    + " host directory, use absolute path");
        }
        return name;
    }

    private static String absolute(String path, String shown) throws EngineException.Invalid {
        if (!path.startsWith("/") || path.indexOf('\0') >= 0) {
            throw new EngineException.Invalid("invalid volume specification: '" + shown.replace("\0", "\\0")
                    + "': invalid mount config: mount path must be absolute: '" + path.replace("\0", "\\0") + "'");
        }
        String normal = Path.of(path).normalize().toString();
        if (normal.equals("/")) {
            throw new EngineException.Invalid("invalid volume specification: '" + shown
                    + "': invalid mount config: destination can't be '/'");
        }
        return normal;
    }

    private static List<String> words(String options) {
        return options.isEmpty() ? List.of() : List.of(options.split(","));
    }
}
