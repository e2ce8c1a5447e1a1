package carafe.spec.docker;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/// What there is at a path inside a container, as the archive endpoints tell in their header. `mode` has the bits of
/// Go's `FileMode`, which is what clients take apart; `linkTarget` is where a symbolic link leads in the end, absolute
/// in the container, `""` for what is no link.
public record PathStat(String name, long size, long mode, Instant modified, String linkTarget) {

    /// Go's bits above the nine of permission.
    public static final long DIRECTORY = 1L << 31;
    public static final long SYMLINK = 1L << 27;
    public static final long DEVICE = 1L << 26;
    public static final long NAMED_PIPE = 1L << 25;
    public static final long SOCKET = 1L << 24;
    public static final long SETUID = 1L << 23;
    public static final long SETGID = 1L << 22;
    public static final long CHARACTER_DEVICE = 1L << 21;
    public static final long STICKY = 1L << 20;

    /// Whether it is a directory itself.
    public boolean isDirectory() {
        return (mode & DIRECTORY) != 0;
    }

    /// Whether it is a symbolic link itself.
    public boolean isSymlink() {
        return (mode & SYMLINK) != 0;
    }

    /// The message of `X-Docker-Container-Path-Stat`, before its base64.
    public Json.Obj json() {
        return Json.object()
                .put("name", name)
                .put("size", size)
                .put("mode", mode)
                .put("mtime", DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(modified.atOffset(ZoneOffset.UTC)))
                .put("linkTarget", linkTarget)
                .build();
    }

    /// Reads what [#json] wrote.
    public static PathStat of(Json.Obj json) throws EngineException.Invalid {
        return new PathStat(
                json.text("name"),
                json.number("size", 0),
                json.number("mode", 0),
                Timestamps.parse(json.text("mtime")).orElse(Instant.EPOCH),
                json.text("linkTarget"));
    }
}
