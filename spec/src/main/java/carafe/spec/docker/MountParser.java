package carafe.spec.docker;

import carafe.spec.EngineException;
import carafe.spec.EngineException.Invalid;
import carafe.spec.Json;
import carafe.spec.docker.MountRequest.Below;
import carafe.spec.docker.MountRequest.Bind;
import carafe.spec.docker.MountRequest.Image;
import carafe.spec.docker.MountRequest.Tmpfs;
import carafe.spec.docker.MountRequest.Volume;
import carafe.spec.docker.MountRequest.VolumeWishes;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/// Reads the three ways in which a create request asks for mounts (`Binds`, `Mounts`, `Tmpfs`) and refuses what Docker
/// refuses, in its words.
final class MountParser {

    private static final Set<String> PROPAGATIONS =
            Set.of("private", "rprivate", "slave", "rslave", "shared", "rshared");
    private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]*");

    private MountParser() {}

    static List<MountRequest> all(Json.Obj document) throws Invalid {
        var mounts = new ArrayList<MountRequest>();
        String driver = document.text("VolumeDriver");
        for (var bind : document.texts("Binds")) {
            mounts.add(bind(bind, driver));
        }
        for (var mount : document.objects("Mounts")) {
            mounts.add(mount(mount));
        }
        for (var tmpfs : document.textMap("Tmpfs").entrySet()) {
            mounts.add(new Tmpfs(target(tmpfs.getKey(), "tmpfs", ""), words(tmpfs.getValue()), false));
        }
        var targets = new HashSet<String>();
        for (var mount : mounts) {
            if (!targets.add(mount.target())) {
                throw new Invalid("Duplicate mount point: " + mount.target());
            }
        }
        return List.copyOf(mounts);
    }

    /// The third part of `-v`: at most one word of each kind.
    private record Mode(String text, boolean readOnly, boolean copy, boolean own, String propagation) {

        static Mode of(String text) throws Invalid {
            boolean readOnly = false;
            boolean copy = true;
            boolean own = false;
            String propagation = "";
            var kinds = new HashSet<String>();
            for (var word : text.isEmpty() ? new String[0] : text.split(",", -1)) {
                String kind = switch (word) {
                    case "ro", "rw" -> "access";
                    case "z", "Z" -> "label";
                    case "nocopy" -> "copy";
                    case "U" -> "owner";
                    case "idmap" -> "mapping";
                    case "cached", "delegated", "consistent", "default" -> "consistency";
                    default -> PROPAGATIONS.contains(word) ? "propagation" : "";
                };
                if (kind.isEmpty() || !kinds.add(kind)) {
                    throw new Invalid("invalid mode: " + text);
                }
                switch (kind) {
                    case "access" -> readOnly = word.equals("ro");
                    case "copy" -> copy = false;
                    case "owner" -> own = true;
                    case "propagation" -> propagation = word;
                    default -> { }
                }
            }
            return new Mode(text, readOnly, copy, own, propagation);
        }
    }

    /// Reads `source:target[:mode]`, or `target` alone (an anonymous volume).
    private static MountRequest bind(String text, String driver) throws Invalid {
        String refused = "invalid volume specification: '" + shown(text) + "'";
        String[] parts = text.split(":", -1);
        if (text.isEmpty() || parts.length > 3 || parts[0].isEmpty() || parts.length > 1 && parts[1].isEmpty()) {
            throw new Invalid(refused);
        }
        if (parts.length == 1) {
            return new Volume("", target(parts[0], "volume", refused + ": "), false, "", false, true,
                    VolumeWishes.NONE);
        }
        var mode = Mode.of(parts.length == 3 ? parts[2] : "");
        boolean host = parts[0].startsWith("/");
        String type = host ? "bind" : "volume";
        if (host && !mode.copy || !host && !mode.propagation.isEmpty()) {
            throw new Invalid(refused + ": " + config(type) + "field " + (host ? "VolumeOptions" : "BindOptions")
                    + " must not be specified");
        }
        String target = target(parts[1], type, refused + ": ");
        if (host) {
            return new Bind(Path.of(parts[0]).normalize().toString(), target, mode.readOnly, mode.propagation, true,
                    Below.ALIKE, mode.text, mode.own);
        }
        return new Volume(volumeName(parts[0]), target, mode.readOnly, mode.text, mode.own, false,
                new VolumeWishes(mode.copy, "", driver, java.util.Map.of(), java.util.Map.of()));
    }

    private static MountRequest mount(Json.Obj mount) throws Invalid {
        String type = mount.text("Type");
        if (mount.text("Target").isEmpty()) {
            throw new Invalid(config(type) + "field Target must not be empty");
        }
        String target = target(mount.text("Target"), type, "");
        for (var other : List.of("Bind", "Volume", "Tmpfs", "Image")) {
            if (!other.equalsIgnoreCase(type) && !mount.object(other + "Options").fields().isEmpty()
                    && List.of("bind", "volume", "tmpfs", "image").contains(type)) {
                throw new Invalid(config(type) + "field " + other + "Options must not be specified");
            }
        }
        return switch (type) {
            case "bind" -> bind(mount, target);
            case "tmpfs" -> tmpfs(mount, target);
            case "volume" -> volume(mount, target);
            case "image" -> image(mount, target);
            default -> throw new Invalid(config(type) + "mount type unknown");
        };
    }

    private static MountRequest bind(Json.Obj mount, String target) throws Invalid {
        String source = mount.text("Source");
        boolean readOnly = mount.truth("ReadOnly");
        if (source.isEmpty()) {
            throw new Invalid(config("bind") + "field Source must not be empty");
        }
        if (!source.startsWith("/") || source.indexOf('\0') >= 0) {
            throw new Invalid(config("bind") + "invalid mount path: '" + shown(source)
                    + "' mount path must be absolute");
        }
        var options = mount.object("BindOptions");
        String propagation = options.text("Propagation");
        if (!propagation.isEmpty() && !PROPAGATIONS.contains(propagation)) {
            throw new Invalid(config("bind") + "invalid propagation mode: " + propagation);
        }
        return new Bind(Path.of(source).normalize().toString(), target, readOnly, propagation,
                options.truth("CreateMountpoint"), below(options, readOnly), "", false);
    }

    private static Below below(Json.Obj options, boolean readOnly) throws Invalid {
        boolean absent = options.truth("NonRecursive");
        boolean writable = options.truth("ReadOnlyNonRecursive");
        boolean forced = options.truth("ReadOnlyForceRecursive");
        String propagation = options.text("Propagation");
        if (forced && (absent || writable)) {
            throw new Invalid(config("bind") + "ReadOnlyForceRecursive contradicts "
                    + (absent ? "NonRecursive" : "ReadOnlyNonRecursive"));
        }
        if (writable && !readOnly) {
            throw new Invalid(config("bind") + "mount options conflict: !ReadOnly && BindOptions.ReadOnlyNonRecursive");
        }
        if (forced && !readOnly) {
            throw new Invalid(config("bind") + "ReadOnlyForceRecursive needs ReadOnly");
        }
        if (forced && !propagation.isEmpty() && !propagation.equals("rprivate")) {
            throw new Invalid(config("bind") + "ReadOnlyForceRecursive needs the propagation rprivate, not "
                    + propagation);
        }
        return absent ? Below.ABSENT : writable ? Below.WRITABLE : Below.ALIKE;
    }

    private static MountRequest tmpfs(Json.Obj mount, String target) throws Invalid {
        if (!mount.text("Source").isEmpty()) {
            throw new Invalid(config("tmpfs") + "field Source must not be specified");
        }
        var options = mount.object("TmpfsOptions");
        var words = new ArrayList<String>();
        if (mount.truth("ReadOnly")) {
            words.add("ro");
        }
        long size = options.number("SizeBytes", 0);
        long mode = options.number("Mode", 0);
        if (size < 0 || mode < 0 || mode > 07777) {
            throw new Invalid(config("tmpfs") + (size < 0 ? "the size " + size : "the mode " + mode)
                    + " is not possible");
        }
        if (size > 0) {
            words.add("size=" + size);
        }
        if (mode > 0) {
            words.add("mode=" + Long.toOctalString(mode));
        }
        for (var pair : options.list("Options")) { // pairs since API 1.47, as `--mount tmpfs-...` has no other way
            if (pair instanceof Json.Arr(var parts) && parts.stream().allMatch(Json.Str.class::isInstance)) {
                words.add(String.join("=", parts.stream().map(part -> ((Json.Str) part).text()).toList()));
            }
        }
        return new Tmpfs(target, words, true);
    }

    private static MountRequest volume(Json.Obj mount, String target) throws Invalid {
        String source = mount.text("Source");
        boolean readOnly = mount.truth("ReadOnly");
        if (source.isEmpty() && readOnly) {
            throw new Invalid(config("volume") + "must not set ReadOnly mode when using anonymous volumes");
        }
        var options = mount.object("VolumeOptions");
        String subpath = options.text("Subpath");
        if (!subpath.isEmpty() && source.isEmpty()) {
            throw new Invalid(config("volume") + "must not set Subpath when using anonymous volumes");
        }
        checkLocal(subpath, "volume");
        var driver = options.object("DriverConfig");
        var wishes = new VolumeWishes(!options.truth("NoCopy"), subpath, driver.text("Name"),
                driver.textMap("Options"), options.textMap("Labels"));
        return new Volume(source.isEmpty() ? "" : volumeName(source), target, readOnly, "", false, source.isEmpty(),
                wishes);
    }

    private static MountRequest image(Json.Obj mount, String target) throws Invalid {
        if (mount.text("Source").isEmpty()) {
            throw new Invalid(config("image") + "field Source must not be empty");
        }
        String subpath = mount.object("ImageOptions").text("Subpath");
        checkLocal(subpath, "image");
        return new Image(mount.text("Source"), target, subpath);
    }

    private static void checkLocal(String subpath, String type) throws Invalid {
        int depth = 0;
        boolean outside = subpath.startsWith("/") || subpath.indexOf('\0') >= 0;
        for (var part : subpath.split("/")) {
            depth += part.equals("..") ? -1 : part.isEmpty() || part.equals(".") ? 0 : 1;
            outside |= depth < 0;
        }
        if (outside) {
            throw new Invalid(config(type) + "subpath must be a relative path within the " + type);
        }
    }

    private static String config(String type) {
        return "invalid mount config for type \"" + type + "\": ";
    }

    private static String volumeName(String name) throws Invalid {
        if (!NAME.matcher(name).matches()) {
            throw new Invalid("create " + name + ": \"" + name + "\" includes invalid characters for a"
                    + " local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a"
                    + " host directory, use absolute path");
        }
        return name;
    }

    private static String target(String path, String type, String prefix) throws Invalid {
        if (!path.startsWith("/") || path.indexOf('\0') >= 0) {
            throw new Invalid(prefix + config(type) + "invalid mount path: '" + shown(path)
                    + "' mount path must be absolute");
        }
        String normal = Path.of(path).normalize().toString();
        if (normal.equals("/")) {
            throw new Invalid(prefix + config(type) + "invalid specification: destination can't be '/'");
        }
        return normal;
    }

    private static String shown(String text) {
        return text.replace("\0", "\\0");
    }

    private static List<String> words(String options) {
        return options.isEmpty() ? List.of() : List.of(options.split(","));
    }
}
