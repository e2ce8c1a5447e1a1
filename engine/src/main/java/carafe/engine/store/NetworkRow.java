package carafe.engine.store;

/// A network as it is written down; `document` is its owner's.
public record NetworkRow(String id, String name, String document) {}
