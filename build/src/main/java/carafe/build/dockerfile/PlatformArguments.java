package carafe.build.dockerfile;

import carafe.spec.oci.Platform;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/// The arguments that every Dockerfile has: platforms (to be declared with ARG where a stage wants them) and proxies.
public final class PlatformArguments {

    /// Those that are there before the first FROM without being declared.
    public static final Set<String> NAMES = Set.of("TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT",
            "BUILDPLATFORM", "BUILDOS", "BUILDARCH", "BUILDVARIANT", "TARGETSTAGE");

    /// Those that reach RUN without being declared and leave no trace in the image or the cache.
    public static final Set<String> PROXIES = Set.of("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy",
            "FTP_PROXY", "ftp_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy");

    private PlatformArguments() {}

    /// Their values for a build on `build` for `target`.
    public static Map<String, String> of(Platform build, Platform target, String stage) {
        var values = new LinkedHashMap<String, String>();
        put(values, "BUILD", build);
        put(values, "TARGET", target);
        values.put("TARGETSTAGE", stage.isEmpty() ? "default" : stage);
        return values;
    }

    private static void put(Map<String, String> values, String prefix, Platform platform) {
        values.put(prefix + "PLATFORM", platform.toString());
        values.put(prefix + "OS", platform.os());
        values.put(prefix + "ARCH", platform.architecture());
        values.put(prefix + "VARIANT", platform.variant());
    }
}
