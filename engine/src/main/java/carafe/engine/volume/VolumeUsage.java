package carafe.engine.volume;

/// A volume with what `system df` tells of it: how many containers name it, and the bytes of its files (-1 where that
/// is not counted, because its files lie elsewhere).
public record VolumeUsage(Volume volume, int containers, long sizeBytes) {}
