package carafe.engine;

import java.util.List;

/// From where a published port can be reached: `containerPort` is `80/tcp`, `host` is `0.0.0.0:8080`; the remarks are
/// sentences for people.
public record PortReach(
        String containerPort, String host, boolean fromThisHost, boolean fromOthers, List<String> remarks) {
    public PortReach {
        remarks = List.copyOf(remarks);
    }
}
