package carafe.engine;

import carafe.runtime.HeldMount;
import carafe.runtime.OwnFile;
import carafe.runtime.StandardContainer;
import carafe.spec.EngineException;
import carafe.spec.docker.HostConfig;
import carafe.spec.docker.MountRequest;
import carafe.spec.oci.IdMaps;
import carafe.spec.oci.RuntimeSpec.Mount;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/// What a container mounts, in the order the runtime does it: the standard filesystems, what the user asked for, parents
/// before children, then the engine's three files in /etc. A user's mount replaces a standard one at its place.
final class MountPlan {
    private final UnaryOperator<String> volumes;
    private final ImageLayers images;

    /// Finds the layers of the image that a container mounts as the `place`-th of its mounts, the topmost first.
    interface ImageLayers {
        List<Path> of(String container, int place, String reference) throws EngineException;
    }

    /// `volumes` says where the content of the volume of a name lies, `images` those of mounted images.
    MountPlan(UnaryOperator<String> volumes, ImageLayers images) {
        this.volumes = volumes;
        this.images = images;
    }

    /// `memory` leads to the shared memory of another container that this one shares, `""` if none.
    List<Mount> mounts(ContainerSnapshot container, ContainerDetails.Files files, String memory) throws EngineException {
        var host = container.host();
        var asked = new ArrayList<Mount>();
        var targets = new HashSet<String>();
        for (int place = 0; place < host.files().mounts().size(); place++) {
            var request = host.files().mounts().get(place);
            targets.add(request.target());
            switch (request) {
                case MountRequest.Bind bind -> asked.add(bind(bind));
                case MountRequest.Tmpfs tmpfs -> asked.add(tmpfs(tmpfs));
                case MountRequest.Volume volume -> asked.add(volume(volume, !host.namespaces().ids().none()));
                case MountRequest.Image image -> asked.add(
                        layers(image.target(), image.subpath(), images.of(container.id(), place, image.reference())));
            }
        }
        var mounts = new ArrayList<Mount>();
        for (var mount : StandardContainer.mounts(host.files().shmBytes())) {
            if (!targets.contains(mount.destination())) {
                standard(mount, host, memory, mounts);
            }
        }
        asked.sort(Comparator.comparingInt(mount -> depth(mount.destination())));
        mounts.addAll(asked);
        ownLinks(host, targets);
        var ids = host.namespaces().ids(); // last, for the user may have mounted something on /etc
        etc(mounts, targets, "/etc/resolv.conf", files.resolver(), ids);
        etc(mounts, targets, "/etc/hostname", files.hostname(), ids);
        etc(mounts, targets, "/etc/hosts", files.hosts(), ids);
        return List.copyOf(mounts);
    }

    /// Where what the user mounts on /etc has a link in the place of one of the engine's files, as the host's own /etc may, the
    /// link stays: nobody knows what it leads to in there.
    private void ownLinks(HostConfig host, Set<String> targets) {
        for (var request : host.files().mounts()) {
            var source = switch (request) {
                case MountRequest.Bind bind -> Optional.of(Path.of(bind.source()));
                case MountRequest.Volume volume ->
                    Optional.of(Path.of(volumes.apply(volume.name())).resolve(volume.wishes().subpath()));
                case MountRequest.Tmpfs _, MountRequest.Image _ -> Optional.<Path>empty();
            };
            if (request.target().equals("/etc") && source.isPresent()) {
                Stream.of("resolv.conf", "hostname", "hosts")
                        .filter(name -> Files.isSymbolicLink(source.get().resolve(name)))
                        .forEach(name -> targets.add("/etc/" + name));
            }
        }
    }

