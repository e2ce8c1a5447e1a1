package carafe.api;

import carafe.engine.ContainerNetworks;
import carafe.engine.NetworkDetails;
import carafe.engine.PortReach;
import carafe.engine.UsageSample;
import carafe.spec.Json;
import carafe.spec.docker.Timestamps;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;

/// Networks in Docker's words: what inspect tells of a network, and of a container's places in networks.
final class NetworkMessages {

    private NetworkMessages() {}

    /// One network; `whole` adds what only inspect tells, `status` the use of its addresses.
    static Json network(NetworkDetails network, ApiVersion version, boolean whole) {
        var members = Json.object();
        for (var member : network.members()) {
            members.put(member.containerId(), Json.object()
                    .put("Name", member.name())
                    .put("EndpointID", member.endpointId())
                    .put("MacAddress", member.mac().toString())
                    .put("IPv4Address", text(member.four()))
                    .put("IPv6Address", text(member.six()))
                    .build());
        }
        var json = Json.object()
                .put("Name", network.name())
                .put("Id", network.id())
                .put("Created", Timestamps.print(network.created()))
                .put("Scope", "local")
                .put("Driver", network.driver());
        if (!version.before(48)) {
            json.put("EnableIPv4", network.families().four());
        }
        json.put("EnableIPv6", network.families().six())
                .put("IPAM", ipam(network.ipam()))
                .put("Internal", network.flags().internal())
                .put("Attachable", network.flags().attachable())
                .put("Ingress", network.flags().ingress())
                .put("ConfigFrom", Json.object().put("Network", network.flags().configFrom()).build())
                .put("ConfigOnly", network.flags().configOnly())
                .put("Containers", members.build())
                .put("Options", Json.ofMap(network.options()))
                .put("Labels", Json.ofMap(network.labels()));
        if (whole && !version.before(52)) {
            json.put("Status", status(network.ipam()));
        }
        return json.build();
    }

    private static Json ipam(NetworkDetails.Ipam ipam) {
        var ranges = ipam.ranges().stream().map(NetworkMessages::range).toList();
        return Json.object()
                .put("Driver", ipam.driver())
                .put("Options", ipam.options().isEmpty() ? Json.NULL : Json.ofMap(ipam.options()))
                .put("Config", ranges.isEmpty() ? Json.NULL : Json.ofAll(ranges))
                .build();
    }

    private static Json range(NetworkDetails.Range range) {
        var json = Json.object().put("Subnet", range.subnet().toString());
        range.allocation().ifPresent(part -> json.put("IPRange", part.toString()));
        range.gateway().ifPresent(gateway -> json.put("Gateway", gateway.toString()));
        if (!range.auxiliary().isEmpty()) {
            var auxiliary = new TreeMap<String, String>();
            range.auxiliary().forEach((name, address) -> auxiliary.put(name, address.toString()));
            json.put("AuxiliaryAddresses", Json.ofMap(auxiliary));
        }
        return json.build();
    }

    private static Json status(NetworkDetails.Ipam ipam) {
        var subnets = Json.object();
        for (var range : ipam.ranges()) {
            subnets.put(range.subnet().toString(), Json.object()
                    .put("IPsInUse", range.inUse())
                    .put("DynamicIPsAvailable", range.available())
                    .build());
        }
        return Json.object().put("IPAM", Json.object().put("Subnets", subnets.build()).build()).build();
    }

    private static String text(Optional<Cidr.Host> address) {
        return address.map(Cidr.Host::toString).orElse("");
    }

    /// `NetworkSettings.Networks` of a container.
    static Json places(ContainerNetworks networks) {
        return places(networks, place -> place.settings().aliases());
    }

    private static Json places(ContainerNetworks networks, Function<ContainerNetworks.Place, List<String>> aliases) {
        var json = Json.object();
        networks.places().forEach(place -> json.put(place.network(), place(place, aliases.apply(place))));
        return json.build();
    }

    /// What clients below 1.45 take for the aliases in a network of users: the short id and the host name, too.
    private static List<String> oldAliases(ContainerNetworks.Place place) {
        var aliases = new LinkedHashSet<>(place.settings().aliases());
        place.names().stream().skip(1).forEach(aliases::add); // the first is the container's own
        return List.copyOf(aliases);
    }

    private static Json place(ContainerNetworks.Place place, List<String> aliases) {
        var settings = place.settings();
        var live = place.live();
        var options = settings.driverOptions();
        var ipam = settings.document().find("IPAMConfig");
        return Json.object()
                .put("IPAMConfig", ipam.orElse(Json.NULL))
                .put("Links", orNull(settings.links()))
                .put("Aliases", orNull(aliases))
                .put("MacAddress", live.map(ContainerNetworks.Live::mac)
                        .orElse(settings.mac().map(Object::toString).orElse("")))
                .put("DriverOpts", options.isEmpty() ? Json.NULL : Json.ofMap(new TreeMap<>(options)))
                .put("GwPriority", settings.gatewayPriority())
                .put("NetworkID", place.networkId())
                .put("EndpointID", live.map(ContainerNetworks.Live::endpointId).orElse(""))
                .put("Gateway", address(live.flatMap(ContainerNetworks.Live::gatewayFour)))
                .put("IPAddress", address(live.flatMap(ContainerNetworks.Live::four).map(Cidr.Host::address)))
                .put("IPPrefixLen", live.flatMap(ContainerNetworks.Live::four).map(Cidr.Host::prefix).orElse(0))
                .put("IPv6Gateway", address(live.flatMap(ContainerNetworks.Live::gatewaySix)))
                .put("GlobalIPv6Address", address(live.flatMap(ContainerNetworks.Live::six).map(Cidr.Host::address)))
                .put("GlobalIPv6PrefixLen", live.flatMap(ContainerNetworks.Live::six).map(Cidr.Host::prefix).orElse(0))
                .put("DNSNames", orNull(place.names()))
                .build();
    }

