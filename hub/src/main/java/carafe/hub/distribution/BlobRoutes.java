package carafe.hub.distribution;

import carafe.hub.access.Right;
import carafe.hub.store.Links;
import carafe.hub.store.Refusal;
import carafe.hub.store.Refusal.Reason;
import carafe.hub.store.Repositories;
import carafe.hub.store.Repository;
import carafe.hub.store.StoredBlob;
import carafe.hub.upstream.PullThrough;
import carafe.hub.upstream.Transfer;
import carafe.http.Headers;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Optional;

/// Reads and deletes blobs.
final class BlobRoutes {

    private static final int PIECE = 128 << 10;

    private final Repositories repositories;
    private final PullThrough upstreams;

    BlobRoutes(Repositories repositories, PullThrough upstreams) {
        this.repositories = repositories;
        this.upstreams = upstreams;
    }

    void handle(Call call, Target.Blob target) throws IOException, Refusal {
        switch (call.exchange().method()) {
            case "GET", "HEAD" -> read(call, target);
            case "DELETE" -> delete(call, target);
            default -> throw Distribution.wrongMethod(call);
        }
    }

    /// Who may push asks by HEAD whether he must: that keeps the blob for a while. He need not be allowed to pull.
    private void read(Call call, Target.Blob target) throws IOException, Refusal {
        boolean pusher = call.is("HEAD") && call.allows(Right.CREATE, target.repository());
        if (!pusher) {
            call.require(Right.PULL, target.repository());
        }
        var repository = repositories.find(target.repository());
        if (linked(repository, target.digest(), pusher).isPresent()) {
            try (var blob = repositories.content().blobs().open(target.digest()).orElse(null)) {
                if (blob != null) {
                    send(call, target, blob);
                    return;
                }
            }
        }
        if (call.is("HEAD")) {
            var size = upstreams.size(target.repository(), target.digest());
            if (size.isPresent()) {
                call.exchange().respondStreaming(200, fields(target.digest()).build(), size.getAsLong()).close();
                return;
            }
            throw unknown(target);
        }
        var transfer = upstreams.blob(target.repository(), target.digest());
        if (transfer.isPresent()) {
            follow(call, transfer.get());
            return;
        }
        throw unknown(target);
    }

    private static Refusal unknown(Target.Blob target) {
        return new Refusal(Reason.BLOB_UNKNOWN, target.repository() + " has no blob " + target.digest());
    }

    /// A manifest's bytes can be had as a blob too.
    private static Optional<Long> linked(Optional<Repository> repository, Digest digest, boolean pusher) {
        if (repository.isEmpty()) {
            return Optional.empty();
        }
        var link = pusher ? repository.get().want(digest) : repository.get().blob(digest);
        return link.map(Links.Blob::size).or(() -> repository.get().manifest(digest).map(Links.Manifest::size));
    }

    private static Headers.Builder fields(Digest digest) {
        return Call.fields()
                .add("Content-Type", "application/octet-stream")
                .add("Docker-Content-Digest", digest.toString())
                .add("ETag", "\"" + digest + "\"")
                .add("Accept-Ranges", "bytes")
                .add("Cache-Control", "private, max-age=31536000, immutable");
    }

    private static Optional<ByteRange> range(Call call, long size) throws Refusal {
        var field = call.exchange().headers().first("Range");
        return field.isEmpty() || call.is("HEAD") ? Optional.empty() : ByteRange.asked(field.get(), size);
    }

    private void send(Call call, Target.Blob target, StoredBlob blob) throws IOException, Refusal {
        var digest = target.digest();
        var fields = fields(digest);
        if (call.exchange().headers().first("If-None-Match").filter(("\"" + digest + "\"")::equals).isPresent()) {
            call.empty(304, fields.build());
            return;
        }
        var range = range(call, blob.size());
        range.ifPresent(piece -> fields.add("Content-Range", piece.of(blob.size())));
        var piece = range.orElse(new ByteRange(0, blob.size()));
        int status = range.isPresent() ? 206 : 200;
        var content = repositories.content();
        if (call.is("GET") && piece.length() == blob.size() && !content.verified(digest, blob.stamp())) {
            try (var out = call.exchange().respondStreaming(status, fields.build(), piece.length())) {
                sendVerified(target, blob, out);
            }
            return;
        }
        if (blob.file().isPresent()) {
            call.exchange().respondFile(status, fields.build(), blob.file().get(), piece.offset(), piece.length());
            return;
        }
        try (var out = call.exchange().respondStreaming(status, fields.build(), piece.length())) {
            if (!call.is("HEAD")) {
                copy(blob, piece, out);
            }
        }
    }

    /// Hashes what it sends, and holds the last piece back until it knows: what is damaged is never a whole answer.
    private void sendVerified(Target.Blob target, StoredBlob blob, OutputStream out) throws IOException, Refusal {
        var digest = target.digest();
        var from = blob.from(0);
        var hasher = digest.algorithm().hasher();
        var piece = new byte[PIECE];
        var last = new byte[PIECE];
        int held = 0;
        long left = blob.size();
        while (left > 0) {
            out.write(last, 0, held);
            held = from.readNBytes(piece, 0, (int) Math.min(PIECE, left));
            if (held == 0) {
                throw new IOException("the blob is shorter than it was");
            }
            hasher.update(piece, 0, held);
            left -= held;
            var free = last;
            last = piece;
            piece = free;
        }
        if (!Digest.finish(digest.algorithm(), hasher.digest()).equals(digest)) {
            repositories.content().foundWrong(digest, target.repository());
            throw new IOException("the stored bytes of " + digest + " are damaged");
        }
        repositories.content().foundRight(digest, blob.stamp());
        out.write(last, 0, held);
    }

    private static void copy(StoredBlob blob, ByteRange piece, OutputStream out) throws IOException {
        var from = blob.from(piece.offset());
        var buffer = new byte[64 << 10];
        long left = piece.length();
        while (left > 0) {
            int read = from.read(buffer, 0, (int) Math.min(buffer.length, left));
            if (read < 0) {
                throw new IOException("the blob is shorter than it was");
            }
            out.write(buffer, 0, read);
            left -= read;
        }
    }

    private static void follow(Call call, Transfer transfer) throws IOException, Refusal {
        transfer.awaitStart();
        long size = transfer.blob().size();
        var range = range(call, size);
        var fields = fields(transfer.blob().digest());
        range.ifPresent(piece -> fields.add("Content-Range", piece.of(size)));
        var piece = range.orElse(new ByteRange(0, size));
        int status = range.isPresent() ? 206 : 200;
        try (var out = call.exchange().respondStreaming(status, fields.build(), piece.length())) {
            transfer.copy(out, piece.offset(), piece.length());
        }
    }

    private void delete(Call call, Target.Blob target) throws IOException, Refusal {
        call.require(Right.DELETE, target.repository());
        Distribution.existing(repositories, target.repository()).unlink(target.digest());
        call.empty(202, Call.fields().build());
    }
}
