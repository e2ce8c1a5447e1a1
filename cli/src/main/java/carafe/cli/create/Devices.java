package carafe.cli.create;

import carafe.spec.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// `--device`, `--gpus`, and rates by device.
final class Devices {

    private Devices() {}

    /// Whether a device is named as the Container Device Interface names them: `vendor.com/class=name`.
    static boolean isCdi(String typed) {
        int slash = typed.indexOf('/');
        return slash > 0 && typed.indexOf('=') > slash;
    }

    /// `/dev/a[:/dev/b][:rwm]` as an element of HostConfig.Devices.
    static Json device(String typed) throws CreateException {
        var parts = typed.split(":", -1);
        String inside = "";
        String permissions = "rwm";
        if (parts.length > 3 || typed.isEmpty()) {
            throw new CreateException("invalid device specification: " + typed);
        }
        if (parts.length == 3) {
            permissions = parts[2];
        }
        if (parts.length > 1) {
            if (parts.length == 2 && isMode(parts[1])) {
                permissions = parts[1];
            } else {
                inside = parts[1];
            }
        }
        if (parts.length == 3 && !isMode(permissions)) {
            throw new CreateException("bad mode specified: " + permissions);
        }
        inside = inside.isEmpty() ? parts[0] : inside;
        if (!inside.startsWith("/")) {
            throw new CreateException("'" + inside + "' is not an absolute path");
        }
        return Json.object()
                .put("PathOnHost", parts[0])
                .put("PathInContainer", inside)
                .put("CgroupPermissions", permissions)
                .build();
    }

    private static boolean isMode(String text) {
        return !text.isEmpty() && text.length() <= 3 && text.chars().allMatch(c -> "rwm".indexOf(c) >= 0);
    }

    /// The request for devices of the Container Device Interface.
    static Json cdi(List<String> names) {
        return Json.object().put("Driver", "cdi").put("DeviceIDs", Json.ofTexts(names)).build();
    }

    /// `all`, a count, or `device=0,capabilities=…` as an element of HostConfig.DeviceRequests.
    static Json gpus(String typed) throws CreateException {
        long count = 0;
        boolean counted = false;
        String driver = "";
        var ids = new ArrayList<String>();
        var capabilities = new ArrayList<String>();
        Map<String, String> options = new LinkedHashMap<>();
        for (var field : Csv.fields(typed)) {
            int equals = field.indexOf('=');
            String key = equals < 0 ? "count" : field.substring(0, equals);
            String value = field.substring(equals + 1);
            switch (key) {
                case "driver" -> driver = value;
                case "count" -> {
                    counted = true;
                    count = count(value);
                }
                case "device" -> ids.addAll(List.of(value.split(",")));
                case "capabilities" -> capabilities.addAll(List.of(value.split(",")));
                case "options" -> {
                    for (var option : Csv.fields(value)) {
                        int cut = option.indexOf('=');
                        options.put(cut < 0 ? option : option.substring(0, cut), cut < 0 ? "" : option.substring(cut + 1));
                    }
                }
                default -> throw new CreateException("unexpected key '" + key + "' in '" + field + "'");
            }
        }
        if (!capabilities.contains("gpu")) {
            capabilities.add("gpu");
        }
        var request = Json.object().put("Driver", driver).put("Count", counted || !ids.isEmpty() ? count : 1);
        if (!ids.isEmpty()) {
            request.put("DeviceIDs", Json.ofTexts(ids));
        }
        return request.put("Capabilities", Json.ofAll(List.of(Json.ofTexts(capabilities))))
                .put("Options", Json.ofMap(options)).build();
    }

    private static long count(String value) throws CreateException {
        if (value.equals("all")) {
            return -1;
        }
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw new CreateException("invalid count (" + value + "): value must be either \"all\" or an integer");
        }
    }

    /// `/dev/a:5` lists as `[{Path, Rate}]`, the number under `field`.
    static Json rates(List<String> typed, String field) {
        var rates = new ArrayList<Json>();
        for (var one : typed) {
            int colon = one.lastIndexOf(':');
            rates.add(Json.object().put("Path", one.substring(0, colon))
                    .put(field, Long.parseLong(one.substring(colon + 1))).build());
        }
        return Json.ofAll(rates);
    }

    /// `nofile=1:2` lists as Ulimits, in the order of names.
    static Json ulimits(List<String> typed) {
        var byName = new TreeMap<String, Json>();
        for (var one : typed) {
            int equals = one.indexOf('=');
            int colon = one.indexOf(':', equals);
            byName.put(one.substring(0, equals), Json.object().put("Name", one.substring(0, equals))
                    .put("Hard", Long.parseLong(one.substring(colon + 1)))
                    .put("Soft", Long.parseLong(one.substring(equals + 1, colon))).build());
        }
        return Json.ofAll(byName.values());
    }
}
