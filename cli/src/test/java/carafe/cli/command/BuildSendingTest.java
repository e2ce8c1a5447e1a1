package carafe.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.cli.session.TestSession;
import carafe.http.Exchange;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What goes to the engine for a context, and when: a listing, a tar, or both.
class BuildSendingTest {

    private static final String WANTED = "{\"event\":\"context-wanted\"}";
    private static final String OUTCOME = "{\"event\":\"outcome\",\"image\":\"c0ffee\"}";

    @TempDir
    Path directory;

    private final TestSession caller = new TestSession();
    private final List<Json.Obj> documents = new ArrayList<>();
    private final List<byte[]> contexts = new ArrayList<>();
    private final List<String> opened = new ArrayList<>();
    private final ArrayDeque<String> answers = new ArrayDeque<>();
    private FakeEngine engine;

    @BeforeEach
    void start() throws Exception {
        engine = new FakeEngine(directory);
        caller.environment.put("CARAFE_HOST", engine.host());
        caller.opened = path -> opened.add(Path.of("/home/user").relativize(path).toString());
        engine.on("GET /_ping", 200, "OK").on("POST /build", this::build);
        caller.file("ctx/Dockerfile", "FROM scratch");
    }

    @AfterEach
    void stop() {
        engine.close();
    }

    private void build(Exchange exchange) throws Exception {
        var body = exchange.body();
        documents.add(Json.parseObject(body.readNBytes(ByteBuffer.wrap(body.readNBytes(4)).getInt())));
        contexts.add(body.readAllBytes());
        FakeEngine.answer(exchange, 200, answers.remove());
    }

    private void manyFiles() {
        for (int i = 0; i < 1000; i++) {
            caller.file("ctx/f" + i, "file " + i);
        }
    }

    private void run(String... words) {
        var all = new ArrayList<>(List.of("build", "-q"));
        all.addAll(List.of(words));
        assertThat(Carafe.run(caller.session(all.toArray(new String[0])), _ -> false)).as(caller.errors()).isZero();
        assertThat(caller.output()).isEqualTo("c0ffee\n");
        assertThat(answers).isEmpty();
    }

    @Test
    void theIdIsPrintedUnlessTheResultIs() throws Exception {
        for (String output : List.of("type=image", "type=docker", "type=oci", "type=tar", "-", "type=docker,dest=-",
                "type=registry", "type=image,push=true", "type=oci,dest=a.tar", "type=local,dest=d", "d")) {
            boolean result = List.of("type=oci", "type=tar", "-", "type=docker,dest=-").contains(output);
            assertThat(BuildOutput.readAll(List.of(output), false, false)).as(output).singleElement()
                    .returns(result, BuildOutput::printed);
        }
        answers.add(OUTCOME);
        run("-o", "type=image", "-o", "type=docker", "ctx");
    }

    @Test
    void aCheckThatFoundSomethingFails() {
        String said = "{\"event\":\"outcome\",\"text\":\"checked\\n\"}";
        String warning = "{\"event\":\"warning\",\"rule\":\"R\",\"message\":\"m\",\"line\":1}\n";
        answers.addAll(List.of(said, warning + said, warning + said, warning + OUTCOME));
        assertThat(Carafe.run(caller.session("build", "--check", "ctx"), _ -> false)).isZero();
        assertThat(Carafe.run(caller.session("build", "--check", "ctx"), _ -> false)).isEqualTo(1);
        assertThat(Carafe.run(caller.session("build", "--call", "outline", "ctx"), _ -> false)).isZero();
        assertThat(Carafe.run(caller.session("build", "ctx"), _ -> false)).isZero();
        assertThat(caller.output()).startsWith("checked\nchecked\nchecked\n");
    }

    private int calls(String call, String... lines) {
        answers.add(String.join("\n", lines));
        return Carafe.run(caller.session("build", "-q", "--call", call, "ctx"), _ -> false);
    }

    @Test
    void aCallMayAskForADocument() throws Exception {
        String warning = "{\"event\":\"warning\",\"rule\":\"R\",\"message\":\"m\",\"line\":1}";
        String broken = "{\"event\":\"outcome\",\"text\":\"{\\\"buildError\\\":{}}\\n\"}";
        String fine = "{\"event\":\"outcome\",\"text\":\"{}\\n\"}";
        assertThat(calls("outline,format=json", fine)).isZero();
        assertThat(calls("lint,format=json", fine)).isZero();
        assertThat(calls("format=json,check", warning, fine)).isEqualTo(1);
        assertThat(calls("check,format=json,ignorestatus=true", warning, fine)).isZero();
        assertThat(calls("check,format=json", broken)).isEqualTo(1);
        assertThat(documents).extracting(document -> document.text("call") + " " + document.truth("json"))
                .containsExactly("outline true", "check true", "check true", "check true", "check true");
        assertThat(caller.output()).isEqualTo("{}\n{}\n{}\n{}\n{\"buildError\":{}}\n");
    }

