package carafe.hub.web;

import carafe.hub.store.Refusal;
import carafe.hub.store.Repository;
import carafe.spec.oci.Digest;
import carafe.spec.oci.ImageConfig;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The page of one tag or digest: how to pull it, its platforms, and of one platform the layers, the history and what a
/// container of it runs.
final class ImagePage {

    private final ImageReader reader;

    /// What was asked for: `shown` is the tag or digest, `chosen` the digest of the platform to show, or empty.
    record Asked(String shown, Digest digest, String chosen) {}

    ImagePage(ImageReader reader) {
        this.reader = reader;
    }

    byte[] print(Repository repository, Asked asked, Pages.Viewer viewer) throws IOException, Refusal {
        var images = reader.images(repository, asked.digest());
        String separator = asked.shown().indexOf(':') < 0 ? ":" : "@";
        var page = Pages.open(repository.name() + separator + asked.shown() + " · Carafe hub", "", viewer);
        page.raw("<nav class=\"path\" aria-label=\"Path\"><a href=\"/\">Images</a> <span aria-hidden=\"true\">/</span> ")
                .link("/r/" + repository.name(), repository.name()).raw(" <span aria-hidden=\"true\">/</span></nav>")
                .element("h1", asked.shown());
        Pages.command(page, "docker pull " + viewer.host() + "/" + repository.name() + separator + asked.shown());
        page.raw("<p class=\"digest\"><span>Digest</span> <code>").text(asked.digest().toString()).raw("</code></p>");
        if (images.size() > 1) {
            platforms(page, repository, images, asked);
        }
        var image = images.stream()
                .filter(one -> one.digest().toString().equals(asked.chosen()))
                .findFirst()
                .or(() -> images.stream().findFirst());
        if (image.isEmpty()) {
            page.raw("<p class=\"empty\">Its parts are not here yet; they come when it is pulled.</p>");
            return Pages.close(page);
        }
        layers(page, image.get());
        history(page, image.get());
        image.get().config().ifPresent(config -> runs(page, config));
        pairs(page, "Labels", image.get().labels());
        pairs(page, "Annotations", image.get().annotations());
        referrers(page, repository, asked.digest());
        return Pages.close(page);
    }

    private static void platforms(Html page, Repository repository, List<ImageView> images, Asked asked) {
        page.raw("<nav class=\"platforms\" aria-label=\"Platforms\">");
        String shown = (asked.shown().indexOf(':') < 0 ? "?tag=" : "?digest=") + Words.encode(asked.shown());
        for (int i = 0; i < images.size(); i++) {
            var image = images.get(i);
            boolean current = asked.chosen().isEmpty() ? i == 0 : image.digest().toString().equals(asked.chosen());
            page.raw("<a class=\"chip\"").raw(current ? " aria-current=\"true\"" : "").raw(" href=\"")
                    .text("/r/" + repository.name() + shown + "&platform=" + Words.encode(image.digest().toString()))
                    .raw("\">").text(image.platform().isEmpty() ? image.artifactType() : image.platform()).raw("</a>");
        }
        page.raw("</nav>");
    }

    private static void layers(Html page, ImageView image) {
        page.raw("<section><h2>Layers <small>").text(Words.plural(image.layers().size(), "layer") + ", "
                + Words.size(image.bytes()) + " to download").raw("</small></h2><ol class=\"layers\">");
        long largest = Math.max(1, image.layers().stream().mapToLong(layer -> layer.size()).max().orElse(1));
        for (var layer : image.layers()) {
            long share = 100 * layer.size() / largest;
            page.raw("<li><code title=\"").text(layer.digest().toString()).raw("\">").text(layer.digest().shortHex())
                    .raw("</code><svg class=\"share\" aria-hidden=\"true\" width=\"100%\" height=\"8\"><rect width=\"100%\" "
                            + "height=\"8\" rx=\"4\"/><rect class=\"part\" width=\"")
                    .text(share + "%").raw("\" height=\"8\" rx=\"4\"/></svg><span class=\"number\">")
                    .text(Words.size(layer.size())).raw("</span></li>");
        }
        page.raw("</ol></section>");
    }

    private static void history(Html page, ImageView image) {
        if (image.history().isEmpty()) {
            return;
        }
        page.raw("<section><h2>History</h2><ol class=\"history\">");
        for (var step : image.history()) {
            page.raw(step.emptyLayer() ? "<li class=\"empty-layer\">" : "<li>").raw("<code>")
                    .text(Words.instruction(step.createdBy())).raw("</code></li>");
        }
        page.raw("</ol></section>");
    }

    private static void runs(Html page, ImageConfig config) {
        page.raw("<section><h2>Configuration</h2><dl>");
        var run = config.run();
        row(page, "Platform", config.platform().toString());
        config.created().ifPresent(time -> row(page, "Created", time.toString()));
        row(page, "Entrypoint", String.join(" ", run.entrypoint()));
        row(page, "Command", String.join(" ", run.cmd()));
        row(page, "User", run.user());
        row(page, "Working directory", run.workingDir());
        row(page, "Ports", String.join(", ", run.exposedPorts().stream().sorted().toList()));
        row(page, "Volumes", String.join(", ", run.volumes().stream().sorted().toList()));
        row(page, "Environment", String.join("\n", run.env()));
        page.raw("</dl></section>");
    }

    private static void row(Html page, String name, String value) {
        if (!value.isEmpty()) {
            page.element("dt", name).raw("<dd><code>").text(value).raw("</code></dd>");
        }
    }

    private static void pairs(Html page, String title, Map<String, String> pairs) {
        if (pairs.isEmpty()) {
            return;
        }
        page.raw("<section>").element("h2", title).raw("<dl>");
        new TreeMap<>(pairs).forEach((name, value) -> row(page, name, value));
        page.raw("</dl></section>");
    }

    private static void referrers(Html page, Repository repository, Digest digest) throws IOException, Refusal {
        var found = repository.referrers(digest);
        if (found.isEmpty()) {
            return;
        }
        page.raw("<section><h2>Attached</h2><ul>");
        for (var referrer : found) {
            var document = repository.document(referrer);
            page.raw("<li>").link("/r/" + repository.name() + "?digest=" + Words.encode(referrer.toString()),
                    document.flatMap(one -> one.artifactType()).orElse(referrer.shortHex())).raw("</li>");
        }
        page.raw("</ul></section>");
    }
}
