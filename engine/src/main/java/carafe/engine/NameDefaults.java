package carafe.engine;

import carafe.spec.docker.HostConfig;
import carafe.spec.network.IpAddress;
import java.util.List;

/// What the engine was told about names for containers that say nothing themselves: name servers, options of the
/// resolver, domains to search, and which addresses `host-gateway` stands for (none: the gateway of the default bridge).
public record NameDefaults(
        List<IpAddress> servers, List<String> options, List<String> search, List<IpAddress> hostGateways) {

    /// Nothing was told: what the host has.
    public static final NameDefaults NONE = new NameDefaults(List.of(), List.of(), List.of(), List.of());

    public NameDefaults {
        servers = List.copyOf(servers);
        options = List.copyOf(options);
        search = List.copyOf(search);
        hostGateways = List.copyOf(hostGateways);
    }

    /// What the container asks for, and ours in the place of each thing that it does not.
    HostConfig.Resolver complete(HostConfig.Resolver asked) {
        return new HostConfig.Resolver(
                asked.servers().isEmpty() ? servers.stream().map(IpAddress::toString).toList() : asked.servers(),
                asked.options().isEmpty() ? options : asked.options(),
                asked.search().isEmpty() ? search : asked.search(),
                asked.extraHosts());
    }
}
