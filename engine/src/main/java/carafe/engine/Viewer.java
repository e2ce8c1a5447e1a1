package carafe.engine;

import carafe.engine.volume.Volume;
import carafe.engine.volume.VolumeBook;
import carafe.image.Images;
import carafe.spec.EngineException;
import carafe.spec.docker.MountRequest;
import carafe.spec.oci.Digest;
import java.time.Clock;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Answers what containers are, from snapshots: waits for no container.
final class Viewer {
    private final Book book;
    private final Images images;
    private final ImageNames names;
    private final VolumeBook volumes;
    private final Layout layout;
    private final Clock clock;
    private final Memberships memberships;

    Viewer(Book book, Images images, ImageNames names, Sources sources, Clock clock) {
        this.book = book;
        this.images = images;
        this.names = names;
        this.layout = sources.layout;
        this.volumes = sources.volumes;
        this.memberships = sources.memberships;
        this.clock = clock;
    }

    /// Where else the answers come from.
    record Sources(Layout layout, VolumeBook volumes, Memberships memberships) {}

    List<ContainerSummary> list(ListQuery query) throws EngineException {
        var filter = new ContainerFilter(query.filters(), book::find, this::ancestor, memberships::isIdOf);
        boolean all = query.all() || query.limit() > 0 || filter.wantsStopped();
        var found = new ArrayList<ContainerSnapshot>();
        for (var container : book.all()) {
            var snapshot = container.snapshot();
            boolean shown = all || snapshot.state().alive() || snapshot.state() instanceof State.Restarting;
            if (shown && filter.matches(snapshot)) {
                found.add(snapshot);
            }
        }
        found.sort(Comparator.comparing(ContainerSnapshot::created).reversed());
        var now = clock.instant();
        var summaries = new ArrayList<ContainerSummary>();
        for (var snapshot : query.limit() > 0 ? found.subList(0, Math.min(query.limit(), found.size())) : found) {
            summaries.add(new ContainerSummary(
                    snapshot,
                    names.shown(snapshot.image()),
                    StatusText.of(snapshot.state(), now),
                    mounts(snapshot),
                    memberships.view(snapshot),
                    query.size() ? Optional.of(size(snapshot)) : Optional.empty()));
        }
        return summaries;
    }

    private String ancestor(String name) throws EngineException {
        return images.find(name).id().toString();
    }

    ContainerDetails details(Container container, boolean size, Collection<String> execIds) throws EngineException {
        var snapshot = container.snapshot();
        return new ContainerDetails(
                memberships.links().shown(snapshot),
                layout.files(snapshot.id(), memberships.filesOf(snapshot)),
                mounts(snapshot),
                execIds.stream().sorted().toList(),
                layers(container),
                size ? Optional.of(size(snapshot)) : Optional.empty(),
                "overlay2",
                snapshot.host().rights().security().appArmor().orElse(""),
                memberships.view(snapshot));
    }

    /// Where the root's layers lie, by the names Docker's overlay2 driver has for them.
    private static Map<String, String> layers(Container container) {
        return container.root()
                .map(overlay -> Map.of(
                        "LowerDir", String.join(":", overlay.lowers().stream().map(Object::toString).toList()),
                        "UpperDir", overlay.upper().toString(),
                        "WorkDir", overlay.work().toString()))
                .orElse(Map.of());
    }

    long writableBytes(String id) throws EngineException {
        return images.snapshots().writableBytes(id);
    }

    void export(String id, OutputStream out) throws IOException, EngineException {
        images.snapshots().export(id, out);
    }

    private ContainerDetails.Size size(ContainerSnapshot container) throws EngineException {
        long writable = images.snapshots().writableBytes(container.id());
        long below = images.byId(Digest.parse(container.image().id())).map(image -> image.size()).orElse(0L);
        return new ContainerDetails.Size(writable, writable + below);
    }

    private List<ContainerDetails.MountPoint> mounts(ContainerSnapshot container) {
        var mounts = new ArrayList<ContainerDetails.MountPoint>();
        for (var request : container.host().files().mounts()) {
            switch (request) {
                case MountRequest.Bind bind -> mounts.add(new ContainerDetails.MountPoint("bind", "", bind.source(),
                        bind.target(), "", bind.mode(), !bind.readOnly(), MountPlan.propagation(bind)));
                case MountRequest.Tmpfs tmpfs -> {
                    if (tmpfs.listed()) {
                        mounts.add(new ContainerDetails.MountPoint(
                                "tmpfs", "", "", tmpfs.target(), "", "", !tmpfs.readOnly(), ""));
                    }
                }
                case MountRequest.Volume volume -> {
                    String mode = volume.mode().isEmpty() && !volume.anonymous() ? "z" : volume.mode();
                    mounts.add(new ContainerDetails.MountPoint("volume", volume.name(),
                            volumes.mountpoint(volume.name()).toString(), volume.target(), Volume.DRIVER, mode,
                            !volume.readOnly(), ""));
                }
                case MountRequest.Image image -> mounts.add(new ContainerDetails.MountPoint(
                        "image", "", image.reference(), image.target(), "", "", false, ""));
            }
        }
        return mounts;
    }
}
