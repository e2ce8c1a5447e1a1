package carafe.runtime;

import java.util.List;

/// Who a process runs as, as a user writes it: `name`, `7`, `name:group`, `7:8`, or `""` for root; resolved in the
/// image's passwd and group files. `extraGroups` are names or numbers added to the supplementary groups.
public record UserRequest(String user, List<String> extraGroups) {

    /// Root, or whoever the OCI process says.
    public static final UserRequest NONE = new UserRequest("", List.of());

    public UserRequest {
        extraGroups = List.copyOf(extraGroups);
    }
}
