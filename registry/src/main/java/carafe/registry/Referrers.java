package carafe.registry;

import carafe.http.ClientResponse;
import carafe.http.Headers;
import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Index;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;

/// What refers to the manifests of a repository, signatures for example: by the registry's own list, or, where it keeps
/// none, by an index that clients keep under a tag made of the subject's digest.
/// Source: OCI distribution-spec 1.1, "Listing Referrers", "Referrers Tag Schema".
final class Referrers {

    private static final int LONGEST_HEX = 64;

    private final Conversation own;
    private final Reference name;

    Referrers(Conversation own, Reference name) {
        this.own = own;
        this.name = name;
    }

    private String what() {
        return "referrers in " + name.familiarRepository();
    }

    /// What refers to `subject`, each once, as far as `budget` goes.
    List<Descriptor> of(Digest subject, ReferrerBudget budget) throws EngineException, InterruptedException {
        if (budget.spent()) {
            return List.of();
        }
        String target = "/v2/" + name.path() + "/referrers/" + subject;
        var located = get(target);
        if (located.response().status() == 404) {
            Conversation.drain(located.response());
            var page = tagged(subject);
            return page.isEmpty() ? List.of() : budget.only(page.get().index, page.get().bytes);
        }
        var found = new LinkedHashMap<Digest, Descriptor>();
        var seen = new HashSet<>(List.of(target));
        while (true) {
            if (located.response().status() != 200) {
                throw Refusal.of(what(), located.response());
            }
            var page = index(located.response());
            var next = Pages.next(located);
            boolean on = budget.take(page.index, page.bytes, found);
            if (!on || next.isEmpty() || !seen.add(next.get()) || !budget.further()) {
                return List.copyOf(found.values());
            }
            located = get(next.get());
        }
    }

    /// A page of a list, which had so many bytes.
    private record Page(Index index, int bytes) {}

    private Optional<Page> tagged(Digest subject) throws EngineException, InterruptedException {
        var response = get("/v2/" + name.path() + "/manifests/" + tag(subject)).response();
        if (response.status() == 200) {
            return Optional.of(index(response));
        }
        if (response.status() != 404) {
            throw Refusal.of(what(), response);
        }
        Conversation.drain(response);
        return Optional.empty();
    }

    private Conversation.Located get(String target) throws EngineException, InterruptedException {
        return own.locate(what(), new Ask("GET", target, Headers.of("Accept", MediaTypes.OCI_INDEX),
                Optional.empty(), List.of(Ask.scopeOf(name.path(), "pull"))));
    }

    private Page index(ClientResponse response) throws EngineException, InterruptedException {
        try (response) {
            byte[] body = response.readBody(Manifest.MAX_BYTES);
            return new Page(Index.parse(body), body.length);
        } catch (IOException e) {
            Interruption.check(e);
            throw new EngineException.Unavailable(what() + ": " + e.getMessage(), e);
        } catch (EngineException.Invalid e) {
            throw new EngineException.Unavailable(what() + ": " + e.getMessage(), e);
        }
    }

    /// Lists what was just pushed, which the registry did not, under its subject's tag. Two clients that do this at the
    /// same moment may lose one entry, as the specification knows; registries with a list of their own lose none.
    void list(Document document) throws EngineException, InterruptedException {
        var annotations = document.isIndex() ? document.index().annotations() : document.manifest().annotations();
        var subject = document.isIndex() ? document.index().subject() : document.manifest().subject();
        if (subject.isEmpty()) {
            return;
        }
        var type = document.isIndex() ? document.index().artifactType()
                : document.manifest().artifactType().or(() -> configType(document));
        var bare = document.descriptor();
        var entries = new ArrayList<>(tagged(subject.get().digest()).map(page -> page.index.manifests()).orElse(List.of()));
        if (entries.stream().anyMatch(entry -> entry.digest().equals(bare.digest()))) {
            return;
        }
        entries.add(new Descriptor(bare.mediaType(), bare.digest(), bare.size(), Optional.empty(), annotations, type));
        String tag = tag(subject.get().digest());
        var response = own.send(what(), Ask.of("PUT", "/v2/" + name.path() + "/manifests/" + tag,
                List.of(Ask.scopeOf(name.path(), "pull,push")))
                .with(request -> request.body(MediaTypes.OCI_INDEX, Index.of(entries).toJson().printBytes())));
        if (response.status() != 201 && response.status() != 200) {
            throw Refusal.of(what(), response);
        }
        Conversation.drain(response);
    }

    private static Optional<String> configType(Document document) {
        try {
            return Optional.of(document.manifest().config().mediaType());
        } catch (EngineException.Invalid e) {
            return Optional.empty();
        }
    }

    private static String tag(Digest subject) {
        String hex = subject.hex();
        return subject.algorithm().label() + "-" + hex.substring(0, Math.min(LONGEST_HEX, hex.length()));
    }
}
