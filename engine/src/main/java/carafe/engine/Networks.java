package carafe.engine;

import carafe.spec.EngineException;
import carafe.spec.docker.EndpointSettings;
import carafe.spec.docker.Filters;
import carafe.spec.docker.NetworkCreateRequest;
import java.util.List;

/// Everything one can do to networks. A `reference` is a full id, a name, or a unique prefix of an id.
public interface Networks {

    /// Makes a network; answers its id.
    String create(NetworkCreateRequest request) throws EngineException;

    /// What its creator should know, in sentences for people: routes of the host to its addresses, and what the host's
    /// firewall forbids its containers, unless it leads nowhere or passes no filter of the host. Mostly empty.
    String warning(String id) throws EngineException;

    /// All that pass the filters, oldest first; without their containers.
    List<NetworkDetails> list(Filters filters) throws EngineException;

    /// One network with the containers in it.
    NetworkDetails inspect(String reference) throws EngineException;

    /// Removes one that no running container is in.
    void remove(String reference) throws EngineException;

    /// Connects a container, which may run, to one more network.
    void connect(String reference, String container, EndpointSettings settings)
            throws EngineException, InterruptedException;

    /// Takes a container out of a network. With `force` a container that is not there is no error.
    void disconnect(String reference, String container, boolean force) throws EngineException, InterruptedException;

    /// Removes the networks that no container is in; answers their names.
    List<String> prune(Filters filters) throws EngineException;
}