    private static Json orNull(List<String> texts) {
        return texts.isEmpty() ? Json.NULL : Json.ofTexts(texts);
    }

    private static String address(Optional<IpAddress> address) {
        return address.map(IpAddress::toString).orElse("");
    }

    /// `NetworkSettings` of a container. Clients below 1.52 find the place on the default bridge repeated at the top.
    static Json settings(ContainerNetworks networks, ApiVersion version) {
        var json = Json.object()
                .put("Bridge", "")
                .put("SandboxID", networks.sandboxId())
                .put("SandboxKey", networks.sandboxKey())
                .put("Ports", portMap(networks));
        if (version.before(52)) {
            var top = networks.places().stream().filter(place -> place.network().equals("bridge")).findFirst()
                    .flatMap(ContainerNetworks.Place::live);
            json.put("HairpinMode", false)
                    .put("LinkLocalIPv6Address", "")
                    .put("LinkLocalIPv6PrefixLen", 0)
                    .put("SecondaryIPAddresses", Json.NULL)
                    .put("SecondaryIPv6Addresses", Json.NULL)
                    .put("EndpointID", top.map(ContainerNetworks.Live::endpointId).orElse(""))
                    .put("Gateway", address(top.flatMap(ContainerNetworks.Live::gatewayFour)))
                    .put("GlobalIPv6Address", address(top.flatMap(ContainerNetworks.Live::six).map(Cidr.Host::address)))
                    .put("GlobalIPv6PrefixLen", top.flatMap(ContainerNetworks.Live::six).map(Cidr.Host::prefix).orElse(0))
                    .put("IPAddress", address(top.flatMap(ContainerNetworks.Live::four).map(Cidr.Host::address)))
                    .put("IPPrefixLen", top.flatMap(ContainerNetworks.Live::four).map(Cidr.Host::prefix).orElse(0))
                    .put("IPv6Gateway", address(top.flatMap(ContainerNetworks.Live::gatewaySix)))
                    .put("MacAddress", top.map(ContainerNetworks.Live::mac).orElse(""));
        }
        return json.put("Networks", version.before(45) ? places(networks, NetworkMessages::oldAliases) : places(networks))
                .build();
    }

    /// `NetworkSettings.Ports`: each port with one entry for each address of the host, or null.
    private static Json portMap(ContainerNetworks networks) {
        var json = Json.object();
        for (var port : networks.ports()) {
            var bindings = port.bindings().stream()
                    .map(binding -> Json.object()
                            .put("HostIp", binding.address().toString())
                            .put("HostPort", Integer.toString(binding.number()))
                            .build())
                    .toList();
            json.put(port.name(), bindings.isEmpty() ? Json.NULL : Json.ofAll(bindings));
        }
        return json.build();
    }

    /// `Ports` of a line of the list of containers.
    static Json portList(ContainerNetworks networks) {
        var list = new ArrayList<Json.Obj>();
        for (var port : networks.ports()) {
            for (var binding : port.bindings()) {
                list.add(Json.object()
                        .put("IP", binding.address().toString())
                        .put("PrivatePort", port.number())
                        .put("PublicPort", binding.number())
                        .put("Type", port.protocol())
                        .build());
            }
            if (port.bindings().isEmpty()) {
                list.add(Json.object().put("PrivatePort", port.number()).put("Type", port.protocol()).build());
            }
        }
        return Json.ofAll(list);
    }

    /// From where ports can be reached, in this engine's own words.
    static Json reach(List<PortReach> ports) {
        return Json.object().put("Ports", Json.ofAll(ports.stream()
                .map(reach -> Json.object()
                        .put("ContainerPort", reach.containerPort())
                        .put("Host", reach.host())
                        .put("FromThisHost", reach.fromThisHost())
                        .put("FromOthers", reach.fromOthers())
                        .put("Remarks", Json.ofTexts(reach.remarks()))
                        .build())
                .toList())).build();
    }

    /// `networks` of a stats message.
    static Json traffic(Map<String, UsageSample.Traffic> networks) {
        var json = Json.object();
        networks.forEach((name, traffic) -> json.put(name, Json.object()
                .put("rx_bytes", traffic.in().bytes())
                .put("rx_packets", traffic.in().packets())
                .put("rx_errors", traffic.in().errors())
                .put("rx_dropped", traffic.in().dropped())
                .put("tx_bytes", traffic.out().bytes())
                .put("tx_packets", traffic.out().packets())
                .put("tx_errors", traffic.out().errors())
                .put("tx_dropped", traffic.out().dropped())
                .build()));
        return json.build();
    }
}
