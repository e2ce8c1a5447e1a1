package carafe.hub.distribution;

import carafe.hub.access.Right;
import carafe.hub.notice.Event;
import carafe.hub.store.Document;
import carafe.hub.store.Links;
import carafe.hub.store.Overwrite;
import carafe.hub.store.Refusal;
import carafe.hub.store.Refusal.Reason;
import carafe.hub.store.Repositories;
import carafe.hub.store.Repository;
import carafe.hub.upstream.PullThrough;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Manifest;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// Reads, stores and deletes manifests and indexes.
final class ManifestRoutes {

    private static final int MOST_TAGS = 100;

    private final Repositories repositories;
    private final PullThrough upstreams;
    private final Consumer<Event> events;

    ManifestRoutes(Repositories repositories, PullThrough upstreams, Consumer<Event> events) {
        this.repositories = repositories;
        this.upstreams = upstreams;
        this.events = events;
    }

    void tagged(Call call, Target.Tagged target) throws IOException, Refusal {
        switch (call.exchange().method()) {
            case "GET", "HEAD" -> {
                call.require(Right.PULL, target.repository());
                upstreams.freshen(target.repository(), target.tag());
                var repository = repositories.find(target.repository());
                var tag = repository.map(here -> here.tags().get(target.tag()));
                if (repository.isEmpty() || tag.isEmpty()) {
                    throw new Refusal(Reason.MANIFEST_UNKNOWN, target.repository() + " has no tag " + target.tag());
                }
                send(call, repository.get(), tag.get().manifest(), Optional.of(target.tag()));
            }
            case "PUT" -> {
                Document document = read(call, target.repository(), Digest.Algorithm.SHA256);
                store(call, target.repository(), document, List.of(target.tag()));
            }
            case "DELETE" -> {
                call.require(Right.DELETE, target.repository());
                var digest = Distribution.existing(repositories, target.repository()).untag(target.tag());
                report(call, Event.Action.DELETE, target.repository(),
                        new Event.Target(Optional.of(digest), Optional.of(target.tag()), "", 0));
                call.empty(202, Call.fields().build());
            }
            default -> throw Distribution.wrongMethod(call);
        }
    }

    void pinned(Call call, Target.Pinned target) throws IOException, Refusal {
        switch (call.exchange().method()) {
            case "GET", "HEAD" -> {
                call.require(Right.PULL, target.repository());
                upstreams.freshen(target.repository(), target.digest());
                var repository = repositories.find(target.repository());
                if (repository.isEmpty()) {
                    throw unknown(target.repository(), target.digest());
                }
                send(call, repository.get(), target.digest(), Optional.empty());
            }
            case "PUT" -> {
                var tags = call.query().all("tag");
                if (tags.size() > MOST_TAGS) {
                    throw new Refusal(Reason.MANIFEST_INVALID, "more than " + MOST_TAGS + " tags in one request");
                }
                for (String tag : tags) {
                    Target.requireTag(tag);
                }
                Document document = read(call, target.repository(), target.digest().algorithm());
                if (!document.digest().equals(target.digest())) {
                    throw new Refusal(Reason.DIGEST_INVALID, "the manifest has the digest " + document.digest() + ", not "
                            + target.digest());
                }
                store(call, target.repository(), document, tags);
            }
            case "DELETE" -> {
                call.require(Right.DELETE, target.repository());
                Distribution.existing(repositories, target.repository()).remove(target.digest());
                report(call, Event.Action.DELETE, target.repository(),
                        new Event.Target(Optional.of(target.digest()), Optional.empty(), "", 0));
                call.empty(202, Call.fields().build());
            }
            default -> throw Distribution.wrongMethod(call);
        }
    }

    private static Refusal unknown(String repository, Digest digest) {
        return new Refusal(Reason.MANIFEST_UNKNOWN, repository + " has no manifest " + digest);
    }

    private void send(Call call, Repository repository, Digest digest, Optional<String> tag) throws IOException, Refusal {
        var link = repository.manifest(digest).orElseThrow(() -> unknown(repository.name(), digest));
        var fields = Call.fields()
                .add("Content-Type", link.mediaType())
                .add("Docker-Content-Digest", digest.toString())
                .add("ETag", "\"" + digest + "\"");
        if (call.exchange().headers().first("If-None-Match").filter(("\"" + digest + "\"")::equals).isPresent()) {
            call.empty(304, fields.build());
            return;
        }
        byte[] bytes = repositories.content().document(digest).orElseThrow(() -> unknown(repository.name(), digest));
        call.bytes(200, fields.build(), bytes);
        if (call.is("GET")) {
            report(call, Event.Action.PULL, repository.name(), target(digest, link, tag));
        }
    }

    private static Event.Target target(Digest digest, Links.Manifest link, Optional<String> tag) {
        return new Event.Target(Optional.of(digest), tag, link.mediaType(), link.size());
    }

    private static Document read(Call call, String repository, Digest.Algorithm algorithm) throws IOException, Refusal {
        call.require(Right.CREATE, repository);
        byte[] bytes = call.exchange().readBody(Manifest.MAX_BYTES);
        String type = call.exchange().headers().first("Content-Type").orElse("");
        int parameters = type.indexOf(';');
        return Document.parse(bytes, (parameters < 0 ? type : type.substring(0, parameters)).strip(), algorithm);
    }

    private void store(Call call, String repository, Document document, List<String> tags) throws IOException, Refusal {
        var may = new Overwrite(
                call.allows(Right.CREATE, repository), call.allows(Right.PUSH, repository), false);
        repositories.open(repository).put(document, tags, may);
        var fields = Call.fields()
                .add("Location", "/v2/" + repository + "/manifests/" + document.digest())
                .add("Docker-Content-Digest", document.digest().toString());
        document.subject().ifPresent(subject -> fields.add("OCI-Subject", subject.toString()));
        if (!tags.isEmpty() && !call.query().all("tag").isEmpty()) {
            fields.add("OCI-Tag", String.join(", ", tags));
        }
        call.empty(201, fields.build());
        report(call, Event.Action.PUSH, repository, new Event.Target(Optional.of(document.digest()),
                tags.stream().findFirst(), document.mediaType(), document.bytes().length));
    }

    private void report(Call call, Event.Action action, String repository, Event.Target target) {
        events.accept(Event.now(action, repository, target, call.who().name()));
    }
}
