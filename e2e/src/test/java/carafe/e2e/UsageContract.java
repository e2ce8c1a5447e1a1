package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// `system df -v`: who takes how much of the disk, alone and together with others.
@Tag("usage")
abstract class UsageContract extends Contract {

    private static final String IMAGES = "Images space usage:";
    private static final String CONTAINERS = "Containers space usage:";
    private static final String VOLUMES = "Local Volumes space usage:";

    UsageContract(DockerCommandContract whole) {
        super(whole);
    }

    @AfterEach
    void forget() throws Exception {
        var containers = docker("ps", "-aq").lines();
        if (!containers.isEmpty()) {
            command("rm", "-f").and(containers.toArray(String[]::new)).run().good();
        }
        command("rmi", "grown:1").run();
        command("rmi", "own:1").run();
        command("volume", "rm", "held", "free").run();
    }

    /// The rows of a section, its heads first, each cut where two blanks or more stand.
    private List<List<String>> section(String title) throws Exception {
        var rows = new ArrayList<List<String>>();
        boolean inside = false;
        for (String line : docker("system", "df", "-v").lines()) {
            if (line.contains(" usage:")) {
                inside = line.equals(title);
            } else if (inside && !line.isBlank()) {
                rows.add(Arrays.asList(line.strip().split(" {2,}")));
            }
        }
        return rows;
    }

    private List<String> row(String section, int column, String value) throws Exception {
        return section(section).stream().filter(row -> row.get(column).equals(value)).findFirst()
                .orElseThrow(() -> new AssertionError("no " + value + " in " + section));
    }

    /// A container that has run to its end.
    private void ended(String name, String... words) throws Exception {
        command("create", "--name", name, "--network", "none").and(words).run().good();
        docker("start", "-a", name);
    }

    /// An image of one layer that no other has, whatever other tests have left.
    private void makeOwn() throws Exception {
        String file = engine().directory().resolve("own.tar").toString();
        ended("maker", IMAGE, "sh", "-c", "echo own > /own");
        docker("export", "-o", file, "maker");
        docker("import", file, "own:1");
        docker("rm", "maker");
    }

    @Test
    void imagesShareWhatTheyHaveInCommon() throws Exception {
        makeOwn();
        var alone = row(IMAGES, 0, "own");
        String size = alone.get(4);
        String exact = alone.get(6); // four digits; the newer client shows three of the size
        assertThat(alone).startsWith("own", "1", docker("images", "-q", "own:1").text())
                .endsWith(size, "0B", exact, "0");
        assertThat(size).matches("\\d\\.\\d+MB")
                .startsWith(docker("images", "--format", "{{.Size}}", "own:1").text().replace("MB", ""));
        assertThat(exact).startsWith(size.substring(0, 4)).endsWith("MB");

        ended("grower", "own:1", "dd", "if=/dev/zero", "of=/grown", "bs=1000000", "count=3");
        docker("commit", "grower", "grown:1");
        docker("rm", "grower");
        docker("create", "--name", "user", "grown:1", "true");
        assertThat(section(IMAGES).getFirst()).containsExactly("REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE",
                "SHARED SIZE", "UNIQUE SIZE", "CONTAINERS");
        assertThat(row(IMAGES, 0, "own")).endsWith(size, exact, "0B", "0");
        var grown = row(IMAGES, 0, "grown");
        assertThat(grown).startsWith("grown", "1", docker("images", "-q", "grown:1").text()).endsWith(exact, "3MB", "1");
        assertThat(grown.get(4)).isEqualTo((Integer.parseInt(size.substring(0, 1)) + 3) + size.substring(1));

        docker("rm", "user");
        docker("rmi", "grown:1");
        assertThat(row(IMAGES, 0, "own")).endsWith(size, "0B", exact, "0");
    }

    @Test
    void containersTellWhatTheyWroteAndHowManyVolumesTheyHave() throws Exception {
        ended("writer", "-v", "held:/data", IMAGE, "sh", "-c",
                "dd if=/dev/zero of=/made bs=1000 count=7; dd if=/dev/zero of=/data/kept bs=1000 count=5");
        assertThat(section(CONTAINERS).getFirst()).containsExactly("CONTAINER ID", "IMAGE", "COMMAND", "LOCAL VOLUMES", "SIZE",
                "CREATED", "STATUS", "NAMES");
        assertThat(row(CONTAINERS, 7, "writer")).startsWith(docker("ps", "-aq").text(), IMAGE)
                .contains("1", "7kB").anyMatch(cell -> cell.startsWith("Exited (0)"));
        assertThat(row(IMAGES, 0, IMAGE).getLast()).isEqualTo("1");
    }

    @Test
    void volumesCountTheContainersThatHaveThem() throws Exception {
        docker("volume", "create", "free");
        ended("writer", "-v", "held:/data", IMAGE, "dd", "if=/dev/zero", "of=/data/kept", "bs=1000", "count=5");
        docker("create", "--name", "reader", "-v", "held:/data:ro", IMAGE, "true");
        assertThat(section(VOLUMES).getFirst()).containsExactly("VOLUME NAME", "LINKS", "SIZE");
        assertThat(row(VOLUMES, 0, "held")).containsExactly("held", "2", "5kB");
        assertThat(row(VOLUMES, 0, "free")).containsExactly("free", "0", "0B");
        docker("rm", "writer");
        assertThat(row(VOLUMES, 0, "held")).containsExactly("held", "1", "5kB");
    }

    @Test
    void theSummaryCountsWhatIsInUse() throws Exception {
        docker("volume", "create", "free");
        ended("writer", "-v", "held:/data", IMAGE, "dd", "if=/dev/zero", "of=/data/kept", "bs=1000", "count=5");
        assertThat(docker("system", "df", "--format", "{{.Type}} {{.TotalCount}} {{.Active}} {{.Size}} {{.Reclaimable}}").lines())
                .contains("Containers 1 0 0B 0B", "Local Volumes 2 1 5kB 0B (0%)");
        docker("rm", "writer");
        assertThat(docker("system", "df", "--format", "{{.Type}} {{.TotalCount}} {{.Active}} {{.Size}} {{.Reclaimable}}").lines())
                .contains("Containers 0 0 0B 0B", "Local Volumes 2 0 5kB 5kB (100%)");
    }
}
