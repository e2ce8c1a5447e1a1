package carafe.network;

import carafe.spec.EngineException;

/// How a network is carried.
public enum Driver {
    /// A bridge of this host; containers are its ports.
    BRIDGE("bridge"),
    /// Links with hardware addresses of their own on one of the host's links.
    MACVLAN("macvlan"),
    /// Links that share the hardware address of one of the host's links.
    IPVLAN("ipvlan"),
    /// The host's own namespace.
    HOST("host"),
    /// A namespace with nothing but its loopback.
    NONE("null");

    private final String word;

    Driver(String word) {
        this.word = word;
    }

    /// Docker's word for it.
    public String word() {
        return word;
    }

    /// The driver called `word`; empty means bridge.
    public static Driver of(String word) throws EngineException {
        for (var driver : values()) {
            if (driver.word.equals(word) || word.isEmpty() && driver == BRIDGE) {
                return driver;
            }
        }
        if (word.equals("overlay")) {
            throw new EngineException.Forbidden("This node is not a swarm manager. Use \"docker swarm init\" or"
                    + " \"docker swarm join\" to connect this node to swarm and try again.");
        }
        throw new EngineException.NotFound("could not find plugin " + word + " in v1 plugin registry: plugin not found");
    }
}
