package carafe.registry;

import carafe.http.ClientResponse;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// An image repository of a registry, seen with one caller's credentials. What is read comes from the first place that
/// has it, mirrors before the registry itself; what is written goes to the registry. For several threads.
/// Source: OCI distribution-spec 1.1.
public final class Repository {

    private static final int MOST_TAGS = 100_000;
    private static final int PAGE = 1000;
    private static final int PAGE_BYTES = 4 << 20;
    private static final int LONGEST_TAG = 128;

    private final Reference name;
    private final Places places;
    private final Conversation own;
    private final Waiting waiting;

    /// The mirror that said last what a tag means.
    private final AtomicReference<@Nullable Conversation> named = new AtomicReference<>();

    Repository(Reference name, Places places, Waiting waiting) {
        this.name = name;
        this.places = places;
        this.own = places.own();
        this.waiting = waiting;
    }

    /// The repository's name: `localhost:5000/team/app`.
    public String name() {
        return name.repository();
    }

    private String what(String verb) {
        return verb + " " + name.familiarRepository();
    }

    private static List<String> pulling(Conversation place, String path) {
        return List.of(Ask.scopeOf(place.endpoint().repository(path), "pull"));
    }

    private List<String> pushing() {
        return List.of(Ask.scopeOf(name.path(), "pull,push"));
    }

    private Ask reading(Conversation place, String method, String rest) {
        String target = "/v2/" + place.endpoint().repository(name.path()) + rest;
        String namespace = place.endpoint().namespace();
        if (!namespace.isEmpty()) {
            target += (target.indexOf('?') < 0 ? "?" : "&") + namespace;
        }
        return Ask.of(method, target, pulling(place, name.path()));
    }

    /// Fetches the manifest or index called `tagOrDigest`. What a tag means is believed of a mirror only if it says the
    /// digest as well.
    /// @throws EngineException.NotFound the registry has none of that name
    public Document fetch(String tagOrDigest) throws EngineException, InterruptedException {
        Optional<Digest> wanted = tagOrDigest.indexOf(':') > 0 ? Optional.of(Digest.parse(tagOrDigest)) : Optional.empty();
        String what = "manifest for " + called(tagOrDigest);
        var read = places.first(place -> {
            var backoff = new Backoff(place.waiting());
            while (true) {
                var response = place.send(what,
                        reading(place, "GET", "/manifests/" + tagOrDigest).header("Accept", Document.ACCEPTED));
                if (response.status() != 200) {
                    throw refusal(tagOrDigest, response);
                }
                try {
                    String host = place.origin().hostPort();
                    return place == own ? Document.read(host, what, response, wanted)
                            : Document.readOfMirror(host, what, response, wanted);
                } catch (IOException e) {
                    Interruption.check(e);
                    if (!backoff.again(Optional.empty())) {
                        throw new EngineException.Unavailable(what + ": " + e.getMessage(), e);
                    }
                }
            }
        });
        if (wanted.isEmpty() && read.place() != own) {
            named.set(read.place());
        }
        return read.value();
    }

