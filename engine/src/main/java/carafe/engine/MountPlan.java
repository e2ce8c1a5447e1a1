package carafe.engine;

import carafe.runtime.StandardContainer;
import carafe.spec.docker.HostConfig;
import carafe.spec.docker.MountRequest;
import carafe.spec.oci.RuntimeSpec.Mount;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// What a container mounts, in the order the runtime does it: the standard filesystems, the engine's three files in
/// /etc, then what the user asked for, parents before children. A user's mount replaces a standard one at its place.
final class MountPlan {
    private MountPlan() {}

    static List<Mount> mounts(HostConfig host, ContainerDetails.Files files) {
        var asked = new ArrayList<Mount>();
        var targets = new HashSet<String>();
        for (var request : host.files().mounts()) {
            targets.add(request.target());
            switch (request) {
                case MountRequest.Bind bind -> asked.add(bind(bind));
                case MountRequest.Tmpfs tmpfs -> asked.add(tmpfs(tmpfs));
                case MountRequest.Volume _ -> { } // refused or left to the image at create
            }
        }
        var mounts = new ArrayList<Mount>();
        for (var mount : StandardContainer.mounts(host.files().shmBytes())) {
            if (!targets.contains(mount.destination())) {
                standard(mount, host, mounts);
            }
        }
        etc(mounts, targets, "/etc/resolv.conf", files.resolver());
        etc(mounts, targets, "/etc/hostname", files.hostname());
        etc(mounts, targets, "/etc/hosts", files.hosts());
        asked.sort(Comparator.comparingInt(mount -> depth(mount.destination())));
        mounts.addAll(asked);
        return List.copyOf(mounts);
    }

    private static void standard(Mount mount, HostConfig host, List<Mount> mounts) {
        boolean privileged = host.rights().privileged();
        String ipc = host.namespaces().ipc();
        switch (mount.destination()) {
            case "/dev/shm" -> {
                if (ipc.equals("host")) {
                    mounts.add(Mount.of("/dev/shm", "bind", "/dev/shm", List.of("rbind", "rprivate")));
                } else if (!ipc.equals("none")) {
                    mounts.add(mount);
                }
            }
            case "/dev/mqueue" -> mounts.add(
                    ipc.equals("host")
                            ? Mount.of("/dev/mqueue", "bind", "/dev/mqueue", List.of("rbind", "rprivate"))
                            : mount);
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

    private static void etc(List<Mount> mounts, Set<String> taken, String target, Path source) {
        if (!taken.contains(target)) {
            mounts.add(Mount.of(target, "bind", source.toString(), List.of("rbind", "rprivate")));
        }
    }

    /// A read-only bind is so with all that is mounted below it: `ro` alone would leave those mounts writable.
    private static Mount bind(MountRequest.Bind bind) {
        String readOnly = bind.below() == MountRequest.Below.ALIKE ? "rro" : "ro";
        return Mount.of(
                bind.target(),
                "bind",
                bind.source(),
                List.of(
                        bind.below() == MountRequest.Below.ABSENT ? "bind" : "rbind",
                        bind.readOnly() ? readOnly : "rw",
                        propagation(bind)));
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
