package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
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
            push(hub, "public/maps", "\"config\":{\"Cmd\":[\"serve\"],\"Labels\":{\"org.opencontainers.image.description\":"
                    + "\"Maps of small places\"}},\"history\":[{\"created_by\":\"RUN /bin/sh -c apt-get install maps\"}]");
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
            browser.open(at + "/r/public/maps?tag=v1");
            assertThat(browser.script("document.body.innerText")).contains("RUN apt-get install maps", "1 layer");
            String command = "docker pull " + hub.host() + "/public/maps:v1";
            assertThat(browser.script("document.querySelector('button.copy').dataset.copy")).isEqualTo(command);
            assertThat(browser.script("String(document.querySelector('button.copy').hidden)")).isEqualTo("false");
            browser.script("document.querySelector('button.copy').click(), 'clicked'");
            Deadline.await("the page says what became of the copy", () ->
                    browser.script("document.querySelector('button.copy').textContent").matches("Copied|Press Ctrl\\+C"));

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

    private static void push(HubUnderTest hub, String name, String config) throws Exception {
        var layout = OciLayout.write(hub.directory().resolve(name.replace('/', '-')),
                name.getBytes(StandardCharsets.UTF_8), config);
        hub.skopeo("copy", "--dest-creds", "alice:pw", hub.trust("dest"), "oci:" + layout + ":v1",
                "docker://" + hub.host() + "/" + name + ":v1").run().good();
    }
}
