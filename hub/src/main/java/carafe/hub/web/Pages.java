package carafe.hub.web;

import carafe.hub.access.Identity;
import java.util.List;
import java.util.Optional;

/// The frame of every page, and the page of all repositories.
final class Pages {

    private Pages() {}

    /// What a page knows of who looks at it: `host` is what stands in pull commands.
    record Viewer(Identity who, String host, boolean login, java.time.Instant now) {}

    static Html open(String title, String query, Viewer viewer) {
        var page = new Html();
        page.raw("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
                + "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
                + "<meta name=\"color-scheme\" content=\"light dark\"><title>").text(title).raw("</title>"
                + "<link rel=\"stylesheet\" href=\"/assets/hub.css\"><link rel=\"icon\" href=\"/assets/icon.svg\">"
                + "<script src=\"/assets/hub.js\" defer></script></head><body>"
                + "<a class=\"skip\" href=\"#main\">Skip to content</a><header><div class=\"bar\">"
                + "<a class=\"brand\" href=\"/\"><img src=\"/assets/icon.svg\" alt=\"\" width=\"28\" height=\"28\">"
                + "<span>Carafe hub</span></a><form class=\"search\" role=\"search\" action=\"/\">"
                + "<label class=\"quiet\" for=\"q\">Search images</label>"
                + "<input id=\"q\" name=\"q\" type=\"search\" placeholder=\"Search images\" autocomplete=\"off\" value=\"")
                .text(query).raw("\"><button>Search</button></form><span class=\"who\">");
        switch (viewer.who().kind()) {
            case USER -> page.raw("Signed in as <strong>").text(viewer.who().name()).raw("</strong>");
            case LOCAL -> page.raw("Local access");
            case ANONYMOUS -> page.raw(viewer.login() ? "<a href=\"/sign-in\">Sign in</a>" : "Read only");
        }
        return page.raw("</span></div></header><main id=\"main\">");
    }

    static byte[] close(Html page) {
        return page.raw("</main><footer>Carafe hub · <a href=\"/api/v1/repositories\">JSON</a></footer>"
                + "<div id=\"said\" class=\"quiet\" role=\"status\" aria-live=\"polite\"></div></body></html>").bytes();
    }

    /// A command with a button that copies it.
    static void command(Html page, String command) {
        page.raw("<div class=\"command\"><code>").text(command).raw("</code><button class=\"copy\" type=\"button\" hidden"
                + " data-copy=\"").text(command).raw("\" aria-label=\"").text("Copy: " + command)
                .raw("\">Copy</button></div>");
    }

    /// The page of repositories; `next` leads on.
    static byte[] home(List<Summary> found, String query, Optional<String> next, Viewer viewer) {
        var page = open(query.isEmpty() ? "Images · Carafe hub" : query + " · Carafe hub", query, viewer);
        page.element("h1", query.isEmpty() ? "Images" : "Images matching “" + query + "”");
        if (found.isEmpty()) {
            nothing(page, query, viewer);
        } else {
            page.raw("<ul class=\"cards\">");
            for (var summary : found) {
                page.raw("<li class=\"card\"><h2>").link("/r/" + summary.name(), summary.name()).raw("</h2>");
                if (!summary.description().isEmpty()) {
                    page.raw("<p>").text(summary.description()).raw("</p>");
                }
                page.raw("<p class=\"facts\"><span>").text(Words.plural(summary.tags(), "tag")).raw("</span><span>")
                        .text(Words.size(summary.bytes())).raw("</span>");
                summary.pushed().ifPresent(time ->
                        page.raw("<span>pushed ").text(Words.ago(time, viewer.now())).raw("</span>"));
                page.raw("</p></li>");
            }
            page.raw("</ul>");
        }
        next.ifPresent(link -> page.raw("<nav class=\"pages\" aria-label=\"Pages\">").link(link, "More images")
                .raw("</nav>"));
        return close(page);
    }

    private static void nothing(Html page, String query, Viewer viewer) {
        if (!query.isEmpty()) {
            page.raw("<p class=\"empty\">No image that you may see matches. Try a shorter word.</p>");
            return;
        }
        page.raw("<div class=\"empty\"><p>There is no image here yet, or none that you may see.</p>"
                + "<p>To share one, log in and push it:</p>");
        command(page, "docker login " + viewer.host());
        command(page, "docker tag IMAGE " + viewer.host() + "/NAME:TAG");
        command(page, "docker push " + viewer.host() + "/NAME:TAG");
        page.raw("</div>");
    }

    /// A page that only says something.
    static byte[] message(String title, String text, Viewer viewer) {
        var page = open(title + " · Carafe hub", "", viewer);
        page.element("h1", title).raw("<p class=\"empty\">").text(text).raw("</p>");
        return close(page);
    }
}
