package carafe.cli.create;

import carafe.cli.flag.FlagException;
import carafe.cli.flag.Values;
import java.util.Locale;

/// What single values of container flags must look like.
public final class Checks {

    private static final int LONGEST_DOMAIN = 255;

    private Checks() {}

    static String stream(String typed) throws FlagException {
        String stream = typed.toLowerCase(Locale.ROOT);
        return switch (stream) {
            case "stdin", "stdout", "stderr" -> stream;
            default -> throw new FlagException("valid streams are STDIN, STDOUT and STDERR");
        };
    }

    static String environment(String typed) throws FlagException {
        if (typed.startsWith("=") || typed.isEmpty()) {
            throw new FlagException("invalid environment variable: " + typed);
        }
        return typed;
    }

    static String label(String typed) throws FlagException {
        if (typed.isEmpty() || typed.startsWith("=") || typed.isBlank()) {
            throw new FlagException("invalid label '" + typed + "': empty name");
        }
        return typed;
    }

    /// `HOST:ADDRESS` for what may also be written with `=`.
    public static String extraHost(String typed) throws FlagException {
        int cut = typed.indexOf('=') >= 0 ? typed.indexOf('=') : typed.indexOf(':');
        String host = cut < 0 ? "" : typed.substring(0, cut);
        String address = cut < 0 ? "" : typed.substring(cut + 1);
        if (host.isEmpty() || address.isEmpty()) {
            throw new FlagException("bad format for add-host: " + Values.quote(typed));
        }
        if (address.length() > 2 && address.startsWith("[") && address.endsWith("]")) {
            address = address.substring(1, address.length() - 1);
        }
        if (!address.equals("host-gateway") && !isAddress(address)) {
            throw new FlagException("invalid IP address in add-host: " + Values.quote(address));
        }
        return host + ":" + address;
    }

    static String address(String typed) throws FlagException {
        if (!isAddress(typed.strip())) {
            throw new FlagException("IP address is not correctly formatted: " + typed);
        }
        return typed.strip();
    }

    /// Whether `text` is an IPv4 or IPv6 address written out.
    static boolean isAddress(String text) {
        return text.indexOf(':') >= 0 ? isSix(text) : isFour(text);
    }

    private static boolean isFour(String text) {
        var parts = text.split("\\.", -1);
        if (parts.length != 4) {
            return false;
        }
        for (var part : parts) {
            boolean digits = !part.isEmpty() && part.length() <= 3 && part.chars().allMatch(c -> c >= '0' && c <= '9');
            if (!digits || Integer.parseInt(part) > 255 || part.length() > 1 && part.startsWith("0")) {
                return false;
            }
        }
        return true;
    }

    private static boolean isSix(String text) {
        int gap = text.indexOf("::");
        if (gap >= 0 && text.indexOf("::", gap + 1) >= 0) {
            return false;
        }
        int groups = 0;
        for (var half : gap < 0 ? new String[] {text} : new String[] {text.substring(0, gap), text.substring(gap + 2)}) {
            if (half.isEmpty()) {
                continue;
            }
            var parts = half.split(":", -1);
            for (int i = 0; i < parts.length; i++) {
                boolean last = i == parts.length - 1 && parts[i].indexOf('.') >= 0;
                boolean hex = !parts[i].isEmpty() && parts[i].length() <= 4
                        && parts[i].chars().allMatch(c -> Character.digit(c, 16) >= 0 && c < 0x80);
                if (!hex && !(last && isFour(parts[i]))) {
                    return false;
                }
                groups += last ? 2 : 1;
            }
        }
        return gap < 0 ? groups == 8 : groups < 8;
    }

    static String searchDomain(String typed) throws FlagException {
        String domain = typed.strip();
        if (domain.equals(".")) {
            return domain;
        }
        boolean letters = false;
        boolean plain = !domain.isEmpty() && domain.length() <= LONGEST_DOMAIN;
        for (var label : domain.split("\\.", -1)) {
            plain &= !label.startsWith("-") && !label.endsWith("-") && label.length() <= 63;
            for (int i = 0; i < label.length(); i++) {
                char c = label.charAt(i);
                plain &= c < 0x80 && Character.isLetterOrDigit(c) || c == '-' || c == '_';
                letters |= Character.isLetter(c);
            }
        }
        if (!plain || !letters) {
            throw new FlagException(domain + " is not a valid domain");
        }
        return domain;
    }

