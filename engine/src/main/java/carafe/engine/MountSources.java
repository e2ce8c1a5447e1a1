package carafe.engine;

import carafe.engine.volume.VolumeBook;
import carafe.engine.volume.VolumeMounts;
import carafe.files.ContainerFiles;
import carafe.files.ContainerFiles.Place;
import carafe.files.HostDirectory;
import carafe.files.HostMount;
import carafe.files.Unpacking;
import carafe.spec.EngineException;
import carafe.spec.docker.MountRequest;
import carafe.spec.oci.IdMaps;
import carafe.spec.oci.RootfsPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// Sees to what a container's mounts show: that binds have their source, that volumes have the image's content and are
/// mounted while somebody runs with them.
final class MountSources {
    private final VolumeBook volumes;
    private final VolumeMounts mounts;
    private final ImageMounts images;
    private final ContainerFiles files;

    MountSources(VolumeBook volumes, VolumeMounts mounts, ImageMounts images, ContainerFiles files) {
        this.volumes = volumes;
        this.mounts = mounts;
        this.images = images;
        this.files = files;
    }

    VolumeBook volumes() {
        return volumes;
    }

    ContainerFiles files() {
        return files;
    }

    /// Makes the missing directories that `-v` binds, which belong to the container's root; refuses what `--mount` binds and
    /// is not there.
    static void check(ContainerSnapshot container) throws EngineException {
        for (var mount : container.host().files().mounts()) {
            if (mount instanceof MountRequest.Bind bind && !Files.exists(Path.of(bind.source()))) {
                if (!bind.create()) {
                    throw new EngineException.Invalid("invalid mount config for type \"bind\": bind source path does"
                            + " not exist: " + bind.source());
                }
                try {
                    make(Path.of(bind.source()), bind.mapped() ? IdMaps.NONE : container.host().namespaces().ids());
                } catch (IOException e) {
                    throw Failures.io("error while creating mount source path '" + bind.source() + "'", e);
                }
            }
        }
    }

    /// What is shown with its owners mapped (`:idmap`) belongs to the host's root, who is the container's there.
    private static void make(Path directory, IdMaps ids) throws IOException {
        HostDirectory.make(directory, ids.none() ? 0 : (int) ids.hostUid(0), ids.none() ? 0 : (int) ids.hostGid(0));
    }

    /// Refuses binds that are to share mounts with the host where the host's mount is not shared.
    private static void checkPropagation(ContainerSnapshot container) throws EngineException {
        for (var mount : container.host().files().mounts()) {
            if (mount instanceof MountRequest.Bind bind && !bind.propagation().isEmpty()
                    && !bind.propagation().endsWith("private")) {
                try {
                    checkPropagation(bind, Path.of(bind.source()).toRealPath());
                } catch (IOException e) {
                    throw Failures.io("error while looking at the mount of '" + bind.source() + "'", e);
                }
            }
        }
    }

    private static void checkPropagation(MountRequest.Bind bind, Path source) throws IOException, EngineException.Invalid {
        var over = HostMount.over(source);
        boolean wantsShared = bind.propagation().endsWith("shared");
        if (!over.shared() && (wantsShared || !over.slave())) {
            String wanted = wantsShared ? "shared" : "shared or slave";
            throw new EngineException.Invalid("path " + bind.source() + " is mounted on " + over.target() + " but it is not a "
                    + wanted + " mount; `mount --make-rshared " + over.target() + "` makes it one");
        }
    }

    /// The container's root is made: the images it mounts are kept, new volumes get the image's content,
    /// before any process of the container exists.
    void created(ContainerSnapshot container, RootfsPlan root) throws EngineException {
        images.make(container);
        volumes.copyUp(files, root, container.host().files().mounts());
    }

    /// Looks at what a start will bind, and opens what [#give] will give away; the caller closes it.
    HeldSources hold(ContainerSnapshot container) throws EngineException {
        check(container);
        checkPropagation(container);
        return HeldSources.open(container, files);
    }

    /// Confined to the container's queue: it is about to start, or to be looked into.
    void before(ContainerSnapshot container, RootfsPlan root) throws EngineException {
        check(container);
        mounts.mount(container.id(), container.host().files().mounts(), files, root);
    }

    /// Gives the mounts that ask for it (`:U`) to the container's user, before any process of it exists. Its binds are given
    /// by what is held of them.
    void give(HeldSources held, RootfsPlan root) throws EngineException {
        var container = held.container();
        var owned = container.host().files().mounts().stream()
                .filter(mount -> mount instanceof MountRequest.Bind bind && bind.own()
                        || mount instanceof MountRequest.Volume volume && volume.own())
                .map(MountRequest::target)
                .toList();
        if (owned.isEmpty()) {
            return;
        }
        var binds = container.host().files().mounts().stream()
                .filter(mount -> mount instanceof MountRequest.Bind bind && !bind.mapped())
                .map(MountRequest::target)
                .toList();
        Unpacking.Owner owner;
        try (var view = files.stopped(container.id(), root, List.of(), false)) {
            owner = ContainerCopies.owner(container, view).orElse(new Unpacking.Owner(0, 0));
        }
        for (var place : places(container)) {
            if (owned.contains(place.target())) {
                files.give(place, binds.contains(place.target()) ? onHost(owner, container) : owner);
            }
        }
    }

    /// Owners of volumes and of mapped binds are the container's, those of other binds the host's.
    private static Unpacking.Owner onHost(Unpacking.Owner owner, ContainerSnapshot container) {
        var ids = container.host().namespaces().ids();
        return new Unpacking.Owner((int) ids.hostUid(owner.uid()), (int) ids.hostGid(owner.gid()));
    }

    /// It does not run any more, or was not started after all.
    void after(ContainerSnapshot container) {
        mounts.unmount(container.id(), container.host().files().mounts());
    }

    /// Where its binds and volumes are seen inside, parents before children.
    List<Place> places(ContainerSnapshot container) {
        var places = new ArrayList<Place>();
        for (var mount : container.host().files().mounts()) {
            switch (mount) {
                case MountRequest.Bind bind -> places.add(new Place(
                        bind.target(), Path.of(bind.source()), "", bind.readOnly()));
                case MountRequest.Volume volume -> places.add(new Place(volume.target(),
                        volumes.mountpoint(volume.name()), volume.wishes().subpath(), volume.readOnly()));
                case MountRequest.Tmpfs _, MountRequest.Image _ -> { } // nothing of the container's own to be seen
            }
        }
        places.sort(Comparator.comparingInt(place -> Path.of(place.target()).getNameCount()));
        return places;
    }
}
