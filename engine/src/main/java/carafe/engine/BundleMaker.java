package carafe.engine;

import carafe.image.Images;
import carafe.runtime.Bundle;
import carafe.runtime.LogOptions;
import carafe.runtime.Stdio;
import carafe.runtime.UserRequest;
import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import carafe.spec.oci.RootfsPlan;

/// Puts together what the runtime needs to start a container.
final class BundleMaker {
    private final Images images;
    private final SpecComposer composer;
    private final Layout layout;

    BundleMaker(Images images, SpecComposer composer, Layout layout) {
        this.images = images;
        this.composer = composer;
        this.layout = layout;
    }

    /// The bundle of `container`; its writable layer is made if it is missing.
    Bundle make(ContainerSnapshot container) throws EngineException {
        var image = images.byId(Digest.parse(container.image().id()))
                .orElseThrow(() -> new EngineException.NotFound("No such image: " + container.image().reference()));
        return bundle(container, images.snapshots().prepare(container.id(), image));
    }

    /// The bundle over a root that is known.
    Bundle bundle(ContainerSnapshot container, RootfsPlan root) throws EngineException {
        var host = container.host();
        var streams = container.config().streams();
        var files = layout.files(container.id());
        var log = host.log();
        return new Bundle(
                container.id(),
                composer.compose(container, files, HostDevices.find(host)),
                root,
                layout.run(container.id()),
                layout.container(container.id()),
                new UserRequest(container.config().command().user(), host.rights().groupAdd()),
                new Stdio(streams.openStdin(), streams.stdinOnce()),
                log.driver().equals("none")
                        ? LogOptions.none(files.log())
                        : new LogOptions(true, files.log(), log.maxBytes(), log.maxFiles()));
    }
}
