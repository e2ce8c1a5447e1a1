package carafe.network;

import carafe.kernel.LinkInfo;
import carafe.kernel.RouteInfo;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/// What makes a host pass packets on between its links.
public final class RouterSettings {

    private RouterSettings() {}

    /// The settings below /proc/sys/net that are not yet so, in the order in which they are to be written. A host that
    /// learns its own IPv6 routes from advertisements would forget them once it forwards, so it is told to go on
    /// listening, on links of hardware and on whatever leads out by IPv6 now: a bond, a VLAN, a bridge. Not on all: what
    /// containers or guests advertise on other bridges is not believed. `read` yields a setting, or nothing where the kernel
    /// has none.
    public static Map<String, String> missing(
            List<LinkInfo> links, List<RouteInfo> routes, boolean six, UnaryOperator<String> read) {
        var settings = new LinkedHashMap<String, String>();
        if (!read.apply("ipv4/ip_forward").equals("1")) {
            settings.put("ipv4/ip_forward", "1");
        }
        if (six && read.apply("ipv6/conf/all/forwarding").equals("0")) {
            for (var link : links) {
                String own = "ipv6/conf/" + link.name() + "/accept_ra";
                boolean leadsOut = link.kind().isEmpty() || routes.stream()
                        .anyMatch(route -> route.six() && route.isDefault() && route.link() == link.index());
                if (leadsOut && read.apply(own).equals("1")) {
                    settings.put(own, "2");
                }
            }
            settings.put("ipv6/conf/all/forwarding", "1");
        }
        return settings;
    }
}
