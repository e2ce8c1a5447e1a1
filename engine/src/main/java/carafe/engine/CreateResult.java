package carafe.engine;

import java.util.List;

/// A container was made: its id, and what the host cannot give it although asked.
public record CreateResult(String id, List<String> warnings) {
    public CreateResult {
        warnings = List.copyOf(warnings);
    }
}
