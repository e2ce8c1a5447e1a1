package carafe.hub.web;

import carafe.hub.store.Links;
import carafe.hub.store.Refusal;
import carafe.hub.store.Repository;
import carafe.spec.Json;
import java.io.IOException;
import java.time.Instant;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;

/// What a list of repositories says about one of them. `description` is what its newest image says of itself.
record Summary(String name, String description, int tags, long bytes, Optional<Instant> pushed) {

    private static final String DESCRIPTION = "org.opencontainers.image.description";
    private static final int LONGEST = 300;

    static Summary of(Repository repository, ImageReader reader) throws IOException, Refusal {
        var newest = repository.tags().entrySet().stream().max(Comparator.comparing(tag -> tag.getValue().at()));
        String description = "";
        if (newest.isPresent()) {
            var image = reader.first(repository, newest.get().getValue().manifest());
            description = image.map(found -> found.annotations().getOrDefault(DESCRIPTION,
                    found.labels().getOrDefault(DESCRIPTION, ""))).orElse("");
        }
        return new Summary(repository.name(),
                description.length() > LONGEST ? description.substring(0, LONGEST) + "…" : description,
                repository.tags().size(), repository.bytes(),
                newest.map(Map.Entry::getValue).map(Links.Tag::at));
    }

    Json.Obj toJson() {
        var builder = Json.object()
                .put("name", name)
                .put("description", description)
                .put("tags", tags)
                .put("bytes", bytes);
        pushed.ifPresent(time -> builder.put("pushed", time.toString()));
        return builder.build();
    }
}
