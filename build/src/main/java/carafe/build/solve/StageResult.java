package carafe.build.solve;

import carafe.spec.oci.Digest;
import carafe.spec.oci.History;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What a stage is after some of its steps: its layers, lowest first, how they came about, and when the newest did.
public record StageResult(List<Layer> layers, List<History> history, Optional<Instant> created) {

    /// Nothing at all.
    static final StageResult EMPTY = new StageResult(List.of(), List.of(), Optional.empty());

    public StageResult {
        layers = List.copyOf(layers);
        history = List.copyOf(history);
    }

    /// The layers' digests.
    public List<Digest> diffIds() {
        return layers.stream().map(Layer::diffId).toList();
    }

    /// The digest that stands for all files of this state.
    Digest chain() {
        return Digest.sha256(String.join("\n", diffIds().stream().map(Digest::toString).toList())
                .getBytes(StandardCharsets.US_ASCII));
    }

    /// After a step that made `layer`, or none, at `when`.
    StageResult with(Optional<Layer> layer, String text, String author, Optional<Instant> when) {
        var nextLayers = new ArrayList<>(layers);
        layer.ifPresent(nextLayers::add);
        var nextHistory = new ArrayList<>(history);
        var time = layer.isPresent() ? when : created;
        nextHistory.add(new History(time, text, author, "buildkit.dockerfile.v0", layer.isEmpty()));
        return new StageResult(nextLayers, nextHistory, time);
    }
}
