package carafe.cli.create;

import carafe.cli.flag.FlagException;
import carafe.cli.flag.Values;
import carafe.cli.session.Session;
import carafe.spec.Json;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/// `--mount type=bind,source=/a,target=/b,readonly`, as one element of HostConfig.Mounts.
final class MountOption {

    private String type = "volume";
    private String source = "";
    private String target = "";
    private boolean readOnly;
    private String consistency = "";
    private final Map<String, Json> bind = new LinkedHashMap<>();
    private final Map<String, Json> volume = new LinkedHashMap<>();
    private final Map<String, Json> tmpfs = new LinkedHashMap<>();
    private final Map<String, Json> image = new LinkedHashMap<>();
    private final Map<String, String> labels = new LinkedHashMap<>();
    private final Map<String, String> driverOptions = new LinkedHashMap<>();
    private String driver = "";

    private MountOption() {}

    /// Refuses what is no mount; the text stays as it is.
    static String checked(String typed) throws FlagException {
        try {
            read(typed);
            return typed;
        } catch (CreateException e) {
            throw new FlagException(String.valueOf(e.getMessage()));
        }
    }

    /// The mount in API form; a bind's relative source is one of the caller's.
    static Json json(String typed, Session session) throws CreateException {
        return read(typed).json(session);
    }

    private static MountOption read(String typed) throws CreateException {
        var mount = new MountOption();
        for (var field : Csv.fields(typed)) {
            int equals = field.indexOf('=');
            String key = (equals < 0 ? field : field.substring(0, equals)).toLowerCase(Locale.ROOT);
            String value = equals < 0 ? "" : field.substring(equals + 1);
            if (equals < 0) {
                switch (key) {
                    case "readonly", "ro", "volume-nocopy", "bind-nonrecursive", "bind-create-src" -> value = "true";
                    case "readonly=", "type" ->
                        throw new CreateException("invalid field '" + field + "' must be a key=value pair");
                    default -> throw new CreateException("invalid field '" + field + "' must be a key=value pair");
                }
            }
            mount.set(key, value, field);
        }
        mount.check();
        return mount;
    }

    private void set(String key, String value, String field) throws CreateException {
        switch (key) {
            case "type" -> type = value.toLowerCase(Locale.ROOT);
            case "source", "src" -> source = value;
            case "target", "dst", "destination" -> target = value;
            case "readonly", "ro" -> readOnly = truth(key, value);
            case "consistency" -> consistency = value.toLowerCase(Locale.ROOT);
            case "bind-propagation" -> bind.put("Propagation", Json.of(value.toLowerCase(Locale.ROOT)));
            case "bind-nonrecursive" -> bind.put("NonRecursive", Json.of(truth(key, value)));
            case "bind-recursive" -> recursive(value, key);
            case "bind-create-src" -> bind.put("CreateMountpoint", Json.of(truth(key, value)));
            case "volume-subpath" -> volume.put("Subpath", Json.of(value));
            case "volume-nocopy" -> volume.put("NoCopy", Json.of(truth(key, value)));
            case "volume-label" -> put(labels, value);
            case "volume-driver" -> driver = value;
            case "volume-opt" -> put(driverOptions, value);
            case "image-subpath" -> image.put("Subpath", Json.of(value));
            case "tmpfs-size" -> {
                try {
                    tmpfs.put("SizeBytes", Json.of(Values.size(value)));
                } catch (FlagException e) {
                    throw new CreateException("invalid value for " + key + ": " + value);
                }
            }
            case "tmpfs-mode" -> {
                try {
                    tmpfs.put("Mode", Json.of(Long.parseLong(value, 8)));
                } catch (NumberFormatException e) {
                    throw new CreateException("invalid value for " + key + ": " + value);
                }
            }
            default -> throw new CreateException("unexpected key '" + key + "' in '" + field + "'");
        }
    }

    private void recursive(String value, String key) throws CreateException {
        switch (value) {
            case "enabled" -> { /* that is the default */ }
            case "disabled" -> bind.put("NonRecursive", Json.of(true));
            case "writable" -> bind.put("ReadOnlyNonRecursive", Json.of(true));
            case "readonly" -> bind.put("ReadOnlyForceRecursive", Json.of(true));
            default -> throw new CreateException("invalid value for " + key + ": " + value
                    + " (must be \"enabled\", \"disabled\", \"writable\", or \"readonly\")");
        }
    }

    private static boolean truth(String key, String value) throws CreateException {
        try {
            return Values.bool(value).equals("true");
        } catch (FlagException e) {
            throw new CreateException("invalid value for " + key + ": " + value);
        }
    }

    private static void put(Map<String, String> map, String pair) {
        int equals = pair.indexOf('=');
        map.put(equals < 0 ? pair : pair.substring(0, equals), equals < 0 ? "" : pair.substring(equals + 1));
    }

    private void check() throws CreateException {
        if (type.isEmpty()) {
            throw new CreateException("type is required");
        }
        if (target.isEmpty()) {
            throw new CreateException("target is required");
        }
        refuse("volume", !volume.isEmpty() || !labels.isEmpty() || !driverOptions.isEmpty() || !driver.isEmpty());
        refuse("bind", !bind.isEmpty());
        refuse("tmpfs", !tmpfs.isEmpty());
        refuse("image", !image.isEmpty());
        if (bind.containsKey("ReadOnlyForceRecursive")) {
            if (!readOnly) {
                throw new CreateException("option 'bind-recursive=readonly' requires 'readonly' to be specified in"
                        + " conjunction");
            }
            if (!Json.of("rprivate").equals(bind.get("Propagation"))) {
                throw new CreateException("option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be"
                        + " specified in conjunction");
            }
        }
    }

    private void refuse(String options, boolean given) throws CreateException {
        if (given && !type.equals(options)) {
            throw new CreateException("cannot mix '" + options + "-*' options with mount type '" + type + "'");
        }
    }

    private Json json(Session session) {
        var mount = Json.object().put("Type", type);
        if (!source.isEmpty()) {
            boolean relative = type.equals("bind") && (source.startsWith("./") || source.startsWith("../")
                    || source.equals(".") || source.equals(".."));
            mount.put("Source", relative ? session.path(source).normalize().toString() : source);
        }
        mount.put("Target", target);
        if (readOnly) {
            mount.put("ReadOnly", true);
        }
        if (!consistency.isEmpty()) {
            mount.put("Consistency", consistency);
        }
        if (!labels.isEmpty()) {
            volume.put("Labels", Json.ofMap(labels));
        }
        if (!driver.isEmpty() || !driverOptions.isEmpty()) {
            var config = Json.object();
            if (!driver.isEmpty()) {
                config.put("Name", driver);
            }
            if (!driverOptions.isEmpty()) {
                config.put("Options", Json.ofMap(driverOptions));
            }
            volume.put("DriverConfig", config.build());
        }
        options(mount, "BindOptions", bind);
        options(mount, "VolumeOptions", volume);
        options(mount, "TmpfsOptions", tmpfs);
        options(mount, "ImageOptions", image);
        return mount.build();
    }

    private static void options(Json.Builder mount, String name, Map<String, Json> options) {
        if (!options.isEmpty()) {
            mount.put(name, new Json.Obj(options));
        }
    }
}
