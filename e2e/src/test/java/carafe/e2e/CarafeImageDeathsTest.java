package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// The daemon dies, as `kill -9` ends it, at each step by which an image comes or goes: loaded, pulled, removed. After the
/// next start what has a name is whole, nothing half done is left, the store's check finds no fault, and the same command
/// does what the dead daemon did not.
@Tag("registries")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CarafeImageDeathsTest {

    /// Steps in the image store's words, each as a failpoint; of what happens for both layers, the second time too.
    private static final List<String> LAYERS = List.of("create layer=halt", "create layer=1*off->halt", "write layer=halt",
            "write layer=1*off->halt", "sync layer=halt", "sync layer=1*off->halt", "rename layer=halt",
            "rename layer=1*off->halt", "sync layer names=halt");
    private static final List<String> BLOBS = List.of("create ingest=halt", "sync blob=halt", "rename blob=halt",
            "sync blob directory=halt", "rename blob=1*off->halt");
    private static final List<String> INDEX = List.of("write index.json=halt", "sync index.json=halt",
            "rename index.json=halt", "sync directory of index.json=halt");
    private static final List<String> REMOVALS = List.of("remove layer=halt", "remove layer=1*off->halt");

    private final CarafeDaemon engine = new CarafeDaemon();
    private final Client client = Client.docker28();
    private HubUnderTest hub;
    private Path archive = engine.directory();
    private String id = "";
    private Set<String> empty = Set.of();

    CarafeImageDeathsTest() throws Exception {
        hub = HubUnderTest.open();
    }

    private Outcome docker(String... words) throws Exception {
        return client.to(engine).and(words).run();
    }

    private String name() {
        return hub.host() + "/team/made:1";
    }

    private List<String> load() {
        return List.of("load", "-i", archive.toString());
    }

    private List<String> pull() {
        return List.of("pull", name());
    }

    private List<String> remove() {
        return List.of("rmi", name());
    }

    /// The image has two layers; it is in an archive and at the hub, and not in the engine.
    @BeforeAll
    void makeTheImage() throws Exception {
        engine.start();
        empty = stored();
        docker("load", "-i", TestImages.otherArchive(engine.directory()).toString()).good();
        String container = docker("create", "--network", "none", "other:1", "sh", "-c", "echo top > /top").good().text();
        engine.remember(List.of(container));
        docker("start", "-a", container).good();
        docker("commit", container, name()).good();
        docker("rm", container).good();
        id = docker("images", "--no-trunc", "-q", name()).good().text();
        archive = engine.directory().resolve("made.tar");
        docker("save", "-o", archive.toString(), name()).good();
        docker("push", name()).good();
        docker("rmi", name(), "other:1").good();
        Deadline.await("the engine is empty", () -> stored().equals(empty));
    }

    @AfterAll
    void stop() throws Exception {
        hub.close();
        engine.close();
    }

    /// The names of layers and of documents.
    private Set<String> stored() throws IOException {
        var found = new TreeSet<String>();
        found.addAll(names("layers"));
        found.addAll(names("content/blobs/sha256"));
        return found;
    }

    private List<String> names(String directory) throws IOException {
        Path whole = engine.dataRoot().resolve(directory);
        try (Stream<Path> files = Files.exists(whole) ? Files.list(whole) : Stream.empty()) {
            return files.map(file -> file.getFileName().toString()).collect(Collectors.toList());
        }
    }

    /// What is written before it has a name, and what is deleted.
    private List<String> unfinished() throws IOException {
        var found = new ArrayList<>(names("layers/tmp"));
        found.addAll(names("content/ingest"));
        found.addAll(names("snapshots/.tmp"));
        for (String removed : names("snapshots/.unwritten")) {
            names("snapshots/.unwritten/" + removed).stream().filter("upper"::equals).forEach(found::add);
        }
        return found;
    }

    private void run(List<String> words) throws Exception {
        client.to(engine).and(words.toArray(String[]::new)).run().good();
    }

    /// Dies there while it does `words`, and comes back.
    private void dieAt(String point, List<String> words) throws Exception {
        engine.stop();
        engine.failAt("image: " + point);
        engine.start();
        assertThat(docker(words.toArray(String[]::new)).code()).as("dead at: %s", point).isNotZero();
        engine.awaitEnd();
        engine.failAt("");
        engine.start();
    }

    private void assertNothingIsBroken(String point) throws Exception {
        Deadline.await("nothing half done is left after a death at: " + point, () -> unfinished().isEmpty());
        for (String image : docker("images", "--format", "{{.Repository}}:{{.Tag}}").good().lines()) {
            if (image.equals(name())) {
                assertWhole(point);
            } else {
                docker("run", "--rm", "--network", "none", image).good();
            }
        }
        assertTheCheckFindsNothing(point);
    }

    private void assertTheCheckFindsNothing(String point) throws Exception {
        assertThat(Client.carafe().to(engine).and("system", "check").run().good().out()).as("after a death at: %s", point)
                .doesNotContain("damaged");
    }

    private void assertWhole(String point) throws Exception {
        assertThat(docker("images", "--no-trunc", "-q", name()).good().text()).as("after a death at: %s", point).isEqualTo(id);
        assertThat(docker("run", "--rm", "--network", "none", name(), "cat", "/top", "/etc/plain").good().lines())
                .as("after a death at: %s", point).containsExactly("top", "not a program");
    }

    private void assertHeals(String point, List<String> words) throws Exception {
        assertNothingIsBroken(point);
        run(words);
        assertWhole(point);
        assertTheCheckFindsNothing(point);
        run(remove());
        Deadline.await("the engine is empty after a death at: " + point, () -> stored().equals(empty));
    }

    private static List<String> all(List<String> first, List<String> second, List<String> third) {
        return Stream.of(first, second, third).flatMap(List::stream).toList();
    }

    @Test
    void aLoadThatDiesAtAnyStepBreaksNothing() throws Exception {
        for (String point : all(LAYERS, BLOBS, INDEX)) {
            dieAt(point, load());
            assertHeals(point, load());
        }
    }

    @Test
    void aPullThatDiesAtAnyStepBreaksNothing() throws Exception {
        for (String point : all(LAYERS, BLOBS, INDEX)) {
            dieAt(point, pull());
            assertHeals(point, pull());
        }
    }

    @Test
    void aRemovalThatDiesAtAnyStepBreaksNothing() throws Exception {
        for (String point : all(INDEX, REMOVALS, List.of())) {
            run(load());
            dieAt(point, remove());
            assertHeals(point, load());
        }
    }

    /// The signal itself, while the daemon stands before a step.
    @Test
    void killedWhileAnImageComesOrGoesItComesBackWhole() throws Exception {
        killAt("sync layer", load(), () -> !names("layers/tmp").isEmpty());
        assertHeals("SIGKILL in a load", load());
        killAt("sync layer", pull(), () -> !names("layers/tmp").isEmpty());
        assertHeals("SIGKILL in a pull", pull());
        run(load());
        Path index = engine.dataRoot().resolve("content/index.json");
        killAt("remove layer", remove(), () -> !Files.readString(index).contains(name()));
        assertHeals("SIGKILL in a removal", load());
    }

    private void killAt(String point, List<String> words, Deadline.Condition reached) throws Exception {
        engine.stop();
        engine.failAt("image: " + point + "=sleep(600000)");
        engine.start();
        try (var session = client.to(engine).and(words.toArray(String[]::new)).start()) {
            session.closeInput();
            Deadline.await("it stands before: " + point, reached);
            engine.kill();
            assertThat(session.await().code()).isNotZero();
        }
        engine.failAt("");
        engine.start();
    }
}
