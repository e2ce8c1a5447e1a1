package carafe.runtime;

import java.util.List;

/// What a start will do: the steps in words, and `text`, the tape itself line by line as golden tests keep it.
public record LaunchPlan(TapeExplanation explanation, List<String> text) {
    public LaunchPlan {
        text = List.copyOf(text);
    }
}
