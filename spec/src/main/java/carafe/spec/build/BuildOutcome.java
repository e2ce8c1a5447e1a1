package carafe.spec.build;

import java.util.Optional;

/// What came out: the image's id, or the text that a call asked for.
public record BuildOutcome(Optional<String> imageId, String text) {}
