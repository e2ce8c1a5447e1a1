package carafe.api;

import carafe.engine.transfer.ImageTransfers;
import carafe.engine.transfer.PullRequest;
import carafe.engine.transfer.PushRequest;
import carafe.spec.EngineException;
import carafe.spec.EngineException.Invalid;
import carafe.spec.docker.AuthConfig;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import java.util.Optional;

/// Images between this engine and registries: pull, push and copy, told as they go on. A client that leaves ends them.
final class TransferRoutes {

    private static final String AUTH = "X-Registry-Auth";

    private final ImageTransfers transfers;

    TransferRoutes(ImageTransfers transfers) {
        this.transfers = transfers;
    }

    void addTo(Routes routes) {
        routes.add("POST /images/{name*}/push", this::push);
        routes.add("POST /carafe/v1/registry/copy", this::copy);
    }

    /// Work that tells what it does.
    @FunctionalInterface
    private interface Transfer {
        void run(TransferStream stream) throws EngineException, InterruptedException;
    }

    /// The credentials that a request brings.
    static AuthConfig auth(Call call) {
        return AuthConfig.fromHeader(call.exchange().headers().first(AUTH).orElse(""));
    }

    /// `POST /images/create?fromImage=`: without a tag or digest it means every tag.
    void pull(Call call) throws Exception {
        String text = call.text("fromImage");
        var name = Reference.parse(text.endsWith(":") ? text.substring(0, text.length() - 1) : text);
        String tag = call.text("tag");
        if (tag.indexOf(':') > 0) {
            name = name.withDigest(Digest.parse(tag));
        } else if (!tag.isEmpty()) {
            name = name.withTag(tag);
        }
        String platform = call.text("platform");
        var request = new PullRequest(name,
                platform.isEmpty() ? Optional.empty() : Optional.of(Platform.parse(platform)), auth(call),
                call.flag("referrers"));
        run(call, stream -> transfers.pull(request, stream));
    }

    private void push(Call call) throws Exception {
        var name = Reference.parse(call.name("name"));
        String tag = call.text("tag");
        var request = new PushRequest(tag.isEmpty() ? name : name.withTag(tag), auth(call), call.flag("referrers"),
                ImageFileRoutes.platform(call));
        run(call, stream -> transfers.push(request, stream));
    }

    private void copy(Call call) throws Exception {
        var body = call.body();
        var source = place(body.text("source"), body.object("sourceAuth"));
        var target = place(body.text("target"), body.object("targetAuth"));
        if (target.name().digest().isPresent()) {
            throw new Invalid("the target of a copy is a tag, not a digest");
        }
        run(call, stream -> {
            var copied = transfers.copy(source, target, stream);
            stream.tell(new carafe.engine.transfer.TransferMessage.Line("Digest: " + copied.digest()));
        });
    }

    private static ImageTransfers.Place place(String name, carafe.spec.Json.Obj auth) throws Invalid {
        return new ImageTransfers.Place(Reference.parse(name).withDefaultTag(), AuthConfig.fromJson(auth));
    }

    private static void run(Call call, Transfer transfer) throws Exception {
        try (var stream = new TransferStream(call)) {
            call.exchange().onClientGone(Thread.currentThread()::interrupt);
            try {
                transfer.run(stream);
            } catch (EngineException e) {
                stream.fail(e);
            }
            stream.end();
        }
    }
}
