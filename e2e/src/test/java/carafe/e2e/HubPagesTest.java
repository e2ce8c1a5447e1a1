package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// The hub's pages in a real browser: people find an image and copy the command, what was pushed stays text, and the
/// pages fit a phone. Pictures stay under target/pictures.
class HubPagesTest {

    private static final Path PICTURES = Tools.E2E.resolve("target/pictures");
    private static final String EVIL =
            "\\\"><script>document.title='owned'</script><img src=x onerror=document.title='owned'><b id=owned>";

    @Test
    void peopleFindAnImageAndCopyItsCommand() throws Exception {
        try (var hub = HubUnderTest.withUsers(false); var browser = new Browser()) {
            push(hub, "public/maps", "v0", "");
            push(hub, "public/maps", "\"config\":{\"Cmd\":[\"serve\"],\"Labels\":{\"org.opencontainers.image.description\":"
                    + "\"Maps of small places\"}},\"history\":[{\"created_by\":\"RUN /bin/sh -c apt-get install maps\"},"
                    + "{\"created_by\":\"ENV SCALE=1\",\"empty_layer\":true}]");
            push(hub, "public/evil", "\"config\":{\"Cmd\":[\"" + EVIL + "\"],\"Env\":[\"A=" + EVIL + "\"],\"Labels\":{\""
                    + EVIL + "\":\"" + EVIL + "\",\"org.opencontainers.image.description\":\"" + EVIL + "\"}},\"history\":["
                    + "{\"created_by\":\"" + EVIL + "\"}]");
            push(hub, "team/secret", "");
            String at = "http://" + hub.host();

            browser.screen(1200, 800, false);
            browser.open(at + "/");
            assertThat(browser.script("document.body.innerText")).contains("Maps of small places").doesNotContain("secret");
            browser.picture(PICTURES.resolve("home.png"));
            browser.open(at + "/?q=maps");
            assertThat(browser.script("Array.from(document.querySelectorAll('main h2')).map(e => e.textContent).join()"))
                    .isEqualTo("public/maps");
            browser.open(at + "/r/public/maps");
            assertThat(texts(browser, "tbody th")).isEqualTo("v1|v0"); // the newest first
            assertThat(texts(browser, "tbody tr:first-child td"))
                    .matches("linux/amd64\\|" + layer(hub).size() + " B\\|[^|]+\\|[0-9a-f]{12}");
            browser.click("tbody tr:first-child a");
            Deadline.await("the tag's page is there", () ->
                    browser.script("location.search + document.readyState").equals("?tag=v1complete"));
            assertThat(texts(browser, "ol.layers .number")).isEqualTo(layer(hub).size() + " B");
            assertThat(texts(browser, "ol.layers code")).isEqualTo(layer(hub).digest().substring(0, 12));
            assertThat(texts(browser, "ol.history li")).isEqualTo("RUN apt-get install maps|ENV SCALE=1");
            assertThat(texts(browser, "ol.history li.empty-layer")).isEqualTo("ENV SCALE=1");
            assertThat(browser.script("document.body.innerText")).contains("RUN apt-get install maps", "1 layer");
            String command = "docker pull " + hub.host() + "/public/maps:v1";
            assertThat(browser.script("document.querySelector('button.copy').dataset.copy")).isEqualTo(command);
            assertThat(browser.script("String(document.querySelector('button.copy').hidden)")).isEqualTo("false");
            browser.click("button.copy");
            Deadline.await("the page says that it copied", () ->
                    browser.script("document.querySelector('button.copy').textContent").equals("Copied"));
            browser.script("document.querySelector('input[name=q]').value = '', 'empty'");
            browser.click("input[name=q]");
            browser.paste();
            assertThat(browser.script("document.querySelector('input[name=q]').value")).isEqualTo(command);

            everyPageFitsAndIsSafe(browser, at);
        }
    }

    private static void everyPageFitsAndIsSafe(Browser browser, String at) throws Exception {
        int number = 0;
        for (String page : new String[] {"/", "/r/public/evil", "/r/public/evil?tag=v1", "/?q=%3Cb%20id%3Downed%3E", "/nowhere"}) {
            for (int width : new int[] {1200, 390}) {
                browser.screen(width, 900, width < 600);
                browser.open(at + page);
                String where = page + " at " + width;
                assertThat(browser.script("document.title")).as(where).doesNotContain("owned'").isNotEqualTo("owned");
                assertThat(browser.script("String(document.querySelectorAll('#owned, img[onerror], main script').length)"))
                        .as(where).isEqualTo("0");
                assertThat(browser.script("String(document.documentElement.scrollWidth <= innerWidth)")).as(where)
                        .isEqualTo("true");
                // What a screen reader needs: a language, one first heading, a name for every field and button.
                assertThat(browser.script("document.documentElement.lang")).isEqualTo("en");
                assertThat(browser.script("String(document.querySelectorAll('h1').length)")).as(where).isEqualTo("1");
                assertThat(browser.script("String(Array.from(document.querySelectorAll('input')).every(e => e.labels.length))"))
                        .isEqualTo("true");
                assertThat(browser.script("String(Array.from(document.querySelectorAll('button, a')).every(e =>"
                        + " (e.getAttribute('aria-label') || e.textContent).trim()))")).as(where).isEqualTo("true");
                browser.picture(PICTURES.resolve("page-" + number++ + ".png"));
            }
        }
    }

    private record Layer(String digest, int size) {}

    /// The one layer of public/maps:v1, as skopeo compressed it.
    private static Layer layer(HubUnderTest hub) throws Exception {
        try (var http = HttpClient.newHttpClient()) {
            String manifest = http.send(HttpRequest.newBuilder(URI.create("http://" + hub.host() + "/v2/public/maps/manifests/v1"))
                    .build(), BodyHandlers.ofString()).body();
            var layer = Pattern.compile("\"layers\":\\[\\{[^}]*\"digest\":\"sha256:([0-9a-f]+)\",\"size\":([0-9]+)").matcher(manifest);
            assertThat(layer.find()).as(manifest).isTrue();
            return new Layer(layer.group(1), Integer.parseInt(layer.group(2)));
        }
    }

    /// What the elements say that a selector finds.
    private static String texts(Browser browser, String selector) throws Exception {
        return browser.script("Array.from(document.querySelectorAll('" + selector + "')).map(e => e.innerText.trim()).join('|')");
    }

    private static void push(HubUnderTest hub, String name, String config) throws Exception {
        push(hub, name, "v1", config);
    }

    /// The layer is the names of repository and tag.
    private static void push(HubUnderTest hub, String name, String tag, String config) throws Exception {
        var layout = OciLayout.write(hub.directory().resolve(name.replace('/', '-') + tag),
                (name + ":" + tag).getBytes(StandardCharsets.UTF_8), config);
        hub.skopeo("copy", "--dest-creds", "alice:pw", hub.trust("dest"), "oci:" + layout + ":v1",
                "docker://" + hub.host() + "/" + name + ":" + tag).run().good();
    }
}
