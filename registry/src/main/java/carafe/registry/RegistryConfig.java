package carafe.registry;

import carafe.http.Origin;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What the host's owner says about registries.
///
/// @param insecure hosts (`host:port`) and networks whose certificates are not checked and that may speak in clear
/// @param mirrors by registry domain, URLs asked before the registry itself; a URL's path goes before the repository's
/// @param hub the hub of this host
/// @param certificates directories of the form of Docker's certs.d, all of which count
/// @param agent what the client calls itself
public record RegistryConfig(List<String> insecure, Map<String, List<String>> mirrors, Optional<OwnHub> hub,
        List<Path> certificates, Proxies proxies, Patience patience, String agent) {

    /// Copies the collections.
    public RegistryConfig {
        insecure = List.copyOf(insecure);
        mirrors = Map.copyOf(mirrors);
        certificates = List.copyOf(certificates);
    }

    /// Nothing is said: registries are reached directly, and what they prove is checked.
    public static RegistryConfig plain(String agent) {
        return new RegistryConfig(List.of(), Map.of(), Optional.empty(), List.of(Path.of("/etc/carafe/certs.d"),
                Path.of("/etc/docker/certs.d")), Proxies.NONE, Patience.USUAL, agent);
    }

    /// Whether the owner says that this origin's host needs no proof.
    boolean believes(Origin origin) {
        return insecure.stream().anyMatch(rule -> rule.equalsIgnoreCase(origin.hostPort())
                || rule.equalsIgnoreCase(origin.host()) || HostRange.covers(rule, origin.host()));
    }

    /// Where a client certificate for a host goes, in words for its owner.
    String certificateAdvice(String hostPort) {
        String place = certificates.isEmpty() ? "certs.d/" + hostPort : certificates.getFirst().resolve(hostPort).toString();
        return "put it and its key into " + place + " as client.cert and client.key, and the registry's authority as ca.crt";
    }
}
