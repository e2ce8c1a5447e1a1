package carafe.engine;

import carafe.image.Images;
import carafe.spec.EngineException;
import carafe.spec.docker.ContainerConfig;
import carafe.spec.docker.HostConfig;
import carafe.spec.docker.MountRequest;
import carafe.spec.docker.MountRequest.VolumeWishes;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Finds all mounts of a container to be: those asked for, then those of the containers that `--volumes-from` names,
/// then the volumes of its image and of `-v PATH`; who comes first has the place. Makes nothing.
final class MountResolver {
    private final Book book;
    private final Images images;

    MountResolver(Book book, Images images) {
        this.book = book;
        this.images = images;
    }

    /// All mounts; volumes that nobody named have no name yet.
    List<MountRequest> resolve(HostConfig host, ContainerConfig config) throws EngineException {
        var found = new LinkedHashMap<String, MountRequest>();
        for (var mount : host.files().mounts()) {
            if (mount instanceof MountRequest.Image image) {
                images.find(image.reference());
            } else if (mount instanceof MountRequest.Tmpfs tmpfs) {
                TmpfsWords.check(tmpfs.options());
            }
            found.put(mount.target(), mount);
        }
        var asked = List.copyOf(found.keySet());
        for (var other : host.files().volumesFrom()) {
            for (var mount : volumesOf(other)) {
                if (!asked.contains(mount.target())) {
                    found.put(mount.target(), mount);
                }
            }
        }
        for (var path : config.volumes().stream().sorted().toList()) {
            String target = target(path);
            found.putIfAbsent(target,
                    new MountRequest.Volume("", target, false, "", false, true, VolumeWishes.NONE));
        }
        return List.copyOf(found.values());
    }

    /// What is said where SELinux is on, if somebody wants the labels of files to be changed.
    static Optional<String> relabelled(List<MountRequest> mounts) {
        var targets = new ArrayList<String>();
        for (var mount : mounts) {
            String mode = switch (mount) {
                case MountRequest.Bind bind -> bind.mode();
                case MountRequest.Volume volume -> volume.mode();
                case MountRequest.Tmpfs _, MountRequest.Image _ -> "";
            };
            if (List.of(mode.split(",")).stream().anyMatch(word -> word.equalsIgnoreCase("z"))) {
                targets.add(mount.target());
            }
        }
        return targets.isEmpty() ? Optional.empty() : Optional.of("SELinux labels of " + String.join(", ", targets)
                + " are left as they are, in spite of :z and :Z: SELinux does not confine containers here, which need none");
    }

    private static String target(String path) throws EngineException.Invalid {
        String target = Path.of(path).normalize().toString();
        if (!target.startsWith("/")) {
            throw new EngineException.Invalid("invalid volume specification: '" + path + "': invalid mount config for"
                    + " type \"volume\": invalid mount path: '" + path + "' mount path must be absolute");
        }
        if (target.equals("/")) {
            throw new EngineException.Invalid("invalid volume specification: '" + path + "': invalid mount config for"
                    + " type \"volume\": invalid specification: destination can't be '/'");
        }
        return target;
    }

    /// The mounts of the container in `name[:mode]`; read-only if the mode or they themselves say so.
    private List<MountRequest> volumesOf(String text) throws EngineException {
        if (text.isEmpty()) {
            throw new EngineException.Invalid("volumes-from specification cannot be an empty string");
        }
        int colon = text.indexOf(':');
        String mode = colon < 0 ? "" : text.substring(colon + 1);
        boolean readOnly = false;
        for (var word : mode.isEmpty() ? new String[0] : mode.split(",", -1)) {
            if (!List.of("ro", "rw", "z", "Z").contains(word)) {
                throw new EngineException.Invalid("invalid mode: " + mode);
            }
            readOnly |= word.equals("ro");
        }
        var mounts = new ArrayList<MountRequest>();
        for (var mount : book.find(colon < 0 ? text : text.substring(0, colon)).snapshot().host().files().mounts()) {
            switch (mount) {
                case MountRequest.Bind(var source, var target, var ro, var propagation, var _, var below, var _, var _) ->
                    mounts.add(new MountRequest.Bind(
                            source, target, ro || readOnly, propagation, false, below, mode, false));
                case MountRequest.Volume(var name, var target, var ro, var _, var _, var anonymous, var wishes) ->
                    mounts.add(new MountRequest.Volume(name, target, ro || readOnly, mode, false, anonymous,
                            new VolumeWishes(false, wishes.subpath(), "", Map.of(), Map.of())));
                case MountRequest.Tmpfs tmpfs -> {
                    if (tmpfs.listed()) {
                        mounts.add(tmpfs);
                    }
                }
                case MountRequest.Image image -> mounts.add(image);
            }
        }
        return mounts;
    }
}
