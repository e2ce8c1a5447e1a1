package carafe.spec.oci;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/// What a program needs of a machine: operating system, processor, and the processor's variant (`v7`, `v8`) if any.
/// Empty texts mean "not said". Written `os/architecture[/variant]`, with Go's names for both.
/// Source: OCI image-spec image-index.md; names and aliases as containerd's platforms package.
public record Platform(String os, String architecture, String variant, String osVersion, List<String> osFeatures) {

    private static final Pattern WORD = Pattern.compile("[A-Za-z0-9_-]{1,64}");

    public Platform {
        osFeatures = List.copyOf(osFeatures);
    }

    /// A platform of which only the usual two are said.
    public static Platform of(String os, String architecture) {
        return new Platform(os, architecture, "", "", List.of());
    }

    /// The platform this JVM runs on.
    public static Platform host() {
        return normal("linux", System.getProperty("os.arch", ""), "");
    }

    /// Reads `os/architecture[/variant]` or one of them alone, the host's for what is missing.
    public static Platform parse(String text) throws EngineException.Invalid {
        String[] words = text.split("/", -1);
        if (words.length > 3) {
            throw new EngineException.Invalid("\"" + text + "\": unknown operating system or architecture: "
                    + "invalid argument");
        }
        for (String word : words) {
            if (!WORD.matcher(word).matches()) {
                throw new EngineException.Invalid("\"" + text + "\" is an invalid component of \"" + text
                        + "\": platform specifier component must match \"^[A-Za-z0-9_-]+$\": invalid argument");
            }
        }
        if (words.length == 1) {
            String word = words[0].toLowerCase(Locale.ROOT);
            return word.equals("linux") || word.equals("windows") || word.equals("darwin")
                    ? normal(word, host().architecture, "")
                    : normal("linux", word, "");
        }
        return normal(words[0], words[1], words.length == 3 ? words[2] : "");
    }

    private static Platform normal(String os, String architecture, String variant) {
        String processor = architecture.toLowerCase(Locale.ROOT);
        String shape = variant.toLowerCase(Locale.ROOT);
        switch (processor) {
            case "x86_64", "x86-64", "amd64" -> {
                processor = "amd64";
                shape = shape.equals("v1") ? "" : shape;
            }
            case "i386", "x86" -> processor = "386";
            case "aarch64", "arm64" -> {
                processor = "arm64";
                shape = shape.equals("8") || shape.equals("v8") ? "" : shape;
            }
            case "armhf" -> {
                processor = "arm";
                shape = "v7";
            }
            case "armel" -> {
                processor = "arm";
                shape = "v6";
            }
            case "arm" -> shape = shape.isEmpty() || shape.equals("7") ? "v7" : shape;
            default -> { }
        }
        String system = os.toLowerCase(Locale.ROOT);
        return new Platform(system.equals("macos") ? "darwin" : system, processor, shape, "", List.of());
    }

    /// True when an image made for this platform runs where `host` is what the machine offers.
    public boolean runsOn(Platform host) {
        var mine = normal(os, architecture, variant);
        return mine.os.equals(host.os) && mine.architecture.equals(host.architecture)
                && (mine.variant.isEmpty() || host.variant.isEmpty() || mine.variant.compareTo(host.variant) <= 0);
    }

    static Platform fromJson(Json.Obj json) throws EngineException.Invalid {
        return new Platform(json.text("os"), json.text("architecture"), json.text("variant"),
                json.text("os.version"), json.texts("os.features"));
    }

    Json.Obj toJson() {
        var builder = Json.object().put("architecture", architecture).put("os", os);
        if (!osVersion.isEmpty()) {
            builder.put("os.version", osVersion);
        }
        if (!osFeatures.isEmpty()) {
            builder.put("os.features", Json.ofTexts(osFeatures));
        }
        if (!variant.isEmpty()) {
            builder.put("variant", variant);
        }
        return builder.build();
    }

    @Override
    public String toString() {
        return os + "/" + architecture + (variant.isEmpty() ? "" : "/" + variant);
    }
}
