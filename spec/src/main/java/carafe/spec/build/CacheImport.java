package carafe.spec.build;

/// An image whose steps' results may be used in a build: by name at its registry (`remote`) or by name or id here, where
/// it is looked for first or only. `mounts`: its cache mounts are taken too, where there are none of their ids yet.
public record CacheImport(String reference, boolean remote, boolean mounts) {}
