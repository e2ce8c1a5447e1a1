package carafe.engine;

import carafe.image.Image;
import carafe.image.Images;
import carafe.runtime.Bundle;
import carafe.runtime.LogOptions;
import carafe.runtime.Stdio;
import carafe.runtime.UserRequest;
import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import carafe.spec.oci.RootfsPlan;
import java.util.List;

/// Puts together what the runtime needs to start a container.
final class BundleMaker {
    private final Images images;
    private final WritableLayers layers;
    private final SpecComposer composer;
    private final Layout layout;

    BundleMaker(Images images, WritableLayers layers, SpecComposer composer, Layout layout) {
        this.images = images;
        this.layers = layers;
        this.composer = composer;
        this.layout = layout;
    }

    /// What it has of others: the namespaces of its network, what it shares, and its files, some of which may be another's.
    record Joined(StartNetwork network, Sharings.Joined shared, ContainerDetails.Files files) {}

    /// Confined to the container's queue: its bundle; its writable layer is made if it is missing.
    /// It has what is `joined`; `linked` are variables about those it is linked to; its
    /// binds are mounted by what is `held`.
    Bundle make(Container container, HeldSources held, Joined joined, List<String> linked) throws EngineException {
        layers.used(container.snapshot());
        return bundle(held.container(), root(container), new SpecComposer.Places(
                joined.files, joined.network.namespace(), joined.network.users(), joined.shared, linked));
    }

    /// Confined to the container's queue: where its root's layers lie.
    RootfsPlan.Overlay root(Container container) throws EngineException {
        var known = container.root();
        if (known.isPresent()) {
            return known.get();
        }
        if (container.removed()) {
            throw Book.unknown(container.id());
        }
        var made = layers.prepare(container.snapshot(), image(container.snapshot()));
        container.root(made);
        return made;
    }

    private Image image(ContainerSnapshot container) throws EngineException {
        return images.byId(Digest.parse(container.image().id()))
                .orElseThrow(() -> new EngineException.NotFound("No such image: " + container.image().reference()));
    }

    /// The bundle over a root that is known; what a container that is removed at its end writes is discardable.
    Bundle bundle(ContainerSnapshot container, RootfsPlan.Overlay root, SpecComposer.Places places)
            throws EngineException {
        var host = container.host();
        var streams = container.config().streams();
        var files = places.files();
        var log = host.log();
        return new Bundle(
                container.id(),
                composer.compose(container, places, HostDevices.find(host)),
                root.withDiscardable(host.autoRemove()),
                layout.run(container.id()),
                layout.container(container.id()),
                new UserRequest(container.config().command().user(), host.rights().groupAdd()),
                new Stdio(streams.openStdin(), streams.stdinOnce()),
                log.driver().equals("none")
                        ? LogOptions.none(files.log())
                        : new LogOptions(true, files.log(), log.maxBytes(), log.maxFiles()));
    }
}
