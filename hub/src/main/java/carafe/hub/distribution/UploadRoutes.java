package carafe.hub.distribution;

import carafe.hub.access.Right;
import carafe.hub.store.Refusal;
import carafe.hub.store.Refusal.Reason;
import carafe.hub.store.Repositories;
import carafe.hub.store.Upload;
import carafe.http.Headers;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.util.Locale;
import java.util.Optional;

/// Takes blobs in: whole in one request, whole behind a first one, in chunks, or from a repository that has it.
final class UploadRoutes {

    private static final int MOST_UPLOADS = 10_000;

    private final Repositories repositories;

    UploadRoutes(Repositories repositories) {
        this.repositories = repositories;
    }

    void begin(Call call, Target.Uploads target) throws IOException, Refusal {
        if (!call.is("POST")) {
            throw Distribution.wrongMethod(call);
        }
        String repository = target.repository();
        call.require(Right.CREATE, repository);
        var query = call.query();
        var mount = query.first("mount");
        if (mount.isPresent() && mounted(call, repository, Target.digest(mount.get()))) {
            return;
        }
        var blobs = repositories.content().blobs();
        if (blobs.uploads() >= MOST_UPLOADS) {
            throw new Refusal(Reason.TOO_MANY_REQUESTS, "too many uploads are open");
        }
        var digest = query.first("digest");
        if (digest.isPresent()) {
            whole(call, repository, Target.digest(digest.get()));
            return;
        }
        var upload = blobs.begin(repository, algorithm(query.first("digest-algorithm").orElse("sha256")));
        call.empty(202, progress(repository, upload));
    }

    private static Digest.Algorithm algorithm(String label) throws Refusal {
        for (var algorithm : Digest.Algorithm.values()) {
            if (algorithm.label().equals(label.toLowerCase(Locale.ROOT))) {
                return algorithm;
            }
        }
        throw new Refusal(Reason.DIGEST_INVALID, "only sha256 and sha512 are supported");
    }

    /// Mounts if it can; a blob the caller may not pull is for him as if it were not there.
    private boolean mounted(Call call, String repository, Digest digest) throws IOException, Refusal {
        var from = call.query().first("from");
        if (from.isEmpty()) {
            return false;
        }
        Target.requireName(from.get());
        var source = repositories.find(from.get());
        boolean there = call.allows(Right.PULL, from.get())
                && source.isPresent()
                && source.get().want(digest).isPresent();
        if (!there || !repositories.open(repository).mount(digest)) {
            return false;
        }
        call.empty(201, created(repository, digest));
        return true;
    }

    private void whole(Call call, String repository, Digest digest) throws IOException, Refusal {
        long limit = room(call, repository, Optional.of(digest));
        var upload = repositories.content().blobs().begin(repository, digest.algorithm());
        try {
            upload.append(call.exchange().body(), 0, limit);
            repositories.open(repository).commit(upload, digest);
        } finally {
            upload.cancel();
        }
        call.empty(201, created(repository, digest));
    }

    void handle(Call call, Target.Upload target) throws IOException, Refusal {
        call.require(Right.CREATE, target.repository());
        Upload upload = repositories.content().blobs().resume(target.repository(), target.id())
                .orElseThrow(() -> new Refusal(Reason.BLOB_UPLOAD_UNKNOWN, "there is no such upload in "
                        + target.repository() + "; it may be over, or too old"));
        switch (call.exchange().method()) {
            case "GET", "HEAD" -> call.empty(204, progress(target.repository(), upload));
            case "PATCH" -> {
                receive(call, target.repository(), upload, Optional.empty());
                call.empty(202, progress(target.repository(), upload));
            }
            case "PUT" -> finish(call, target.repository(), upload);
            case "DELETE" -> {
                upload.cancel();
                call.empty(204, Call.fields().build());
            }
            default -> throw Distribution.wrongMethod(call);
        }
    }

    private void finish(Call call, String repository, Upload upload) throws IOException, Refusal {
        var text = call.query().first("digest");
        if (text.isEmpty()) {
            throw new Refusal(Reason.DIGEST_INVALID, "the request that ends an upload needs ?digest=");
        }
        Digest digest = Target.digest(text.get());
        receive(call, repository, upload, Optional.of(digest));
        repositories.open(repository).commit(upload, digest);
        call.empty(201, created(repository, digest));
    }

    private void receive(Call call, String repository, Upload upload, Optional<Digest> digest)
            throws IOException, Refusal {
        long limit = room(call, repository, digest);
        var field = call.exchange().headers().first("Content-Range");
        long offset = -1;
        if (field.isPresent()) {
            var range = ByteRange.sent(field.get());
            var length = contentLength(call);
            if (length.isPresent() && length.get() != range.length()) {
                throw new Refusal(Reason.SIZE_INVALID, "Content-Range says " + range.length()
                        + " bytes, Content-Length says " + length.get());
            }
            offset = range.offset();
        }
        upload.append(call.exchange().body(), offset, limit);
    }

    /// How large the blob may become. What is known to be too much is refused before a byte of it is read.
    private long room(Call call, String repository, Optional<Digest> digest) throws Refusal {
        long room = repositories.room(repository, digest);
        if (contentLength(call).orElse(0L) > room) {
            throw new Refusal(Reason.DENIED, "the namespace of " + repository + " has only " + room + " bytes left");
        }
        return room;
    }

    private static Optional<Long> contentLength(Call call) {
        return call.exchange().headers().first("Content-Length").map(Long::parseLong); // http has checked it
    }

    private static Headers progress(String repository, Upload upload) {
        return Call.fields()
                .add("Location", "/v2/" + repository + "/blobs/uploads/" + upload.id())
                .add("Docker-Upload-UUID", upload.id())
                .add("Range", "0-" + Math.max(0, upload.size() - 1))
                .build();
    }

    private static Headers created(String repository, Digest digest) {
        return Call.fields()
                .add("Location", "/v2/" + repository + "/blobs/" + digest)
                .add("Docker-Content-Digest", digest.toString())
                .build();
    }
}
