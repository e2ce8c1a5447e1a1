package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Images that go from Docker's own engine into ours and back, by `save` and `load`: they keep their ids, their names and
/// what is in them. The image that travels has a base and a layer that Docker made: an overlay with a file deleted, one
/// replaced, a link, another owner, and settings in its configuration.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CarafeInterchangeTest {

    private static final List<String> NAMES = List.of("made:1", "made:latest", "team/made:two");

    private static final String LOOK = "cat /kept /etc/replaced; readlink /link; stat -c '%a %u:%g' /dir/owned;"
            + " ls /bin/awk 2>/dev/null || echo deleted; echo $COLOUR";
    private static final List<String> SEEN = List.of("kept", "new", "/kept", "4750 12:34", "deleted", "blue");

    private final DebianDocker docker = new DebianDocker();
    private final CarafeDaemon carafe = new CarafeDaemon();
    private Path archive = docker.directory();

    CarafeInterchangeTest() throws Exception {}

    static List<Client> clients() {
        return List.of(Client.docker28(), Client.carafe());
    }

    @BeforeAll
    void start() throws Exception {
        docker.start();
        carafe.start();
        archive = docker.directory().resolve("travelling.tar");
    }

    @AfterAll
    void stop() {
        try (docker; carafe) {
            assertThat(docker.socket()).isNotEqualTo(carafe.socket());
        }
    }

    @BeforeEach
    void makeTheImageInDocker() throws Exception {
        in(docker, "load", "-i", TestImages.dockerArchive(docker.directory()).toString());
        commit(docker, "busybox", "echo old > /etc/replaced", "base:1");
        commit(docker, "base:1", "echo kept > /kept; echo new > /etc/replaced; ln -s /kept /link; rm /bin/awk; mkdir /dir;"
                + " echo own > /dir/owned; chown 12:34 /dir/owned; chmod 4750 /dir/owned", NAMES.getFirst());
        for (String name : NAMES.subList(1, NAMES.size())) {
            in(docker, "tag", NAMES.getFirst(), name);
        }
    }

    @AfterEach
    void forgetAll() throws Exception {
        Files.deleteIfExists(archive);
        for (var engine : List.of(docker, carafe)) {
            for (String container : in(engine, "ps", "-aq").lines()) {
                in(engine, "rm", "-f", container);
            }
            for (String image : in(engine, "images", "-q").lines()) {
                Client.docker28().to(engine).and("rmi", "-f", image).run(); // one that has two names is listed twice
            }
        }
    }

    private static Outcome in(EngineUnderTest engine, String... words) throws Exception {
        return Client.docker28().to(engine).and(words).run().good();
    }

    private static void commit(EngineUnderTest engine, String base, String script, String name) throws Exception {
        String id = in(engine, "create", "--network", "none", base, "sh", "-c", script).text();
        engine.remember(List.of(id));
        in(engine, "start", "-a", id);
        in(engine, "commit", "-m", "made by " + base, "-c", "ENV COLOUR=blue", "-c", "CMD [\"sh\", \"-c\", \"" + LOOK + "\"]",
                id, name);
        in(engine, "rm", id);
    }

    private static String idOf(EngineUnderTest engine, String name) throws Exception {
        String id = in(engine, "images", "--no-trunc", "-q", name).text();
        assertThat(id).as(name).matches("sha256:[0-9a-f]{64}");
        return id;
    }

    /// Every name means that image there, and it runs as it was made.
    private static void assertHasIt(EngineUnderTest engine, String id) throws Exception {
        for (String name : NAMES) {
            assertThat(idOf(engine, name)).as(name).isEqualTo(id);
        }
        assertThat(in(engine, "run", "--rm", "--network", "none", NAMES.getLast()).lines()).isEqualTo(SEEN);
        assertThat(in(engine, "history", "--format", "{{.Comment}}", NAMES.getFirst()).lines())
                .startsWith("made by base:1", "made by busybox");
    }

    private static String[] save(Path file) {
        var words = new ArrayList<>(List.of("save", "-o", file.toString()));
        words.addAll(NAMES);
        return words.toArray(String[]::new);
    }

    private static void forget(EngineUnderTest engine) throws Exception {
        Client.docker28().to(engine).and("rmi").and(NAMES.toArray(String[]::new)).run().good();
        Client.docker28().to(engine).and("rmi", "base:1", "busybox").run(); // ours has neither unless it was sent
        assertThat(in(engine, "images", "-aq", "made").text()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("clients")
    void imagesTravelToOursAndBackUnderOneId(Client client) throws Exception {
        String id = idOf(docker, NAMES.getFirst());
        client.to(docker).and(save(archive)).run().good();
        var loaded = client.to(carafe).and("load", "-i", archive.toString()).run().good();
        assertThat(loaded.lines()).containsExactlyInAnyOrderElementsOf(
                NAMES.stream().map(name -> "Loaded image: " + name).toList());
        assertHasIt(carafe, id);

        forget(docker);
        Files.delete(archive);
        client.to(carafe).and(save(archive)).run().good();
        var back = client.to(docker).and("load", "-i", archive.toString()).run().good();
        assertThat(back.lines()).filteredOn(line -> line.startsWith("Loaded image: ")).containsExactlyInAnyOrderElementsOf(
                NAMES.stream().map(name -> "Loaded image: " + name).toList());
        assertHasIt(docker, id);
    }

    @ParameterizedTest
    @MethodSource("clients")
    void imagesTravelThroughAPipe(Client client) throws Exception {
        String id = idOf(docker, NAMES.getFirst());
        pipe(client, docker, carafe);
        assertHasIt(carafe, id);
        forget(docker);
        pipe(client, carafe, docker);
        assertHasIt(docker, id);
    }

    /// `docker save ... | carafe load` as people write it; the sides exchanged for the way back.
    private static void pipe(Client client, EngineUnderTest from, EngineUnderTest to) throws Exception {
        var line = "\"$PROGRAM\" -H \"$FROM\" save " + String.join(" ", NAMES) + " | \"$PROGRAM\" -H \"$TO\" load";
        Command.of("sh", "-c", line).with("PROGRAM", client.program().toString())
                .with("FROM", from.host()).with("TO", to.host())
                .with("HOME", from.directory().toString())
                .run().good();
    }

    /// What our engine committed goes the other way first.
    @Test
    void whatOursMadeKeepsItsIdInDocker() throws Exception {
        pipe(Client.docker28(), docker, carafe);
        commit(carafe, "made:1", "echo more > /more", "ours:1");
        String id = idOf(carafe, "ours:1");
        in(carafe, "save", "-o", archive.toString(), "ours:1");
        in(docker, "load", "-i", archive.toString());
        assertThat(idOf(docker, "ours:1")).isEqualTo(id);
        assertThat(in(docker, "run", "--rm", "--network", "none", "ours:1", "cat", "/kept", "/more").lines())
                .containsExactly("kept", "more");
        Files.delete(archive);
        in(docker, "save", "-o", archive.toString(), "ours:1");
        in(carafe, "rmi", "ours:1");
        in(carafe, "load", "-i", archive.toString());
        assertThat(idOf(carafe, "ours:1")).isEqualTo(id);
        assertThat(in(carafe, "run", "--rm", "--network", "none", "ours:1").lines()).isEqualTo(SEEN);
    }
}
