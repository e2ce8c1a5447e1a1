package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// What the hub does as Debian's docker-registry does, and searching, which that cannot.
abstract class HubContract extends RegistryContract {

    HubContract(DockerCommandContract whole) {
        super(whole, HubUnderTest::open, HubUnderTest::closed);
    }

    @Test
    void whatWasPushedIsFound() throws Exception {
        String host = registry().host();
        send(host + "/team/web:1");
        send(host + "/team/db:1");
        assertThat(docker("search", host + "/web").out()).contains("team/web").doesNotContain("team/db");
        assertThat(docker("search", "--format", "{{.Name}}", host + "/team").lines()).hasSize(2);
    }
}
