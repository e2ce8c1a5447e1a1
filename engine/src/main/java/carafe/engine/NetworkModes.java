package carafe.engine;

import carafe.network.Network;
import carafe.spec.EngineException;
import carafe.spec.docker.ContainerConfig;
import carafe.spec.docker.EndpointSettings;
import carafe.spec.docker.HostConfig;
import java.util.List;

/// What the words of a container's network mode mean that name no network: `host`, `none`, `container:ID`.
final class NetworkModes {

    /// How a mode begins that shares the network of the container whose id follows.
    static final String CONTAINER = "container:";

    private NetworkModes() {}

    /// Whether a container with this mode shares somebody else's network, or has none it could leave.
    static boolean isFixed(String mode) {
        return mode.equals("host") || mode.equals("none") || mode.startsWith(CONTAINER);
    }

    /// Refuses what a mode forbids in the rest of the configuration.
    static void check(String mode, ContainerConfig config, HostConfig host) throws EngineException {
        if (mode.startsWith(CONTAINER)) {
            if (!config.document().text("Hostname").isEmpty()) {
                throw new EngineException.Invalid("conflicting options: hostname and the network mode");
            }
            if (!host.document().texts("Links").isEmpty()) {
                throw new EngineException.Invalid("conflicting options: container type network can't be used with links."
                        + " This would result in undefined behavior");
            }
            if (!host.resolver().servers().isEmpty()) {
                throw new EngineException.Invalid("conflicting options: dns and the network mode");
            }
            if (!host.resolver().extraHosts().isEmpty()) {
                throw new EngineException.Invalid("conflicting options: custom host-to-IP mapping and the network mode");
            }
            if (!host.document().object("PortBindings").fields().isEmpty()
                    || host.document().truth("PublishAllPorts")) {
                throw new EngineException.Invalid("conflicting options: port publishing and the container type network mode");
            }
            if (!config.document().object("ExposedPorts").fields().isEmpty()) {
                throw new EngineException.Invalid("conflicting options: port exposing and the container type network mode");
            }
        }
        if (mode.equals("host") && !host.document().texts("Links").isEmpty()) {
            throw new EngineException.Invalid("conflicting options: host type networking can't be used with links."
                    + " This would result in undefined behavior");
        }
        if (mode.startsWith(CONTAINER) || mode.equals("host")) {
            refuseMac(config.document().text("MacAddress"));
        }
    }

    /// Refuses names that cannot be, and in the engine's own networks what only those that users made offer.
    static void checkSettings(String network, EndpointSettings settings) throws EngineException.Invalid {
        Links.checkAliases(settings.links());
        if (List.of(Network.DEFAULT, "host", "none").contains(network)) {
            if (settings.wantsAddress()) {
                throw new EngineException.Invalid("invalid config for network " + network + ": invalid endpoint settings:\n"
                        + "user specified IP address is supported on user defined networks only");
            }
            if (!settings.aliases().isEmpty()) {
                throw new EngineException.Invalid("invalid config for network " + network + ": invalid endpoint settings:\n"
                        + "network-scoped alias is supported only for containers in user defined networks");
            }
        }
    }

    /// Refuses a hardware address.
    static void refuseMac(String mac) throws EngineException.Invalid {
        if (!mac.isEmpty()) {
            throw new EngineException.Invalid("conflicting options: mac-address and the network mode");
        }
    }
}
