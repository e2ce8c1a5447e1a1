package carafe.build.dockerfile;

import java.util.List;

/// One stage: its FROM and what follows it.
public record Stage(int index, Step from, Instruction.From base, List<Step> steps) {

    public Stage {
        steps = List.copyOf(steps);
    }

    /// The name given with AS, or the index.
    public String title() {
        return base.name().orElse(Integer.toString(index));
    }
}
