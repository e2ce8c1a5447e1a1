package carafe.cli.create;

import carafe.cli.flag.FlagException;
import carafe.spec.Json;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The ranges of a new network: every `--ip-range`, `--gateway` and `--aux-address` goes to the `--subnet` it lies in.
public final class IpamOption {

    private final Cidr subnet;
    private final String typed;
    private String range = "";
    private String gateway = "";
    private final Map<String, String> auxiliary = new LinkedHashMap<>();

    private IpamOption(String typed) throws FlagException {
        this.typed = typed;
        this.subnet = Cidr.findHost(typed).map(Cidr.Host::range)
                .orElseThrow(() -> new FlagException("invalid CIDR address: " + typed));
    }

    /// The request's `IPAM.Config`.
    /// @throws FlagException they do not belong together
    public static Json config(
            List<String> subnets, List<String> ranges, List<String> gateways, Map<String, String> auxiliary)
            throws FlagException {
        if (subnets.size() < ranges.size() || subnets.size() < gateways.size()) {
            throw new FlagException("every ip-range or gateway must have a corresponding subnet");
        }
        var all = new ArrayList<IpamOption>();
        for (String text : subnets) {
            var one = new IpamOption(text);
            if (all.stream().anyMatch(other -> other.subnet.overlaps(one.subnet))) {
                throw new FlagException("multiple overlapping subnet configuration is not supported");
            }
            all.add(one);
        }
        for (String range : ranges) {
            var host = Cidr.findHost(range).orElseThrow(() -> new FlagException("invalid CIDR address: " + range));
            var owner = owner(all, host.address(), "no matching subnet for range " + range);
            refuseSecond(owner, "ranges", range, owner.range);
            owner.range = range;
        }
        for (String gateway : gateways) {
            var owner = owner(all, IpAddress.find(gateway), "no matching subnet for gateway " + gateway);
            refuseSecond(owner, "gateways", gateway, owner.gateway);
            owner.gateway = gateway;
        }
        for (var entry : auxiliary.entrySet()) {
            owner(all, IpAddress.find(entry.getValue()), "no matching subnet for aux-address " + entry.getValue())
                    .auxiliary.put(entry.getKey(), entry.getValue());
        }
        return Json.ofAll(all.stream().map(IpamOption::json).toList());
    }

    private static void refuseSecond(IpamOption owner, String what, String now, String before) throws FlagException {
        if (!before.isEmpty()) {
            throw new FlagException("cannot configure multiple " + what + " (" + now + ", " + before
                    + ") on the same subnet (" + owner.typed + ")");
        }
    }

    private static IpamOption owner(List<IpamOption> all, Optional<IpAddress> address, String otherwise)
            throws FlagException {
        return owner(all, address.orElseThrow(() -> new FlagException(otherwise)), otherwise);
    }

    private static IpamOption owner(List<IpamOption> all, IpAddress address, String otherwise) throws FlagException {
        return all.stream().filter(one -> one.subnet.contains(address)).findFirst()
                .orElseThrow(() -> new FlagException(otherwise));
    }

    private Json json() {
        var json = Json.object().put("Subnet", typed);
        if (!range.isEmpty()) {
            json.put("IPRange", range);
        }
        if (!gateway.isEmpty()) {
            json.put("Gateway", gateway);
        }
        if (!auxiliary.isEmpty()) {
            json.put("AuxiliaryAddresses", Json.ofMap(new TreeMap<>(auxiliary)));
        }
        return json.build();
    }
}