    static String link(String typed) throws FlagException {
        if (typed.isEmpty()) {
            throw new FlagException("empty string specified for links");
        }
        if (typed.split(":", -1).length > 2) {
            throw new FlagException("bad format for links: " + typed);
        }
        return typed;
    }

    static String sysctl(String typed) throws FlagException {
        int equals = typed.indexOf('=');
        String key = equals < 0 ? "" : typed.substring(0, equals);
        boolean known = switch (key) {
            case "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax",
                    "kernel.shmmni", "kernel.shm_rmid_forced" -> true;
            default -> key.startsWith("net.") || key.startsWith("fs.mqueue.");
        };
        if (!known) {
            throw new FlagException("sysctl '" + typed + "' is not allowed");
        }
        return typed;
    }

    static String ulimit(String typed) throws FlagException {
        int equals = typed.indexOf('=');
        if (equals < 0) {
            throw new FlagException("invalid ulimit argument: " + typed);
        }
        String name = typed.substring(0, equals);
        if (!" core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack "
                .contains(" " + name + " ")) {
            throw new FlagException("invalid ulimit type: " + name);
        }
        var limits = typed.substring(equals + 1).split(":", -1);
        if (limits.length > 2) {
            throw new FlagException("too many limit value arguments - " + typed.substring(equals + 1)
                    + ", can only have up to two, `soft[:hard]`");
        }
        long soft = Long.parseLong(Values.integer(limits[0]));
        long hard = limits.length > 1 ? Long.parseLong(Values.integer(limits[1])) : soft;
        if (hard != -1 && (soft == -1 || soft > hard)) {
            throw new FlagException("ulimit soft limit must be less than or equal to hard limit: " + soft + " > " + hard);
        }
        return name + "=" + soft + ":" + hard;
    }

    static String weight(String typed) throws FlagException {
        long weight = Long.parseLong(deviceRate(typed, "bad format: ", false, typed));
        if (weight > 0 && (weight < 10 || weight > 1000)) {
            throw new FlagException("invalid weight for device: " + typed);
        }
        return typed.substring(0, typed.lastIndexOf(':') + 1) + weight;
    }

    static String byteRate(String typed) throws FlagException {
        String rate = deviceRate(typed, "bad format: ", true,
                "The correct format is <device-path>:<number>[<unit>]. Number must be a positive integer."
                        + " Unit is optional and can be kb, mb, or gb");
        return typed.substring(0, typed.lastIndexOf(':') + 1) + rate;
    }

    static String callRate(String typed) throws FlagException {
        String rate = deviceRate(typed, "bad format: ", false,
                "The correct format is <device-path>:<number>. Number must be a positive integer");
        return typed.substring(0, typed.lastIndexOf(':') + 1) + rate;
    }

    private static String deviceRate(String typed, String prefix, boolean units, String form) throws FlagException {
        int colon = typed.lastIndexOf(':');
        if (colon <= 0) {
            throw new FlagException(prefix + typed);
        }
        if (!typed.startsWith("/dev/")) {
            throw new FlagException("bad format for device path: " + typed);
        }
        try {
            String rate = typed.substring(colon + 1);
            long number = units ? Values.size(rate) : Long.parseLong(rate);
            if (number >= 0) {
                return Long.toString(number);
            }
        } catch (FlagException | NumberFormatException e) {
            throw new FlagException("invalid rate for device: " + typed + ". " + form);
        }
        throw new FlagException("invalid rate for device: " + typed + ". " + form);
    }

    static String deviceRule(String typed) throws FlagException {
        var words = typed.split(" ", -1);
        boolean plain = words.length == 3 && words[0].length() == 1 && "acb".contains(words[0])
                && words[2].length() >= 1 && words[2].length() <= 3 && words[2].chars().allMatch(c -> "rwm".indexOf(c) >= 0);
        var numbers = plain ? words[1].split(":", -1) : new String[0];
        plain &= numbers.length == 2;
        for (var number : numbers) {
            plain &= number.equals("*") || !number.isEmpty() && number.chars().allMatch(c -> c >= '0' && c <= '9');
        }
        if (!plain) {
            throw new FlagException("invalid device cgroup format '" + typed + "'");
        }
        return typed;
    }

    static String gpus(String typed) throws FlagException {
        try {
            Devices.gpus(typed);
            return typed;
        } catch (CreateException e) {
            throw new FlagException(String.valueOf(e.getMessage()));
        }
    }
}
