package carafe.network;

import carafe.spec.EngineException;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Optional;

/// Networks that are configurations of others only: decided here, and in no [Fabric].
public final class ConfigNetworks {

    private ConfigNetworks() {}

    /// The configuration that `request` describes. Its ranges may overlap others: they are looked at when a network is made
    /// of it.
    /// @throws EngineException.Forbidden it says what only a network can be
    /// @throws EngineException.Invalid its ranges are none
    public static Network plan(NetworkRequest request, String id, Instant created) throws EngineException {
        if (!request.reach().equals(Network.Reach.USUAL)) {
            throw new EngineException.Forbidden("configuration network can only contain network specific fields. Network"
                    + " operator fields like [ ingress | internal | attachable | scope ] are not supported.");
        }
        var subnets = new ArrayList<Subnet>();
        for (var pool : request.pools().pools()) {
            if (pool.subnet().isEmpty()) {
                NetworkPlanner.subnetless(pool);
                continue;
            }
            var subnet = NetworkPlanner.subnet(pool);
            subnets.add(new Subnet(subnet.range(), pool.gateway().isEmpty() ? Optional.empty() : subnet.gateway(),
                    subnet.allocation(), subnet.auxiliary()));
        }
        return new Network(id, request.name(), created, Driver.NONE,
                new Network.Addressing(request.four().orElse(true), request.six().orElse(false), "default",
                        request.pools().options(), subnets),
                Network.Reach.USUAL, "", request.options(), request.labels(), new Network.Config(true, ""));
    }

    /// `request` with all that the configuration says.
    /// @throws EngineException.Forbidden it says some of that itself
    public static NetworkRequest apply(Network config, NetworkRequest request) throws EngineException.Forbidden {
        var pools = request.pools();
        if (request.four().orElse(false) || request.six().orElse(false) || !request.labels().isEmpty()
                || !pools.options().isEmpty() || !pools.pools().isEmpty()
                || !pools.driver().isEmpty() && !pools.driver().equals("default")) {
            throw new EngineException.Forbidden("user specified configurations are not supported if the network depends on a"
                    + " configuration network");
        }
        if (!request.options().isEmpty()) {
            throw new EngineException.Forbidden("network driver options are not supported if the network depends on a"
                    + " configuration network");
        }
        var addressing = config.addressing();
        return new NetworkRequest(request.name(), request.driver(), Optional.of(addressing.four()),
                Optional.of(addressing.six()),
                new NetworkRequest.Pools("default", addressing.ipamOptions(),
                        addressing.subnets().stream().map(ConfigNetworks::pool).toList()),
                request.reach(), config.options(), config.labels());
    }

    private static NetworkRequest.Pool pool(Subnet subnet) {
        var auxiliary = new LinkedHashMap<String, String>();
        subnet.auxiliary().forEach((name, address) -> auxiliary.put(name, address.toString()));
        return new NetworkRequest.Pool(subnet.range().toString(), subnet.allocation().map(Cidr::toString).orElse(""),
                subnet.gateway().map(IpAddress::toString).orElse(""), auxiliary);
    }

    /// `network`, which was made of the configuration of that name.
    public static Network made(Network network, String config) {
        return new Network(network.id(), network.name(), network.created(), network.driver(), network.addressing(),
                network.reach(), network.link(), network.options(), network.labels(), new Network.Config(false, config));
    }
}