    private static void standard(Mount mount, HostConfig host, String memory, List<Mount> mounts) {
        boolean privileged = host.rights().privileged();
        String ipc = host.namespaces().ipc();
        switch (mount.destination()) {
            case "/dev/shm" -> {
                if (!memory.isEmpty()) {
                    mounts.add(Mount.of("/dev/shm", "bind", memory,
                            List.of("bind", "rprivate", "nosuid", "noexec", "nodev", HeldMount.OPTION)));
                } else if (ipc.equals("host")) {
                    mounts.add(Mount.of("/dev/shm", "bind", "/dev/shm", List.of("rbind", "rprivate")));
                } else if (!ipc.equals("none")) {
                    mounts.add(mount);
                }
            }
            case "/dev/mqueue" -> {
                if (!ipc.equals("none")) {
                    mounts.add(mount); // it is made in the ipc namespace that it shows, the host's too
                }
            }
            case "/sys", "/sys/fs/cgroup" -> mounts.add(privileged ? writable(mount) : mount);
            default -> mounts.add(mount);
        }
    }

    private static Mount writable(Mount mount) {
        var options = new ArrayList<>(mount.options());
        options.remove("ro");
        options.add("rw");
        return Mount.of(mount.destination(), mount.type(), mount.source(), options);
    }

    private static void etc(List<Mount> mounts, Set<String> taken, String target, Path source, IdMaps ids) {
        if (!taken.contains(target)) {
            var options = new ArrayList<>(List.of("rbind", "rprivate"));
            if (!ids.none()) {
                options.addAll(OwnFile.options(ids, 0, 0));
            }
            mounts.add(Mount.of(target, "bind", source.toString(), options));
        }
    }

    /// A read-only bind is so with all that is mounted below it: `ro` alone would leave those mounts writable.
    private static Mount bind(MountRequest.Bind bind) {
        String readOnly = bind.below() == MountRequest.Below.ALIKE ? "rro" : "ro";
        var options = new ArrayList<>(List.of(
                bind.below() == MountRequest.Below.ABSENT ? "bind" : "rbind",
                bind.readOnly() ? readOnly : "rw",
                propagation(bind)));
        if (bind.mapped()) {
            options.add("idmap");
        }
        return Mount.of(bind.target(), "bind", bind.source(), options);
    }

    /// What `path` (`""`: all) is in an overlay of `lowers` without a writable layer, as the runtime's `overlay` takes it.
    static Mount layers(String target, String path, List<Path> lowers) {
        var options = new ArrayList<>(List.of("ro",
                "lowerdir=" + String.join(":", lowers.stream().map(Path::toString).toList())));
        if (!path.isEmpty()) {
            options.add("X-mount.subdir=" + path);
        }
        return Mount.of(target, "overlay", "overlay", options);
    }

    /// Owners on a volume are the container's: it means the same to containers with other ids on the host.
    private Mount volume(MountRequest.Volume volume, boolean mapped) {
        var options = new ArrayList<>(List.of("rbind", volume.readOnly() ? "rro" : "rw", "rprivate"));
        if (mapped) {
            options.add("idmap");
        }
        if (!volume.wishes().subpath().isEmpty()) {
            options.add("X-mount.subdir=" + volume.wishes().subpath());
        }
        return Mount.of(volume.target(), "bind", volumes.apply(volume.name()), options);
    }

    static String propagation(MountRequest.Bind bind) {
        return bind.propagation().isEmpty() ? "rprivate" : bind.propagation();
    }

    private static Mount tmpfs(MountRequest.Tmpfs tmpfs) {
        var options = new ArrayList<>(List.of("noexec", "nosuid", "nodev"));
        for (var option : tmpfs.options()) {
            switch (option) {
                case "exec" -> options.remove("noexec");
                case "suid" -> options.remove("nosuid");
                case "dev" -> options.remove("nodev");
                default -> { }
            }
            if (!options.contains(option)) {
                options.add(option);
            }
        }
        return Mount.of(tmpfs.target(), "tmpfs", "tmpfs", options);
    }

    private static int depth(String path) {
        return (int) path.chars().filter(character -> character == '/').count();
    }
}
