package carafe.network;

import carafe.kernel.LinkInfo;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/// What makes a host pass packets on between its links.
public final class RouterSettings {

    private RouterSettings() {}

    /// The settings below /proc/sys/net that are not yet so, in the order in which they are to be written. A host that
    /// learns its own IPv6 routes from advertisements would forget them once it forwards, so it is told to go on
    /// listening. `read` yields a setting, or nothing where the kernel has none.
    public static Map<String, String> missing(List<LinkInfo> links, boolean six, UnaryOperator<String> read) {
        var settings = new LinkedHashMap<String, String>();
        if (!read.apply("ipv4/ip_forward").equals("1")) {
            settings.put("ipv4/ip_forward", "1");
        }
        if (six && read.apply("ipv6/conf/all/forwarding").equals("0")) {
            for (var link : links) {
                String own = "ipv6/conf/" + link.name() + "/accept_ra";
                if (link.kind().isEmpty() && read.apply(own).equals("1")) {
                    settings.put(own, "2");
                }
            }
            settings.put("ipv6/conf/all/forwarding", "1");
        }
        return settings;
    }
}
