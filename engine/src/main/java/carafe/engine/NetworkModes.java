package carafe.engine;

import carafe.spec.EngineException;
import carafe.spec.docker.ContainerConfig;
import carafe.spec.docker.HostConfig;

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

    /// Refuses a hardware address.
    static void refuseMac(String mac) throws EngineException.Invalid {
        if (!mac.isEmpty()) {
            throw new EngineException.Invalid("conflicting options: mac-address and the network mode");
        }
    }
}
