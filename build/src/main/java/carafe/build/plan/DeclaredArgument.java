package carafe.build.plan;

import carafe.build.dockerfile.Span;

/// A build argument that the target's stages take: its value in this build (empty when it has none), and what the comment
/// above its ARG says of it.
public record DeclaredArgument(String name, String value, String description, Span span) {}