    private String listing(int at) throws EngineException.Invalid {
        var listing = documents.get(at).object("listing");
        return listing.text("directory").isEmpty() ? "none" : listing.truth("alone") ? "alone" : "behind";
    }

    private static boolean isListing(byte[] bytes) {
        return bytes.length > 4 && new String(bytes, 0, 4, StandardCharsets.US_ASCII).equals("CTX1");
    }

    @Test
    void proxiesOfTheSettingsAreArgumentsUnlessGiven() throws Exception {
        caller.file(".docker/config.json", "{\"proxies\":{\"default\":{\"httpProxy\":\"http://p:3128\",\"noProxy\":\"a,b\"}}}");
        answers.add(OUTCOME);
        run("--build-arg", "http_proxy=http://own", "--build-arg", "no_proxy", "ctx");
        assertThat(documents.getFirst().textMap("arguments")).containsOnly(Map.entry("http_proxy", "http://own"),
                Map.entry("HTTP_PROXY", "http://p:3128"), Map.entry("NO_PROXY", "a,b"));
    }

    @Test
    void aContextOfManyFilesIsOnlyListed() throws Exception {
        manyFiles();
        answers.add(OUTCOME);
        run("ctx");
        assertThat(listing(0)).isEqualTo("alone");
        assertThat(isListing(contexts.getFirst())).isTrue();
        assertThat(opened).containsExactly("ctx/Dockerfile");
    }

    @Test
    void itsFilesFollowWhenTheyAreWanted() throws Exception {
        manyFiles();
        answers.addAll(List.of(WANTED, OUTCOME));
        run("-t", "name", "ctx");
        assertThat(documents).hasSize(2);
        assertThat(listing(1)).isEqualTo("behind");
        assertThat(documents.get(1).texts("tags")).containsExactly("name");
        assertThat(documents.get(1).object("listing").text("directory"))
                .isEqualTo(documents.getFirst().object("listing").text("directory")).startsWith("/home/user/ctx ");
        var in = new DataInputStream(new ByteArrayInputStream(contexts.get(1)));
        var tar = new ByteArrayOutputStream();
        for (int length = in.readInt(); length > 0; length = in.readInt()) {
            tar.write(in.readNBytes(length));
        }
        assertThat(tar.toString(StandardCharsets.US_ASCII)).contains("file 999");
        assertThat(isListing(in.readAllBytes())).isTrue();
        assertThat(opened).contains("ctx/f999");
    }

    @Test
    void aSmallContextIsSentAtOnce() throws Exception {
        answers.add(OUTCOME);
        run("ctx");
        assertThat(listing(0)).isEqualTo("none");
        assertThat(new String(contexts.getFirst(), StandardCharsets.US_ASCII)).startsWith("Dockerfile\0");
    }

    @Test
    void aBuildWithoutCacheSendsFilesAtOnceAndTellsOfThem() throws Exception {
        manyFiles();
        for (String flag : new String[] {"--no-cache", "--no-cache-filter=x"}) {
            answers.add(OUTCOME);
            documents.clear();
            caller.out.reset();
            run(flag, "ctx");
            assertThat(listing(0)).isEqualTo("behind");
        }
    }

    @Test
    void contextsByNameAreSentInOneGo() throws Exception {
        manyFiles();
        caller.file("more/x", "y");
        answers.add(OUTCOME);
        run("--build-context", "more=more", "ctx");
        assertThat(listing(0)).isEqualTo("none");
        assertThat(opened).contains("more/x", "ctx/f999");
    }

    @Test
    void anImageByNameLeavesTheContextListed() throws Exception {
        manyFiles();
        answers.add(OUTCOME);
        run("--build-context", "base=docker-image://alpine", "ctx");
        assertThat(listing(0)).isEqualTo("alone");
        assertThat(documents.getFirst().objects("contexts")).hasSize(1);
    }

    @Test
    void aDockerfileFromStandardInputIsReadOnce() throws Exception {
        manyFiles();
        caller.in = new ByteArrayInputStream("FROM elsewhere".getBytes(StandardCharsets.UTF_8));
        answers.addAll(List.of(WANTED, OUTCOME));
        run("-f", "-", "ctx");
        for (byte[] context : contexts) {
            assertThat(new String(context, StandardCharsets.US_ASCII)).contains(".dockerfile.from-stdin", "FROM elsewhere");
        }
    }
}
