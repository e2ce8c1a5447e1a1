package carafe.hub.web;

import carafe.hub.store.Links;
import carafe.hub.store.Refusal;
import carafe.hub.store.Repository;
import java.io.IOException;
import java.util.Comparator;
import java.util.Map;

/// The page of a repository: its tags, newest first.
final class RepositoryPage {

    private static final int MOST_TAGS = 200;

    private final ImageReader reader;

    RepositoryPage(ImageReader reader) {
        this.reader = reader;
    }

    byte[] print(Repository repository, Pages.Viewer viewer) throws IOException, Refusal {
        var summary = Summary.of(repository, reader);
        var page = Pages.open(repository.name() + " · Carafe hub", "", viewer);
        page.raw("<nav class=\"path\" aria-label=\"Path\"><a href=\"/\">Images</a> <span aria-hidden=\"true\">/</span></nav>")
                .element("h1", repository.name());
        if (!summary.description().isEmpty()) {
            page.raw("<p class=\"lead\">").text(summary.description()).raw("</p>");
        }
        page.raw("<p class=\"facts\"><span>").text(Words.plural(summary.tags(), "tag")).raw("</span><span>")
                .text(Words.size(summary.bytes())).raw("</span></p>");
        var newestFirst = repository.tags().entrySet().stream()
                .sorted(Comparator.comparing((Map.Entry<String, Links.Tag> tag) -> tag.getValue().at()).reversed())
                .limit(MOST_TAGS)
                .toList();
        if (newestFirst.isEmpty()) {
            page.raw("<p class=\"empty\">It has no tags; its manifests can be pulled by digest.</p>");
            return Pages.close(page);
        }
        String tag = repository.tags().containsKey("latest") ? "latest" : newestFirst.getFirst().getKey();
        Pages.command(page, "docker pull " + viewer.host() + "/" + repository.name() + ":" + tag);
        page.raw("<h2>Tags</h2><div class=\"scroll\"><table><thead><tr><th scope=\"col\">Tag</th><th scope=\"col\">Platforms"
                + "</th><th scope=\"col\" class=\"number\">Size</th><th scope=\"col\">Pushed</th><th scope=\"col\">Digest</th>"
                + "</tr></thead><tbody>");
        for (var entry : newestFirst) {
            row(page, repository, entry, viewer);
        }
        page.raw("</tbody></table></div>");
        if (repository.tags().size() > newestFirst.size()) {
            page.raw("<p class=\"facts\">").text("The newest " + MOST_TAGS + " are shown.").raw("</p>");
        }
        return Pages.close(page);
    }

    private void row(Html page, Repository repository, Map.Entry<String, Links.Tag> entry, Pages.Viewer viewer)
            throws IOException, Refusal {
        var tag = entry.getValue();
        var images = reader.images(repository, tag.manifest());
        page.raw("<tr><th scope=\"row\">")
                .link("/r/" + repository.name() + "?tag=" + Words.encode(entry.getKey()), entry.getKey())
                .raw("</th><td>");
        for (var image : images) {
            String shown = image.platform().isEmpty() ? image.artifactType() : image.platform();
            page.raw("<span class=\"chip\">").text(shown).raw("</span> ");
        }
        page.raw("</td><td class=\"number\">");
        images.stream().findFirst().ifPresent(image -> page.text(Words.size(image.bytes())));
        page.raw("</td><td>").text(Words.ago(tag.at(), viewer.now())).raw(tag.cached() ? " (cached)" : "")
                .raw("</td><td><code>").text(tag.manifest().shortHex()).raw("</code></td></tr>");
    }
}
