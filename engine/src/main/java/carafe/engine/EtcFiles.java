package carafe.engine;

import carafe.spec.EngineException;
import carafe.spec.docker.HostConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The three files a container gets from the engine instead of its image: /etc/hostname, /etc/hosts, /etc/resolv.conf.
/// They lie in the container's directory and are written anew before each start, as Docker does.
final class EtcFiles {
    private static final String LOCAL_NAMES = """
            127.0.0.1\tlocalhost
            ::1\tlocalhost ip6-localhost ip6-loopback
            fe00::\tip6-localnet
            ff00::\tip6-mcastprefix
            ff02::1\tip6-allnodes
            ff02::2\tip6-allrouters
            """;

    private final Path hostEtc;

    /// `hostEtc` is the host's /etc.
    EtcFiles(Path hostEtc) {
        this.hostEtc = hostEtc;
    }

    /// Writes all three into `files`' places.
    void write(ContainerDetails.Files files, String hostName, HostConfig host, Known known) throws EngineException {
        boolean hostNetwork = host.namespaces().network().equals("host");
        try {
            Files.writeString(files.hostname(), hostName + "\n");
            Files.writeString(files.hosts(), hosts(host.resolver().extraHosts(), hostNetwork, known));
            Files.writeString(files.resolver(), resolver(host.resolver(), hostNetwork));
        } catch (IOException e) {
            throw Failures.io("cannot write the container's files in " + files.hosts().getParent(), e);
        }
    }

    /// What the engine knows of addresses: the container's own, and the host's as the container sees it.
    record Known(List<Memberships.HostLine> lines, Optional<String> hostAddress) {}

    /// Writes /etc/hosts anew, in place: a container that runs has this very file.
    void writeHosts(ContainerDetails.Files files, HostConfig host, Known known) throws EngineException {
        try {
            Files.writeString(files.hosts(), hosts(
                    host.resolver().extraHosts(), host.namespaces().network().equals("host"), known));
        } catch (IOException e) {
            throw Failures.io("cannot write " + files.hosts(), e);
        }
    }

    private String hosts(List<String> extraHosts, boolean hostNetwork, Known known) {
        var text = new StringBuilder(hostNetwork ? read("hosts") : LOCAL_NAMES);
        for (var extra : extraHosts) {
            int colon = extra.indexOf(':');
            String address = extra.substring(colon + 1);
            if (address.startsWith("[") && address.endsWith("]")) {
                address = address.substring(1, address.length() - 1);
            }
            if (address.equals("host-gateway")) {
                address = hostNetwork ? "127.0.0.1" : known.hostAddress.orElse("127.0.0.1");
            }
            text.append(address).append('\t').append(extra, 0, colon).append('\n');
        }
        known.lines.forEach(line ->
                text.append(line.address()).append('\t').append(line.names()).append('\n'));
        return text.toString();
    }

    /// The host's resolver configuration with what the user asked for in its place. A server on the loopback of the
    /// host cannot be reached from another network namespace and is left out there.
    private String resolver(HostConfig.Resolver wanted, boolean hostNetwork) {
        boolean nothingAsked = wanted.servers().isEmpty() && wanted.search().isEmpty() && wanted.options().isEmpty();
        String hosts = read("resolv.conf");
        if (nothingAsked && hostNetwork) {
            return hosts;
        }
        var lines = new ArrayList<String>();
        for (var line : hosts.split("\n")) {
            String[] words = line.strip().split("\\s+");
            boolean keep = switch (words[0]) {
                case "nameserver" -> wanted.servers().isEmpty() && words.length > 1
                        && (hostNetwork || !words[1].startsWith("127.") && !words[1].equals("::1"));
                case "search", "domain" -> wanted.search().isEmpty();
                case "options" -> wanted.options().isEmpty();
                default -> false;
            };
            if (keep) {
                lines.add(line.strip());
            }
        }
        wanted.servers().forEach(server -> lines.add("nameserver " + server));
        if (!wanted.search().isEmpty() && !wanted.search().equals(List.of("."))) {
            lines.add("search " + String.join(" ", wanted.search()));
        }
        if (!wanted.options().isEmpty()) {
            lines.add("options " + String.join(" ", wanted.options()));
        }
        return lines.isEmpty() ? "" : String.join("\n", lines) + "\n";
    }

    private String read(String name) {
        try {
            byte[] bytes;
            try (var in = Files.newInputStream(hostEtc.resolve(name))) {
                bytes = in.readNBytes(1 << 20);
            }
            return new String(bytes, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return ""; // a host without the file: the container gets an empty one
        }
    }
}
