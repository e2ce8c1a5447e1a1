package carafe.build.dockerfile;

/// What a check found: which [Rule], what exactly, where, and what to write instead (empty when only the author knows).
public record Finding(Rule rule, String message, Span span, String fix) {}
