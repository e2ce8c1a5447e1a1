package carafe.engine;

import carafe.network.dns.NameService;
import carafe.spec.EngineException;
import carafe.spec.docker.HostConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// The three files a container gets from the engine instead of its image: /etc/hostname, /etc/hosts, /etc/resolv.conf.
/// They lie in the run root, on memory, and are written anew before each start.
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
    private final NameDefaults defaults;

    /// `hostEtc` is the host's /etc; `defaults` are for containers that do not ask for something else.
    EtcFiles(Path hostEtc, NameDefaults defaults) {
        this.hostEtc = hostEtc;
        this.defaults = defaults;
    }

    /// Writes all three into `files`' places.
    void write(ContainerDetails.Files files, String hostName, HostConfig host, Known known) throws EngineException {
        boolean hostNetwork = host.namespaces().network().equals("host");
        try {
            makeDirectory(Objects.requireNonNull(files.hosts().getParent(), "an absolute path"));
            Files.writeString(files.hostname(), hostName + "\n");
            Files.writeString(files.hosts(), hosts(host.resolver().extraHosts(), hostNetwork, known));
            Files.writeString(files.resolver(), resolver(defaults.complete(host.resolver()), hostNetwork, known.nameServer));
        } catch (IOException e) {
            throw Failures.io("cannot write the container's files in " + files.hosts().getParent(), e);
        }
    }

    private static void makeDirectory(Path directory) throws IOException {
        try {
            Files.createDirectory(directory);
        } catch (FileAlreadyExistsException e) {
            // an earlier start's
        }
    }

    /// What the engine knows of addresses: the container's own, those of the host as the container sees it, and whether
    /// names are served by the engine.
    record Known(List<Memberships.HostLine> lines, List<String> hostAddresses, boolean nameServer) {}

    /// Writes /etc/hosts anew, in place: a container that runs has this very file.
    void writeHosts(ContainerDetails.Files files, HostConfig host, Known known) throws EngineException {
        try {
            Files.writeString(files.hosts(), hosts(
                    host.resolver().extraHosts(), host.namespaces().network().equals("host"), known));
        } catch (IOException e) {
            throw Failures.io("cannot write " + files.hosts(), e);
        }
    }

    /// The same for /etc/resolv.conf of one that came to a network with a name server of ours; one that has it already
    /// keeps what its user may have written.
    void writeResolver(ContainerDetails.Files files, HostConfig host, Known known) throws EngineException {
        try {
            if (known.nameServer && !Files.readString(files.resolver()).contains(NameService.ADDRESS)) {
                Files.writeString(files.resolver(), resolver(defaults.complete(host.resolver()), false, true));
            }
        } catch (IOException e) {
            throw Failures.io("cannot write " + files.resolver(), e);
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
            var addresses = !address.equals("host-gateway") ? List.of(address)
                    : hostNetwork && defaults.hostGateways().isEmpty() || known.hostAddresses.isEmpty() ? List.of("127.0.0.1")
                    : known.hostAddresses;
            for (var each : addresses) {
                text.append(each).append('\t').append(extra, 0, colon).append('\n');
            }
        }
        known.lines.forEach(line ->
                text.append(line.address()).append('\t').append(line.names()).append('\n'));
        return text.toString();
    }

    /// The host's resolver configuration with what the user asked for in its place. A server on the loopback of the
    /// host cannot be reached from another network namespace and is left out there.
    private String resolver(HostConfig.Resolver wanted, boolean hostNetwork, boolean nameServer) {
        boolean nothingAsked = wanted.servers().isEmpty() && wanted.search().isEmpty() && wanted.options().isEmpty();
        String hosts = read("resolv.conf");
        if (nothingAsked && hostNetwork) {
            return hosts;
        }
        var lines = new ArrayList<String>();
        for (var line : hosts.split("\n")) {
            String[] words = line.strip().split("\\s+");
            boolean keep = switch (words[0]) {
                case "nameserver" -> !nameServer && wanted.servers().isEmpty() && words.length > 1
                        && (hostNetwork || !words[1].startsWith("127.") && !words[1].equals("::1"));
                case "search", "domain" -> wanted.search().isEmpty();
                case "options" -> wanted.options().isEmpty();
                default -> false;
            };
            if (keep) {
                lines.add(nameServer && words[0].equals("options") ? withoutDots(line.strip()) : line.strip());
            }
        }
        if (nameServer) {
            lines.addFirst("nameserver " + NameService.ADDRESS);
        } else {
            wanted.servers().forEach(server -> lines.add("nameserver " + server));
        }
        if (!wanted.search().isEmpty() && !wanted.search().equals(List.of("."))) {
            lines.add("search " + String.join(" ", wanted.search()));
        }
        if (!wanted.options().isEmpty()) {
            String options = "options " + String.join(" ", wanted.options());
            lines.add(nameServer ? withoutDots(options) : options);
        }
        if (nameServer && lines.stream().noneMatch(line -> line.startsWith("options"))) {
            lines.add("options ndots:0");
        }
        return lines.isEmpty() ? "" : String.join("\n", lines) + "\n";
    }

    /// Names of containers have no dots and are to be asked for as they are, unless somebody wants it otherwise.
    private static String withoutDots(String options) {
        return options.contains("ndots:") ? options : options + " ndots:0";
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
