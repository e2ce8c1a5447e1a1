package carafe.hub.store;

import carafe.spec.oci.Digest;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/// Which tags and untagged manifests go by themselves.
public record Retention(List<Rule> rules) {

    public Retention {
        rules = List.copyOf(rules);
    }

    /// For repositories of `namespace` and tags that `tags` matches whole: those go that are not among the newest
    /// `keepLast` and are older than `keepFor` (either may be absent). Manifests without a tag, that no index and no
    /// living subject needs, go after `untagged`.
    public record Rule(Namespace namespace, Pattern tags, Optional<Integer> keepLast, Optional<Duration> keepFor,
            Optional<Duration> untagged) {

        boolean dropsTags() {
            return keepLast.isPresent() || keepFor.isPresent();
        }
    }

    /// Applies every rule to `repository`; how much went.
    int apply(Repository repository, Instant now) throws IOException, Refusal {
        int gone = 0;
        for (var rule : rules) {
            if (rule.namespace().holds(repository.name())) {
                gone += repository.expire(tagsToDrop(repository, rule, now), Set.of());
                gone += repository.expire(Map.of(), manifestsToDrop(repository, rule, now));
            }
        }
        return gone;
    }

    private static Map<String, Links.Tag> tagsToDrop(Repository repository, Rule rule, Instant now) {
        if (!rule.dropsTags()) {
            return Map.of();
        }
        var newestFirst = repository.tags().entrySet().stream()
                .filter(tag -> rule.tags().matcher(tag.getKey()).matches())
                .map(tag -> Map.entry(tag.getKey(), tag.getValue()))
                .sorted(Comparator.comparing((Map.Entry<String, Links.Tag> tag) -> tag.getValue().at()).reversed())
                .toList();
        var victims = new TreeMap<String, Links.Tag>();
        for (int i = rule.keepLast().orElse(0); i < newestFirst.size(); i++) {
            var tag = newestFirst.get(i);
            if (rule.keepFor().isEmpty() || tag.getValue().at().isBefore(now.minus(rule.keepFor().get()))) {
                victims.put(tag.getKey(), tag.getValue());
            }
        }
        return victims;
    }

    private static Set<Digest> manifestsToDrop(Repository repository, Rule rule, Instant now) {
        var victims = new HashSet<Digest>();
        if (rule.untagged().isEmpty()) {
            return victims;
        }
        Instant limit = now.minus(rule.untagged().get());
        var tagged = new HashSet<Digest>();
        repository.tags().values().forEach(tag -> tagged.add(tag.manifest()));
        repository.manifests().forEach((digest, manifest) -> {
            boolean refers = manifest.subject().filter(repository.manifests()::containsKey).isPresent();
            if (!tagged.contains(digest) && !refers && manifest.at().isBefore(limit)) {
                victims.add(digest);
            }
        });
        return victims;
    }
}
