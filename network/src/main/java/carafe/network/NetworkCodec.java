package carafe.network;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Between a [Network] and the document its owner keeps.
public final class NetworkCodec {

    private NetworkCodec() {}

    /// The document.
    public static Json.Obj print(Network network) {
        var addressing = network.addressing();
        return Json.object()
                .put("Id", network.id())
                .put("Name", network.name())
                .put("Created", network.created().toString())
                .put("Driver", network.driver().word())
                .put("EnableIPv4", addressing.four())
                .put("EnableIPv6", addressing.six())
                .put("Ipam", addressing.ipam())
                .put("IpamOptions", Json.ofMap(addressing.ipamOptions()))
                .put("Subnets", Json.ofAll(addressing.subnets().stream().map(NetworkCodec::print).toList()))
                .put("Internal", network.reach().internal())
                .put("Attachable", network.reach().attachable())
                .put("Ingress", network.reach().ingress())
                .put("Link", network.link())
                .put("Options", Json.ofMap(network.options()))
                .put("Labels", Json.ofMap(network.labels()))
                .put("ConfigOnly", network.config().only())
                .put("ConfigFrom", network.config().from())
                .build();
    }

    private static Json print(Subnet subnet) {
        var auxiliary = new LinkedHashMap<String, String>();
        subnet.auxiliary().forEach((name, address) -> auxiliary.put(name, address.toString()));
        return Json.object()
                .put("Range", subnet.range().toString())
                .put("Gateway", subnet.gateway().map(IpAddress::toString).orElse(""))
                .put("Allocation", subnet.allocation().map(Cidr::toString).orElse(""))
                .put("Auxiliary", Json.ofMap(auxiliary))
                .build();
    }

    /// The network in `document`; Invalid when it is none.
    public static Network parse(Json.Obj document) throws EngineException {
        try {
            var subnets = new ArrayList<Subnet>();
            for (var subnet : document.objects("Subnets")) {
                subnets.add(subnet(subnet));
            }
            return new Network(
                    document.text("Id"),
                    document.text("Name"),
                    Instant.parse(document.text("Created")),
                    Driver.of(document.text("Driver")),
                    new Network.Addressing(
                            document.truth("EnableIPv4"), document.truth("EnableIPv6"), document.text("Ipam"),
                            document.textMap("IpamOptions"), subnets),
                    new Network.Reach(
                            document.truth("Internal"), document.truth("Attachable"), document.truth("Ingress")),
                    document.text("Link"),
                    document.textMap("Options"),
                    document.textMap("Labels"),
                    new Network.Config(document.truth("ConfigOnly"), document.text("ConfigFrom")));
        } catch (DateTimeException | IllegalArgumentException e) {
            throw new EngineException.Invalid("not a network: " + e.getMessage());
        }
    }

    private static Subnet subnet(Json.Obj json) throws EngineException.Invalid {
        var auxiliary = new LinkedHashMap<String, IpAddress>();
        for (Map.Entry<String, String> entry : json.textMap("Auxiliary").entrySet()) {
            auxiliary.put(entry.getKey(), IpAddress.parse(entry.getValue()));
        }
        String allocation = json.text("Allocation");
        return new Subnet(
                Cidr.parse(json.text("Range")),
                IpAddress.find(json.text("Gateway")),
                allocation.isEmpty() ? Optional.empty() : Optional.of(Cidr.parse(allocation)),
                auxiliary);
    }

    /// Texts of addresses that must be addresses.
    static List<IpAddress> addresses(List<String> texts) throws EngineException.Invalid {
        var addresses = new ArrayList<IpAddress>();
        for (String text : texts) {
            addresses.add(IpAddress.parse(text));
        }
        return addresses;
    }
}
