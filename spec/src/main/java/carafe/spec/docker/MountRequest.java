package carafe.spec.docker;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.List;
import java.util.Map;

/// Something to be seen at `target` inside a container: from `-v`, `--mount` or `--tmpfs`, from the image's `VOLUME` or
/// from another container. `mode` is the third part of `-v` as it was typed, which inspect echoes.
public sealed interface MountRequest {

    /// The absolute path inside the container.
    String target();

    /// Whether the container may only read it.
    boolean readOnly();

    /// A file or directory of the host. `create` makes a missing directory, as `-v` does and `--mount` does not; `own`
    /// gives what is there to the container's user.
    record Bind(String source, String target, boolean readOnly, String propagation, boolean create, Below below,
            String mode, boolean own) implements MountRequest {

        /// Whether its owners are the container's, whatever ids the host has for those (`-v /a:/b:idmap`).
        public boolean mapped() {
            return List.of(mode.split(",")).contains("idmap");
        }

        /// The same of another source.
        public Bind from(String other) {
            return new Bind(other, target, readOnly, propagation, create, below, mode, own);
        }

        /// With all that is mounted below, read-only as the bind itself.
        public Bind(String source, String target, boolean readOnly, String propagation, boolean create) {
            this(source, target, readOnly, propagation, create, Below.ALIKE, "", false);
        }
    }

    /// What becomes of the host's mounts below the source of a bind.
    enum Below {
        /// They come along, read-only if the bind is.
        ALIKE,
        /// They come along as they are, even if the bind is read-only.
        WRITABLE,
        /// They do not come along.
        ABSENT
    }

    /// A memory file system with mount options as tmpfs(5) writes them (`size=64m,mode=1777`). One of `--mount` is
    /// `listed` by inspect, one of `--tmpfs` is not.
    record Tmpfs(String target, List<String> options, boolean listed) implements MountRequest {
        public Tmpfs {
            options = List.copyOf(options);
        }

        @Override
        public boolean readOnly() {
            return options.contains("ro");
        }
    }

    /// A volume of the engine; an empty name is one that gets a name when the container is made. `own` gives what is in
    /// it to the container's user; `anonymous` says that nobody named it, so that it goes with its container.
    record Volume(String name, String target, boolean readOnly, String mode, boolean own, boolean anonymous,
            VolumeWishes wishes) implements MountRequest {

        /// This mount of the volume `found`.
        public Volume named(String found) {
            return new Volume(found, target, readOnly, mode, own, anonymous, wishes);
        }
    }

    /// What is asked of a volume: whether an empty one gets the image's content, which part of it is mounted (`""`: all),
    /// and what it is made with if there is none of that name yet.
    record VolumeWishes(boolean copy, String subpath, String driver, Map<String, String> options,
            Map<String, String> labels) {

        /// Nothing out of the ordinary.
        public static final VolumeWishes NONE = new VolumeWishes(true, "", "", Map.of(), Map.of());

        public VolumeWishes {
            options = Map.copyOf(options);
            labels = Map.copyOf(labels);
        }
    }

    /// The files of an image, read-only, or of the directory `subpath` in it.
    record Image(String reference, String target, String subpath) implements MountRequest {
        @Override
        public boolean readOnly() {
            return true;
        }
    }

    /// All mounts of a host configuration, checked; two with one target are refused.
    static List<MountRequest> parseAll(Json.Obj document) throws EngineException.Invalid {
        return MountParser.all(document);
    }

    /// This mount as a document that [#of] reads.
    default Json.Obj json() {
        return MountCodec.json(this);
    }

    /// Reads what [#json] wrote.
    static MountRequest of(Json.Obj json) throws EngineException.Invalid {
        return MountCodec.read(json);
    }
}
