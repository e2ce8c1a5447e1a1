package carafe.engine.store;

/// A project number of the file system's quotas and whose it is: `kind` is what `owner` names, as `volume`.
public record ProjectRow(int project, String kind, String owner) {}
