package carafe.spec.docker;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/// The networks a new container joins, by name, each with the endpoint settings the client wants; kept as sent.
public record NetworkingConfig(Map<String, Json.Obj> endpoints) {
    /// Joins only what the network mode says.
    public static final NetworkingConfig NONE = new NetworkingConfig(Map.of());

    public NetworkingConfig {
        endpoints = Collections.unmodifiableMap(new LinkedHashMap<>(endpoints));
    }

    /// Reads `{"EndpointsConfig":{name:{…}}}`; a null endpoint has no settings.
    public static NetworkingConfig parse(Json.Obj given) throws EngineException.Invalid {
        var configs = given.object("EndpointsConfig");
        var endpoints = new LinkedHashMap<String, Json.Obj>();
        for (var name : configs.fields().keySet()) {
            endpoints.put(name, configs.object(name));
        }
        return new NetworkingConfig(endpoints);
    }

    /// As it was sent.
    public Json.Obj json() {
        var configs = Json.object();
        endpoints.forEach(configs::put);
        return Json.object().put("EndpointsConfig", configs.build()).build();
    }
}
