package carafe.engine.store;

/// A volume as the database keeps it. `createdNanos` counts from the epoch.
public record VolumeRow(String name, long createdNanos, String document) {}
