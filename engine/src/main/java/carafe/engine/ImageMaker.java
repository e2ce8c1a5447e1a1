package carafe.engine;

import carafe.image.Image;
import carafe.image.Images;
import carafe.image.Intake;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.History;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import carafe.spec.oci.RunConfig;
import java.io.InputStream;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/// Makes images of a container's files and of a tar of files.
final class ImageMaker {

    private final Images images;
    private final Book book;
    private final Clock clock;

    ImageMaker(Images images, Book book, Clock clock) {
        this.images = images;
        this.book = book;
        this.clock = clock;
    }

    /// An image of one layer, the files in `tar`.
    Digest importRoot(InputStream tar, ImportRequest request) throws EngineException {
        var name = name(request.repository(), request.tag());
        var run = ConfigChanges.apply(RunConfig.EMPTY, request.changes());
        var platform = request.platform().isEmpty() ? Platform.host() : Platform.parse(request.platform());
        var now = Optional.of(clock.instant());
        String comment = request.message().isEmpty() ? "Imported from " + request.source() : request.message();
        try (var intake = images.intake()) {
            var layer = intake.layer(tar);
            var config = new ImageConfig(platform, now, "", comment, "", run, List.of(layer.diffId()),
                    List.of(new History(now, "", "", comment, false)));
            return commit(intake, config, List.of(layer.blob()), name);
        }
    }

    private Digest commit(Intake intake, ImageConfig config, List<Descriptor> layers, List<Reference> names)
            throws EngineException {
        byte[] bytes = config.toJson().printBytes();
        var about = Descriptor.of(MediaTypes.OCI_CONFIG, bytes);
        intake.commit(bytes, Manifest.of(about, layers).toJson().printBytes(), names, Optional.empty());
        return about.digest();
    }

    private static List<Reference> name(String repository, String tag) throws EngineException.Invalid {
        if (repository.isEmpty()) {
            return List.of();
        }
        var parsed = Reference.parse(repository);
        if (parsed.digest().isPresent()) {
            throw new EngineException.Invalid("cannot import digest reference");
        }
        return List.of(tag.isEmpty() ? parsed.withDefaultTag() : parsed.withTag(tag));
    }

    /// An image of the container's image and a further layer with what the container changed.
    Digest commit(CommitRequest request) throws EngineException, InterruptedException {
        var container = book.find(request.container());
        var names = name(request.repository(), request.tag());
        var snapshot = container.snapshot();
        var run = ConfigChanges.apply(merged(request.config(), snapshot), request.changes());
        var parent = images.byId(Digest.parse(snapshot.image().id())).orElseThrow(
                () -> new EngineException.NotFound("No such image: " + snapshot.image().id()));
        try (var intake = images.intake()) {
            var made = new ArrayList<Digest>();
            container.mailbox().perform(() -> {
                boolean frozen = request.pause() && container.state() instanceof State.Running;
                if (frozen) {
                    container.process().pause();
                }
                try {
                    var layer = intake.layer(out -> images.snapshots().writeLayer(container.id(), out));
                    made.add(commit(intake, image(parent, layer, request, run), layers(parent, layer), names));
                } finally {
                    if (frozen) {
                        container.process().resume();
                    }
                }
            });
            book.tell(snapshot, "commit", List.of(Map.entry("comment", request.comment()),
                    Map.entry("imageID", made.getFirst().toString()),
                    Map.entry("imageRef", names.isEmpty() ? "" : names.getFirst().familiar())));
            return made.getFirst();
        }
    }

    private ImageConfig image(Image parent, Intake.Layer layer, CommitRequest request, RunConfig run) {
        var now = Optional.of(clock.instant());
        var diffIds = new ArrayList<>(parent.config().diffIds());
        diffIds.add(layer.diffId());
        var history = new ArrayList<>(parent.config().history());
        history.add(new History(now, String.join(" ", run.cmd()), request.author(), request.comment(), false));
        return new ImageConfig(parent.config().platform(), now, request.author(), request.comment(), "", run, diffIds,
                history);
    }

    private static List<Descriptor> layers(Image parent, Intake.Layer layer) {
        var layers = new ArrayList<>(parent.manifest().layers());
        layers.add(layer.blob());
        return layers;
    }

    /// The container's configuration with what `given` says otherwise.
    private static RunConfig merged(Json.Obj given, ContainerSnapshot container) throws EngineException.Invalid {
        var own = RunConfig.fromJson(container.config().document());
        var other = RunConfig.fromJson(given);
        var env = new LinkedHashMap<String, String>();
        for (var list : List.of(own.env(), other.env())) {
            list.forEach(variable -> env.put(variable.substring(0, Math.max(0, variable.indexOf('='))), variable));
        }
        var ports = new TreeSet<>(own.exposedPorts());
        ports.addAll(other.exposedPorts());
        var volumes = new TreeSet<>(own.volumes());
        volumes.addAll(other.volumes());
        var labels = new LinkedHashMap<>(own.labels());
        labels.putAll(other.labels());
        return new RunConfig(other.user().isEmpty() ? own.user() : other.user(),
                other.workingDir().isEmpty() ? own.workingDir() : other.workingDir(), List.copyOf(env.values()),
                other.entrypoint().isEmpty() ? own.entrypoint() : other.entrypoint(),
                other.cmd().isEmpty() ? own.cmd() : other.cmd(), ports, volumes, labels,
                other.stopSignal().isEmpty() ? own.stopSignal() : other.stopSignal(),
                other.healthcheck().isPresent() ? other.healthcheck() : own.healthcheck(),
                other.onBuild().isEmpty() ? own.onBuild() : other.onBuild(),
                other.shell().isEmpty() ? own.shell() : other.shell(), own.argsEscaped());
    }
}
