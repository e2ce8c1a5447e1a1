package carafe.engine.volume;

import carafe.engine.quota.SizeLimits;
import carafe.files.VolumeDirectories;
import carafe.spec.EngineException;
import java.nio.file.Path;
import java.util.Locale;

/// The limit of one volume that was made with a size: `bytes`, as its maker wrote it `text`.
record SizedVolume(SizeLimits limits, String name, long bytes, String text) implements VolumeDirectories.Limit {

    /// The limit of `volume`, if it has one.
    static VolumeDirectories.Limit of(SizeLimits limits, Volume volume) throws EngineException.Invalid {
        long bytes = volume.driverOptions().sizeBytes();
        return bytes == 0
                ? NONE
                : new SizedVolume(limits, volume.name(), bytes, String.valueOf(volume.options().get("size")));
    }

    /// Refuses a limit that nobody would keep, in Docker's words and with what to do.
    void demand() throws EngineException {
        if (!limits.available()) {
            throw new EngineException.Invalid(
                    "create " + name + ": quota size requested but no quota support: " + limits.advice());
        }
    }

    @Override
    public void place(Path directory) throws EngineException {
        limits.place(name, directory, bytes);
    }

    @Override
    public void check() throws EngineException {
        var taken = limits.excessive(name);
        if (taken.isPresent()) {
            throw new EngineException.Unavailable("volume " + name + " would take "
                    + String.format(Locale.ROOT, "%.1f MiB", taken.get() / 1048576.0));
        }
    }

    @Override
    public String note() {
        return " (its size is limited to " + text + ")";
    }
}