    /// Passes by the mirror that said last what a tag means, because what it meant cannot be had or used; false
    /// when it was the registry that said it, or the failure has another cause.
    public boolean doubt(EngineException failure) {
        boolean meant = false;
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            meant |= cause instanceof EngineException.NotFound || cause instanceof EngineException.Invalid
                    || cause instanceof EngineException.Unsupported;
        }
        var mirror = meant ? named.getAndSet(null) : null;
        if (mirror == null) {
            return false;
        }
        places.pass(mirror, String.valueOf(failure.getMessage()));
        return true;
    }

    /// What Docker says of a manifest that cannot be had; clients know the words.
    private EngineException refusal(String tagOrDigest, ClientResponse response) {
        int status = response.status();
        if (status == 401 || status == 403) {
            return new EngineException.Forbidden("pull access denied for " + name.familiarRepository()
                    + ", repository does not exist or may require 'docker login': " + Refusal.reason(response));
        }
        if (status != 404) {
            return Refusal.of("manifest for " + called(tagOrDigest), response);
        }
        String reason = Refusal.reason(response);
        return new EngineException.NotFound(reason.startsWith("name unknown")
                ? "repository " + name.familiarRepository() + " not found: " + reason
                : "manifest for " + called(tagOrDigest) + " not found: " + reason);
    }

    private String called(String tagOrDigest) {
        return name.familiarRepository() + (tagOrDigest.indexOf(':') > 0 ? "@" : ":") + tagOrDigest;
    }

    /// Asks what `tagOrDigest` is, without fetching it; empty when the registry has none, or does not say enough.
    public Optional<Descriptor> head(String tagOrDigest) throws EngineException, InterruptedException {
        String what = what("manifest for") + " " + tagOrDigest;
        var response = own.send(what, Ask.of("HEAD", "/v2/" + name.path() + "/manifests/" + tagOrDigest,
                pulling(own, name.path())).header("Accept", Document.ACCEPTED));
        var headers = response.headers();
        String digest = headers.first("Docker-Content-Digest").orElse("");
        String length = headers.first("Content-Length").orElse("");
        int status = response.status();
        if (status == 401 || status == 403) {
            throw Refusal.of(what, response);
        }
        Conversation.drain(response);
        if (status != 200 || digest.isEmpty() || !length.matches("[1-9][0-9]{0,8}")) {
            return Optional.empty();
        }
        return Optional.of(Descriptor.of(Document.bare(headers.first("Content-Type").orElse("")), Digest.parse(digest),
                Long.parseLong(length)));
    }

    /// Opens a blob; the stream replaces connections that break and hands out its last bytes only when all are right.
    /// A failure is an IOException with a sentence. Interrupting its reader ends it.
    public InputStream open(Descriptor blob) {
        return reading(blob).verified();
    }

    /// Where the bytes of a blob come from, as from [#open]; each stream is to be closed.
    public interface BlobSource {
        /// From an offset on, not verified.
        InputStream open(long from);

        /// All of it, verified on the way.
        InputStream verified();
    }

    /// Takes a whole blob in and verifies it.
    @FunctionalInterface
    public interface BlobTaker {
        /// @throws EngineException.Invalid the bytes are not the blob, or of no use
        void from(BlobSource source) throws EngineException, InterruptedException;
    }

    /// Gives a blob to `taker`, who is asked again when a mirror sent the bytes that he refuses: then those of the next
    /// place are there. What he took before is to be thrown away.
    public void take(Descriptor blob, BlobTaker taker) throws EngineException, InterruptedException {
        for (boolean last = false; ; ) {
            var reading = reading(blob);
            try {
                taker.from(reading);
                return;
            } catch (EngineException e) {
                boolean mirrored = reading.blame(e);
                if (!mirrored && (last || !reading.resumed(e))) {
                    throw e;
                }
                last |= !mirrored; // what was there before is thrown away once
            }
        }
    }

    private BlobReading reading(Descriptor blob) {
        String what = what("blob of");
        return new BlobReading(what, blob, places, waiting, (place, offset) -> {
            var ask = reading(place, "GET", "/blobs/" + blob.digest());
            var response = place.send(what, offset == 0 ? ask : ask.header("Range", "bytes=" + offset + "-"));
            if (response.status() != 200 && response.status() != 206) {
                throw Refusal.of(what, response);
            }
            return response;
        });
    }

    /// The whole of a small blob, verified.
    /// @throws EngineException.Unavailable it is not what the descriptor says
    /// @throws EngineException.Invalid it is larger than `limitBytes`
    public byte[] read(Descriptor blob, int limitBytes) throws EngineException, InterruptedException {
        if (blob.size() > limitBytes) {
            throw new EngineException.Invalid(what("blob of") + ": " + blob.digest() + " is larger than " + limitBytes
                    + " bytes");
        }
        while (true) {
            var reading = reading(blob);
            try (var in = reading.verified()) {
                return in.readAllBytes();
            } catch (IOException e) {
                Interruption.check(e);
                var failure = failure(e);
                if (!reading.blame(failure)) {
                    throw failure;
                }
            }
        }
    }

    private static EngineException failure(IOException e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof EngineException known) {
                return known;
            }
        }
        return new EngineException.Unavailable(String.valueOf(e.getMessage()), e);
    }

    /// Whether the registry itself has the blob.
    public boolean has(Digest blob) throws EngineException, InterruptedException {
        String what = what("push to");
        var response = own.send(what, Ask.of("HEAD", "/v2/" + name.path() + "/blobs/" + blob, pushing()));
        int status = response.status();
        if (status == 401 || status == 403) {
            throw Refusal.of(what, response);
        }
        Conversation.drain(response);
        return status == 200;
    }

    /// Has the blob mounted from another repository of the same registry, given by its path; false when that does not
    /// work and it must be sent.
    public boolean mount(Digest blob, String fromPath) throws EngineException, InterruptedException {
        String what = what("push to");
        var ask = Ask.of("POST", "/v2/" + name.path() + "/blobs/uploads/?mount="
                + blob.toString().replace(":", "%3A") + "&from=" + fromPath.replace("/", "%2F"), pushing())
                .scope(Ask.scopeOf(fromPath, "pull"));
        ClientResponse response;
        try {
            response = own.send(what, ask);
        } catch (EngineException.Forbidden e) {
            return false; // no right to read there: then it is sent
        }
        String session = response.headers().first("Location").orElse("");
        int status = response.status();
        Conversation.drain(response);
        if (status == 202 && !session.isEmpty()) {
            Conversation.drain(own.send(what, Ask.of("DELETE", session, pushing())));
        }
        return status == 201;
    }

    /// Sends a blob whose bytes are made on the way.
    public Descriptor upload(BlobWriter writer, BlobWriter.Progress progress) throws EngineException, InterruptedException {
        return new BlobUpload(what("push to"), own, name.path(), writer, progress, waiting).send();
    }

    /// Sends a small blob in one piece, unless it is there.
    public Descriptor upload(String mediaType, byte[] bytes) throws EngineException, InterruptedException {
        var blob = Descriptor.of(mediaType, bytes);
        if (has(blob.digest())) {
            return blob;
        }
        String what = what("push to");
        var begun = own.send(what, Ask.of("POST", "/v2/" + name.path() + "/blobs/uploads/", pushing()));
        if (begun.status() != 202) {
            throw Refusal.of(what, begun);
        }
        String location = begun.headers().first("Location").orElse("");
        Conversation.drain(begun);
        var put = own.send(what, Ask.of("PUT", BlobUpload.withDigest(location, blob.digest()), pushing())
                .with(request -> request.body("application/octet-stream", bytes)));
        if (put.status() != 201 && put.status() != 204) {
            throw Refusal.of(what, put);
        }
        Conversation.drain(put);
        return blob;
    }

    /// Gives a manifest or index to the registry under a tag, or under its digest when `tag` is empty. What refers to a
    /// subject is listed under that one's tag where the registry keeps no list itself.
    public void put(Document document, Optional<String> tag) throws EngineException, InterruptedException {
        String called = tag.orElse(document.descriptor().digest().toString());
        String what = what("push to") + ":" + called;
        var response = own.send(what, Ask.of("PUT", "/v2/" + name.path() + "/manifests/" + called, pushing())
                .with(request -> request.body(document.descriptor().mediaType(), document.bytes())));
        if (response.status() != 201 && response.status() != 200) {
            throw Refusal.of(what, response);
        }
        String digest = response.headers().first("Docker-Content-Digest").orElse("");
        boolean listed = response.headers().first("OCI-Subject").isPresent();
        Conversation.drain(response);
        if (!digest.isEmpty() && !digest.equals(document.descriptor().digest().toString())) {
            throw new EngineException.Unavailable(what + ": the registry stored " + digest + " instead of "
                    + document.descriptor().digest());
        }
        if (!listed) {
            new Referrers(own, name).list(document);
        }
    }

    /// Removes a tag, or by digest a manifest with all its tags.
    public void delete(String tagOrDigest) throws EngineException, InterruptedException {
        String what = what("delete from") + " " + tagOrDigest;
        var response = own.send(what, Ask.of("DELETE", "/v2/" + name.path() + "/manifests/" + tagOrDigest,
                List.of(Ask.scopeOf(name.path(), "pull,delete"))));
        if (response.status() != 202 && response.status() != 200 && response.status() != 204) {
            throw Refusal.of(what, response);
        }
        Conversation.drain(response);
    }

    /// All tags, in the registry's order.
    public List<String> tags() throws EngineException, InterruptedException {
        String what = what("tags of");
        var pages = new Pages(what, own, pulling(own, name.path()), PAGE_BYTES);
        var tags = new ArrayList<String>();
        pages.read("/v2/" + name.path() + "/tags/list?n=" + PAGE, page -> {
            for (String tag : page.texts("tags")) {
                if (tag.length() <= LONGEST_TAG && tags.size() < MOST_TAGS) {
                    tags.add(tag);
                }
            }
            return tags.size() < MOST_TAGS;
        });
        return tags;
    }

    /// What refers to the manifest `subject`: signatures, attestations. A registry without that list is asked for the
    /// tag that clients keep in its place. A list ends early where `budget` does.
    public List<Descriptor> referrers(Digest subject, ReferrerBudget budget) throws EngineException, InterruptedException {
        return new Referrers(own, name).of(subject, budget);
    }

    /// A page of a listing; whether the next is wanted.
    @FunctionalInterface
    interface PageReader {
        boolean read(Json.Obj page) throws EngineException.Invalid;
    }
}
