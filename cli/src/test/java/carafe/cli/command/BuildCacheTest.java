package carafe.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.cli.session.TestSession;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What `builder prune` asks for, and what it and `builder du` show.
class BuildCacheTest {

    private static final String RECORDS = """
            [{"ID":"aaaa","Type":"regular","Description":"0: RUN x","InUse":false,"Shared":false,"Size":2000,
             "CreatedAt":"2025-12-05T09:00:00Z","LastUsedAt":"2025-12-05T10:00:00Z","UsageCount":3},
            {"ID":"bbbb","Type":"exec.cachemount","Description":"cached mount m","InUse":true,"Shared":false,"Size":1000,
             "CreatedAt":"2025-12-05T09:00:00Z","LastUsedAt":"2025-12-05T11:00:00Z","UsageCount":1},
            {"ID":"cccc","Type":"source.local","Description":"0: COPY","InUse":false,"Shared":true,"Size":500,
             "CreatedAt":"2025-12-05T09:00:00Z","LastUsedAt":"2025-12-05T11:30:00Z","UsageCount":1}]""";

    @TempDir
    Path directory;

    private final TestSession caller = new TestSession();
    private FakeEngine engine;

    @BeforeEach
    void start() throws Exception {
        engine = new FakeEngine(directory);
        caller.environment.put("CARAFE_HOST", engine.host());
        engine.on("GET /build/cache", 200, RECORDS);
    }

    @AfterEach
    void stop() {
        engine.close();
    }

    private int run(String... words) {
        return Carafe.run(caller.session(words), address -> false);
    }

    @Test
    void aPruneSaysHowMuchMayStay() {
        engine.on("POST /build/prune", 200, "{\"CachesDeleted\":[\"aaaa\"],\"SpaceReclaimed\":2000}");
        assertThat(run("builder", "prune", "-f", "--reserved-space", "1k", "--max-used-space", "2k", "--min-free-space", "3k"))
                .isZero();
        assertThat(engine.asked).last().isEqualTo(
                "POST /build/prune?reserved-space=1024&max-used-space=2048&min-free-space=3072");
        assertThat(caller.output()).isEqualTo("aaaa\nTotal reclaimed space: 2kB\n");
        assertThat(run("builder", "prune", "-f", "--min-free-space", "much")).isEqualTo(1);
        assertThat(caller.errors()).contains("invalid size 'much' of --min-free-space");
    }

    @Test
    void aVerbosePruneTellsWhatWent() {
        engine.on("POST /build/prune", 200, "{\"CachesDeleted\":[\"aaaa\"],\"SpaceReclaimed\":2000}");
        assertThat(run("builder", "prune", "-f", "--verbose")).isZero();
        assertThat(caller.output()).contains("ID:            aaaa", "Description:   0: RUN x", "Type:          regular")
                .doesNotContain("bbbb").endsWith("Total reclaimed space: 2kB\n");
    }

    @Test
    void usageIsATableWithSums() {
        assertThat(run("builder", "du", "--filter", "until=1h")).isZero();
        assertThat(engine.asked).last().asString().startsWith("GET /build/cache?filters=").contains("until");
        assertThat(caller.output().lines().map(line -> line.replaceAll(" {2,}", "|"))).containsExactly(
                "ID|RECLAIMABLE|SIZE|LAST ACCESSED",
                "cccc|true|500B|30 minutes ago",
                "bbbb|false|1kB|About an hour ago",
                "aaaa|true|2kB|2 hours ago",
                "Shared:|500B", "Private:|3kB", "Reclaimable:|2kB", "Total:|3.5kB");
    }

    @Test
    void usageIsShownByATemplateOrInFull() {
        assertThat(run("builder", "du", "--format", "{{.ID}} {{.Shared}} {{.UsageCount}}")).isZero();
        assertThat(caller.output()).isEqualTo("cccc true 1\nbbbb false 1\naaaa false 3\n");
        assertThat(run("builder", "du", "--verbose")).isZero();
        assertThat(caller.output()).contains("Usage count:   3", "Created at:    2025-12-05T09:00:00Z");
        assertThat(run("builder", "du", "--verbose", "--format", "json")).isEqualTo(1);
    }
}
