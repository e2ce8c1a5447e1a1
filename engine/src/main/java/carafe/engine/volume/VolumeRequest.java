package carafe.engine.volume;

import java.util.Map;

/// What a new volume shall be; an empty name is given one.
public record VolumeRequest(String name, String driver, Map<String, String> options, Map<String, String> labels) {
    public VolumeRequest {
        options = Map.copyOf(options);
        labels = Map.copyOf(labels);
    }
}
