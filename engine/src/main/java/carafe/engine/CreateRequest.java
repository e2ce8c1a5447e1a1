package carafe.engine;

import carafe.spec.docker.ContainerConfig;
import carafe.spec.docker.HostConfig;
import carafe.spec.docker.NetworkingConfig;

/// What a client wants made. An empty `name` lets the engine choose one; an empty `platform` is the host's.
public record CreateRequest(
        String name, String platform, ContainerConfig config, HostConfig host, NetworkingConfig networking) {}
