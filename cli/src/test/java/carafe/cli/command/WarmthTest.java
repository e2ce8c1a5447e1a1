package carafe.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Every command is decided: a new one has to be put in one list or the other.
class WarmthTest {

    private static final Set<String> COLD = Set.of(
            "cp", "events", "export", "import", "load", "login", "logout", "logs", "pull", "push", "save", "search",
            "builder export", "builder import",
            "container cp", "container export", "container logs",
            "image copy", "image import", "image load", "image pull", "image push", "image referrers", "image save",
            "image tags",
            "manifest annotate", "manifest create", "manifest inspect", "manifest push", "manifest rm",
            "system check", "system events",
            "volume clone", "volume export", "volume import");

    private static boolean takes(String words) {
        return Warmth.takes(List.of(words.split(" ", -1)));
    }

    /// All names that Catalog.find knows: those of the menus and the aliases.
    private static Set<String> names() {
        var groups = new ArrayList<String>();
        groups.add("");
        for (var group : Catalog.GROUPS) {
            groups.add(group[0]);
        }
        var words = new TreeSet<>(List.of("ls", "list", "ps", "rm", "remove", "rmi"));
        for (String group : groups) {
            for (var row : Catalog.menu(group)) {
                words.add(row[0]);
            }
        }
        for (var row : Catalog.menu("common")) {
            words.add(row[0]);
        }
        var names = new TreeSet<String>();
        for (String group : groups) {
            words.stream().filter(word -> Catalog.find(group, word) != null)
                    .forEach(word -> names.add(group.isEmpty() ? word : group + " " + word));
        }
        return names;
    }

    @Test
    void everyCommandIsWarmOrKnownToBeCold() {
        var cold = new TreeSet<>(names());
        cold.removeIf(WarmthTest::takes);
        assertThat(cold).isEqualTo(new TreeSet<>(COLD));
        assertThat(names()).hasSizeGreaterThan(80);
    }

    @Test
    void whatIsNoCommandIsCold() {
        assertThat(Warmth.takes(List.of())).isFalse();
        for (String words : List.of("", "help", "help ps", "hub", "nothing", "container", "image", "container nothing",
                "builder ps", "volume ps", "--help", "-H x ps", "container --help", "ls", "list", "remove")) {
            assertThat(takes(words)).as(words).isFalse();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"build", "image build", "builder build"})
    void buildsOfADirectoryAreTakenAndThoseThatCarryFilesAreNot(String build) {
        assertThat(takes(build + " .")).isTrue();
        assertThat(takes(build + " -t x -f some/Dockerfile -q dir")).isTrue();
        assertThat(Warmth.isLarge(List.of((build + " .").split(" ")))).isTrue();
        assertThat(Warmth.needsCredentials(List.of((build + " .").split(" ")))).isTrue();
        for (String more : List.of("-", "-t x -", "-f - .", "-o out .", "-oout .", "-qo out .", "--output out .",
                "--output=out .", "-o - .", "-o type=tar,dest=x .")) {
            assertThat(takes(build + " " + more)).as(more).isFalse();
        }
    }

    @Test
    void keysAreReadByTheCallersOwnProcess() {
        for (String words : List.of("--ssh default=key", "--ssh=default=key", "-q --ssh id=a,b",
                "--ssh default --ssh id=/agent")) {
            assertThat(takes("build " + words + " .")).as(words).isFalse();
            assertThat(takes("image build " + words + " .")).as(words).isFalse();
        }
        for (String words : List.of("--ssh default", "--ssh=default", "--build-arg a=b --ssh id", "--ssh")) {
            assertThat(takes("build " + words + " .")).as(words).isTrue();
        }
    }

    @Test
    void onlyBuildsAreLarge() {
        for (String words : List.of("ps", "run build", "container run build", "image", "image ls build")) {
            assertThat(Warmth.isLarge(List.of(words.split(" ")))).as(words).isFalse();
        }
    }

    @Test
    void whatMayPullMayWantCredentials() {
        for (String words : List.of("run x", "create x", "container run x", "container create x")) {
            assertThat(Warmth.needsCredentials(List.of(words.split(" ")))).as(words).isTrue();
        }
        for (String words : List.of("ps", "container ps", "exec run", "image")) {
            assertThat(Warmth.needsCredentials(List.of(words.split(" ")))).as(words).isFalse();
        }
    }
}
