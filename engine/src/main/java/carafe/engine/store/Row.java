package carafe.engine.store;

/// A container as the database keeps it: columns one can look for, the document of what it is, and the document of the
/// state it is in. `createdNanos` counts from the epoch and orders rows.
public record Row(String id, String name, String state, long createdNanos, String document, String status) {}
