package carafe.e2e;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Comparator;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/// Debian's Chromium without a window, told what to do over its debugging socket. One page.
/// Source: Chrome DevTools Protocol, domains Page, Runtime and Emulation.
final class Browser implements AutoCloseable {

    private final Path directory = Files.createTempDirectory("browser");
    private final Session process;
    private final HttpClient http = HttpClient.newHttpClient();
    private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();
    private final WebSocket socket;
    private int number;

    Browser() throws Exception {
        Path root = Tools.fetched("chromium", "usr");
        String libraries = root.resolve("lib/x86_64-linux-gnu").toString();
        Path fonts = Files.writeString(directory.resolve("fonts.conf"), "<?xml version=\"1.0\"?><!DOCTYPE fontconfig SYSTEM"
                + " \"fonts.dtd\"><fontconfig><dir>" + root.resolve("share/fonts") + "</dir><cachedir>"
                + directory.resolve("fonts") + "</cachedir></fontconfig>");
        process = Command.of(root.resolve("lib/chromium/chromium").toString(), "--headless", "--no-sandbox",
                        "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                        "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
                        "--remote-debugging-port=0", "--user-data-dir=" + directory.resolve("profile"), "about:blank")
                .with("LD_LIBRARY_PATH", libraries + ":" + libraries + "/pulseaudio")
                .with("FONTCONFIG_FILE", fonts.toString())
                .with("HOME", directory.toString())
                .start();
        Path port = directory.resolve("profile/DevToolsActivePort");
        Deadline.await("the browser listens", () -> Files.exists(port) && Files.readAllLines(port).size() > 1);
        String place = "http://127.0.0.1:" + Files.readAllLines(port).getFirst();
        Deadline.await("the browser has a page", () -> !pageOf(place).isEmpty());
        socket = http.newWebSocketBuilder().buildAsync(URI.create(pageOf(place)), new Answers()).join();
        call("Page.enable", "{}");
    }

    private String pageOf(String place) throws IOException, InterruptedException {
        var request = java.net.http.HttpRequest.newBuilder(URI.create(place + "/json/list")).build();
        String list = http.send(request, java.net.http.HttpResponse.BodyHandlers.ofString()).body();
        var found = Pattern.compile("\"webSocketDebuggerUrl\":\\s*\"(ws://[^\"]+/page/[^\"]+)\"").matcher(list);
        return found.find() ? found.group(1) : "";
    }

    /// Puts the pieces of messages together.
    private final class Answers implements WebSocket.Listener {
        private final StringBuilder text = new StringBuilder();

        @Override
        public CompletionStage<?> onText(WebSocket from, CharSequence piece, boolean last) {
            text.append(piece);
            if (last) {
                answers.add(text.toString());
                text.setLength(0);
            }
            from.request(1);
            return java.util.concurrent.CompletableFuture.completedFuture(null);
        }
    }

    /// Calls a method of the protocol; its answer as JSON text.
    private String call(String method, String parameters) throws InterruptedException {
        int id = ++number;
        socket.sendText("{\"id\":" + id + ",\"method\":\"" + method + "\",\"params\":" + parameters + "}", true).join();
        var deadline = Deadline.in(Deadline.USUAL);
        while (!deadline.passed()) {
            String answer = answers.poll(deadline.leftMillis(), TimeUnit.MILLISECONDS);
            if (answer != null && answer.startsWith("{\"id\":" + id + ",")) {
                return answer;
            }
        }
        throw new AssertionError("the browser did not answer " + method);
    }

    /// Goes to a page and waits until it is loaded.
    void open(String url) throws Exception {
        call("Page.navigate", "{\"url\":\"" + url + "\"}");
        Deadline.await(url + " is loaded", () ->
                script("String(document.readyState === 'complete' && location.href !== 'about:blank')").equals("true"));
    }

    /// Makes the window as large as a desktop's or a phone's, in a light or dark scheme.
    void screen(int width, int height, boolean dark) throws InterruptedException {
        call("Emulation.setDeviceMetricsOverride", "{\"width\":" + width + ",\"height\":" + height
                + ",\"deviceScaleFactor\":1,\"mobile\":" + (width < 600) + "}");
        call("Emulation.setEmulatedMedia", "{\"features\":[{\"name\":\"prefers-color-scheme\",\"value\":\""
                + (dark ? "dark" : "light") + "\"}]}");
    }

    /// The text that an expression has on the page. It must not hold double quotes or backslashes.
    String script(String expression) throws InterruptedException {
        String answer = call("Runtime.evaluate", "{\"expression\":\"" + expression + "\",\"awaitPromise\":true}");
        var value = Pattern.compile("\"type\":\"string\",\"value\":\"((?:[^\"\\\\]|\\\\.)*)\"").matcher(answer);
        if (!value.find()) {
            throw new AssertionError(expression + " has no text: " + answer);
        }
        return value.group(1);
    }

    /// Clicks with the mouse into the middle of the element that a selector finds.
    void click(String selector) throws InterruptedException {
        String[] middle = script("(box => [box.left + box.width / 2, box.top + box.height / 2].join())"
                + "(document.querySelector('" + selector + "').getBoundingClientRect())").split(",");
        for (String type : new String[] {"mousePressed", "mouseReleased"}) {
            call("Input.dispatchMouseEvent", "{\"type\":\"" + type + "\",\"x\":" + middle[0] + ",\"y\":" + middle[1]
                    + ",\"button\":\"left\",\"clickCount\":1}");
        }
    }

    /// Pastes what is on the clipboard where the cursor is, as Ctrl+V does.
    void paste() throws InterruptedException {
        call("Input.dispatchKeyEvent", "{\"type\":\"keyDown\",\"key\":\"v\",\"code\":\"KeyV\",\"modifiers\":2,"
                + "\"commands\":[\"paste\"]}");
        call("Input.dispatchKeyEvent", "{\"type\":\"keyUp\",\"key\":\"v\",\"code\":\"KeyV\",\"modifiers\":2}");
    }

    /// Keeps what the page looks like.
    void picture(Path file) throws Exception {
        String answer = call("Page.captureScreenshot", "{\"format\":\"png\"}");
        var data = Pattern.compile("\"data\":\"([A-Za-z0-9+/=]+)\"").matcher(answer);
        if (!data.find()) {
            throw new AssertionError("no picture");
        }
        Files.createDirectories(file.getParent());
        Files.write(file, Base64.getDecoder().decode(data.group(1)));
    }

    @Override
    public void close() throws IOException {
        try {
            call("Browser.close", "{}");
            process.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        socket.abort();
        process.close();
        http.close();
        try (var files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
