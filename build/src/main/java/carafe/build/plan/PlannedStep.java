package carafe.build.plan;

import carafe.build.dockerfile.Span;
import carafe.spec.oci.RunConfig;

/// One step of a stage: the instruction's text and lines, what it does, how history tells it, and the configuration
/// after it. `author` is what MAINTAINER said, if anything did.
public record PlannedStep(String text, Span span, Operation operation, String history, RunConfig config,
        String author) {}
