package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// Registries that are not on the loopback, with certificates of nobody's: one behind a proxy, one beside it, and one that
/// the daemon's owner does not call insecure. Logins are kept by a program.
@Tag("registries")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CarafeDistantRegistryTest {

    /// One address for each process of the moment, of the networks for benchmarks (RFC 2544).
    private static final String ADDRESS = "198.19." + (ProcessHandle.current().pid() / 250 % 250) + "."
            + (ProcessHandle.current().pid() % 250 + 1);

    private final CarafeDaemon engine = new CarafeDaemon();
    private ConnectProxy proxy;
    private HubUnderTest behind;
    private HubUnderTest beside;
    private HubUnderTest unproven;

    CarafeDistantRegistryTest() throws Exception {}

    @BeforeAll
    void start() throws Exception {
        ip("add");
        proxy = new ConnectProxy("eve", "pa55");
        behind = HubUnderTest.distant(ADDRESS);
        beside = HubUnderTest.distant(ADDRESS);
        unproven = HubUnderTest.distant(ADDRESS);
        Path config = Files.writeString(engine.directory().resolve("daemon.json"), """
                {"insecure-registries":["%s","%s"],
                 "proxies":{"https-proxy":"http://eve:pa55@%s","no-proxy":"other.example,%s"}}
                """.formatted(behind.host(), beside.host(), proxy.host(), beside.host()));
        engine.with("--config-file", config.toString());
        engine.start();
        Client.carafe().to(engine).and("load", "-i", TestImages.otherArchive(engine.directory()).toString()).run().good();
    }

    @AfterAll
    void stop() throws Exception {
        try {
            engine.close();
            for (var hub : List.of(behind, beside, unproven)) {
                hub.close();
            }
            proxy.close();
        } finally {
            ip("del");
        }
    }

    private static void ip(String verb) throws Exception {
        Command.of("ip", "address", verb, ADDRESS + "/32", "dev", "lo").run().good();
    }

    /// Makes `docker-credential-e2e`, which keeps one login and writes down what it is asked.
    private Path helper(String registry) throws Exception {
        Path place = Files.createDirectories(engine.directory().resolve("helper"));
        Path program = Files.writeString(place.resolve("docker-credential-e2e"), """
                #!/bin/sh
                cd %s || exit 1
                echo "$1" >> asked
                case "$1" in
                store) cat > login ;;
                get) read -r url
                    grep -qsF "$url" login && exec cat login
                    echo "credentials not found in native keychain"
                    exit 1 ;;
                erase) rm -f login ;;
                *) exit 2 ;;
                esac
                """.formatted(place));
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
        Files.writeString(engine.directory().resolve("client/config.json"),
                "{\"credHelpers\":{\"" + registry + "\":\"e2e\"}}");
        return place;
    }

    private Command command(Client client, String... words) {
        return client.to(engine).and(words)
                .with("PATH", engine.directory().resolve("helper") + ":" + System.getenv("PATH"));
    }

    private void exchange(HubUnderTest hub) throws Exception {
        String name = hub.host() + "/team/app:1";
        for (var client : List.of(Client.carafe(), Client.docker28())) {
            Path kept = helper(hub.host());
            command(client, "tag", "other:1", name).run().good();
            assertThat(command(client, "push", name).run().endedWith(1).all()).as(client.name())
                    .containsPattern("no basic auth credentials|unauthorized|denied");
            assertThat(command(client, "login", "-u", "ann", "--password-stdin", hub.host()).stdin("secret\n").run().good()
                    .out()).as(client.name()).contains("Login Succeeded");
            assertThat(Files.readString(kept.resolve("login"))).contains(hub.host());
            assertThat(Files.readString(engine.directory().resolve("client/config.json")))
                    .doesNotContain("YW5uOnNlY3JldA", "secret", "identitytoken");
            command(client, "push", name).run().good();
            command(client, "rmi", name).run().good();
            assertThat(command(client, "pull", name).run().good().out()).contains("Status: Downloaded newer image for " + name);
            command(client, "rmi", name).run().good();
            assertThat(command(client, "logout", hub.host()).run().good().out())
                    .contains("Removing login credentials for " + hub.host());
            assertThat(kept.resolve("login")).doesNotExist();
            assertThat(command(client, "pull", name).run().endedWith(1).all()).doesNotContain("Status: ");
            assertThat(Files.readAllLines(kept.resolve("asked"))).contains("store", "get").endsWith("get")
                    .contains("erase");
            Files.delete(kept.resolve("asked"));
        }
    }

    @Test
    void throughAProxyThatWantsAUser() throws Exception {
        exchange(behind);
        assertThat(proxy.asked()).contains(behind.host()).doesNotContain(beside.host());
        assertThat(engine.log()).doesNotContain("pa55", "ZXZlOnBhNTU");
    }

    @Test
    void pastTheProxy() throws Exception {
        exchange(beside);
        assertThat(proxy.asked()).doesNotContain(beside.host());
    }

    @Test
    void aCertificateOfNobodysIsRefused() throws Exception {
        String name = unproven.host() + "/team/app:1";
        for (var client : List.of(Client.carafe(), Client.docker28())) {
            assertThat(client.to(engine).and("pull", name).run().endedWith(1).all()).as(client.name())
                    .contains("the TLS handshake failed");
        }
    }
}
