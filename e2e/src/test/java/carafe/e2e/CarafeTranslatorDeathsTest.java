package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The daemon dies, as `kill -9` ends it, at each step in which it makes the pair of links that translates between IPv6 and
/// IPv4. After its next start there is no link, route or rule of it, and the same container is reached by both.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CarafeTranslatorDeathsTest {

    private static final String WEB = "echo hello > /tmp/index.html; exec httpd -f -p 80 -h /tmp";
    private static final String BUSYBOX = Tools.fetched("busybox", "usr/bin/busybox").toString();

    private final HostedDaemon engine = new HostedDaemon();

    CarafeTranslatorDeathsTest() throws Exception {}

    @BeforeAll
    void begin() throws Exception {
        engine.start();
        docker("load", "-i", TestImages.dockerArchive(engine.directory()).toString()).good();
    }

    @AfterAll
    void end() throws Exception {
        try (engine) {
            docker("rm", "-f", "web");
        } finally {
            engine.end();
        }
    }

    private Outcome docker(String... words) throws Exception {
        return Client.docker28().to(engine).and(words).run();
    }

    @ParameterizedTest
    @ValueSource(strings = {"translator.pair", "translator.settings", "translator.claim", "translator.programs",
        "translator.routes", "translator.remark", "translator.made"})
    void nothingOfOneHalfMadeIsLeftAndTheNextIsWhole(String point) throws Exception {
        engine.failAt(point + "=halt");
        engine.kill();
        engine.start();
        var start = List.of("run", "-d", "--name", "web", "-p", "8080:80", "busybox", "sh", "-c", WEB);
        docker(start.toArray(String[]::new));
        engine.awaitEnd();
        engine.failAt("");
        engine.start();
        engine.remember(docker("ps", "-aq", "--no-trunc").good().lines());
        assertThat(traces()).as(point).isEmpty();

        docker("rm", "-f", "web").good();
        docker(start.toArray(String[]::new)).good();
        engine.remember(docker("ps", "-aq", "--no-trunc").good().lines());
        for (String address : List.of("::1:8080", "127.0.0.1:8080")) {
            Deadline.await(point + ": it answers at " + address, () -> engine.fetch(address).text().equals("hello"));
        }
        assertThat(traces()).as(point).isNotEmpty();
        docker("rm", "-f", "web").good();
        engine.stop();
        assertThat(traces()).as(point).isEmpty();
        engine.start();
    }

    /// Everything on the host that names one of the two links.
    private List<String> traces() throws Exception {
        String all = engine.on(BUSYBOX, "ip", "link").run().good().text() + "\n"
                + engine.on(BUSYBOX, "ip", "route", "show", "table", "all").run().good().text() + "\n"
                + engine.on(BUSYBOX, "ip", "-6", "route", "show", "table", "all").run().good().text() + "\n"
                + engine.on("env", "LD_LIBRARY_PATH=" + Tools.fetched("netfilter", "usr/lib/x86_64-linux-gnu"),
                        Tools.fetched("netfilter", "usr/sbin/nft").toString(), "list", "ruleset").run().good().text();
        return all.lines().filter(line -> line.contains("six6") || line.contains("six4")).toList();
    }
}
