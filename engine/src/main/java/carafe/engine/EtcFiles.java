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
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The three files a container gets from the engine instead of its image: /etc/hostname, /etc/hosts, /etc/resolv.conf.
/// They lie in the run root, on memory, and are written anew before each start. While it runs they are the container's,
/// which may have written anything: they are read up to a limit, and only the engine's own lines are replaced. Which those
/// are is in a file beside them, which the container does not see.
final class EtcFiles {
    private static final String LOCAL_NAMES = """
            127.0.0.1\tlocalhost
            ::1\tlocalhost ip6-localhost ip6-loopback
            fe00::\tip6-localnet
            ff00::\tip6-mcastprefix
            ff02::1\tip6-allnodes
            ff02::2\tip6-allrouters
            """;

    /// What /etc/resolv.conf says where systemd-resolved is the host's name server.
    private static final List<String> RESOLVED = List.of("127.0.0.53");

    /// Docker's, for containers of a host that has none which they could reach.
    private static final List<String> ANYBODYS = List.of("8.8.8.8", "8.8.4.4");

    /// A container's file that has more is not read: it is nothing that a resolver would read either.
    private static final int MOST_BYTES = 1 << 20;

    private static final Logger LOG = LoggerFactory.getLogger(EtcFiles.class);

    private final Host host;
    private final NameDefaults defaults;
    private final AtomicBoolean told = new AtomicBoolean();

    /// Where the host's own files are: its /etc, and the resolv.conf in which systemd-resolved keeps the servers that it
    /// asks itself.
    record Host(Path etc, Path resolved) {
        static final Host USUAL = new Host(Path.of("/etc"), Path.of("/run/systemd/resolve/resolv.conf"));
    }

    /// `defaults` are for containers that do not ask for something else.
    EtcFiles(Host host, NameDefaults defaults) {
        this.host = host;
        this.defaults = defaults;
    }

    /// Writes all three into `files`' places.
    void write(ContainerDetails.Files files, String hostName, HostConfig config, Known known) throws EngineException {
        boolean hostNetwork = config.namespaces().network().equals("host");
        try {
            boolean first = makeDirectory(Objects.requireNonNull(files.hosts().getParent(), "an absolute path"));
            Files.writeString(files.hostname(), hostName + "\n");
            Files.writeString(files.hosts(), hosts(config.resolver().extraHosts(), hostNetwork, known));
            if (!known.lines.isEmpty()) {
                noteLines(files, known.lines);
            } else if (!first) {
                Files.deleteIfExists(lines(files));
            }
            Files.writeString(files.resolver(), resolver(defaults.complete(config.resolver()), hostNetwork, known.nameServer));
        } catch (IOException e) {
            throw Failures.io("cannot write the container's files in " + files.hosts().getParent(), e);
        }
    }

    /// Whether it was not there: else there are an earlier start's files in it.
    private static boolean makeDirectory(Path directory) throws IOException {
        try {
            Files.createDirectory(directory);
            return true;
        } catch (FileAlreadyExistsException e) {
            return false;
        }
    }

    /// What the engine knows of addresses: the container's own, those of the host as the container sees it, and whether
    /// names are served by the engine.
    record Known(List<Memberships.HostLine> lines, List<String> hostAddresses, boolean nameServer) {}

    /// Where it is written which lines of /etc/hosts are the engine's; not there where none are.
    private static Path lines(ContainerDetails.Files files) {
        return files.hosts().resolveSibling("hosts.lines");
    }

    private static void noteLines(ContainerDetails.Files files, List<Memberships.HostLine> lines) throws IOException {
        Files.writeString(lines(files), String.join("", texts(lines).stream().map(line -> line + "\n").toList()),
                StandardCharsets.ISO_8859_1);
    }

    /// Of a container that an engine started which noted no lines: if it wrote any of `known`, all of them are the engine's.
    void noteOlder(ContainerDetails.Files files, Known known) throws EngineException {
        if (known.lines.isEmpty() || Files.exists(lines(files))) {
            return;
        }
        try {
            var there = text(files.hosts()).lines().toList();
            if (known.lines.stream().anyMatch(line -> there.contains(text(line)))) {
                noteLines(files, known.lines); // one that is not there was removed by the container, and stays away
            }
        } catch (IOException e) {
            throw Failures.io("cannot note which lines of " + files.hosts() + " are the engine's", e);
        }
    }

    /// Whether `known` is not what was last written.
    boolean isBehind(ContainerDetails.Files files, Known known) throws EngineException {
        try {
            return !noted(files).equals(texts(known.lines));
        } catch (IOException e) {
            throw Failures.io("cannot read " + lines(files), e);
        }
    }

    private static List<String> noted(ContainerDetails.Files files) throws IOException {
        return Files.exists(lines(files)) ? text(lines(files)).lines().toList() : List.of();
    }

    /// The lines as [#text] reads them: a character for each byte, as nobody knows how the container writes.
    private static List<String> texts(List<Memberships.HostLine> lines) {
        return lines.stream().map(EtcFiles::text).toList();
    }

    private static String text(Memberships.HostLine line) {
        return new String(line.text().getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    }

    /// What the engine has written of addresses since the start is made `known`, in place: a container that runs has this
    /// very file. What others wrote there stays.
    void updateHosts(ContainerDetails.Files files, Known known) throws EngineException {
        try {
            var before = noted(files);
            var now = texts(known.lines);
            String text = text(files.hosts());
            var kept = new ArrayList<>(List.of(text.split("\n", -1)));
            kept.removeIf(line -> before.contains(line) && !now.contains(line));
            if (text.isEmpty() || text.endsWith("\n")) {
                kept.removeLast(); // what follows the last end of a line
            }
            now.stream().filter(line -> !before.contains(line) && !kept.contains(line)).forEach(kept::add);
            String changed = kept.isEmpty() ? "" : String.join("\n", kept) + "\n";
            if (!changed.equals(text)) {
                Files.writeString(files.hosts(), changed, StandardCharsets.ISO_8859_1);
            }
            noteLines(files, known.lines);
        } catch (IOException e) {
            throw Failures.io("cannot update " + files.hosts(), e);
        }
    }

    /// Writes /etc/resolv.conf of one that came to a network with a name server of ours; one that has it already keeps what
    /// its user may have written.
    void writeResolver(ContainerDetails.Files files, HostConfig config, Known known) throws EngineException {
        try {
            if (known.nameServer && !text(files.resolver()).contains(NameService.ADDRESS)) {
                Files.writeString(files.resolver(), resolver(defaults.complete(config.resolver()), false, true));
            }
        } catch (IOException e) {
            throw Failures.io("cannot write " + files.resolver(), e);
        }
    }

    /// A file that a container may have written, byte by byte.
    private static String text(Path file) throws IOException {
        try (var in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MOST_BYTES + 1);
            if (bytes.length > MOST_BYTES) {
                throw new IOException("the container made it larger than " + MOST_BYTES + " bytes: it is left as it is");
            }
            return new String(bytes, StandardCharsets.ISO_8859_1);
        }
    }

    private String hosts(List<String> extraHosts, boolean hostNetwork, Known known) throws EngineException.Unavailable {
        var text = new StringBuilder(hostNetwork ? read(host.etc.resolve("hosts")) : LOCAL_NAMES);
        for (var extra : extraHosts) {
            int colon = extra.indexOf(':');
            String address = extra.substring(colon + 1);
            if (address.startsWith("[") && address.endsWith("]")) {
                address = address.substring(1, address.length() - 1);
            }
            var addresses = address.equals("host-gateway") ? gateways(extra, hostNetwork, known) : List.of(address);
            for (var each : addresses) {
                text.append(each).append('\t').append(extra, 0, colon).append('\n');
            }
        }
        known.lines.forEach(line -> text.append(line.text()).append('\n'));
        return text.toString();
    }

    private List<String> gateways(String extra, boolean hostNetwork, Known known) throws EngineException.Unavailable {
        if (hostNetwork && defaults.hostGateways().isEmpty()) {
            return List.of("127.0.0.1");
        }
        if (known.hostAddresses.isEmpty()) {
            throw new EngineException.Unavailable("unable to derive the IP value for host-gateway (--add-host " + extra
                    + "): this engine has no default bridge; write an address instead, or name one as"
                    + " \"host-gateway-ips\" in daemon.json");
        }
        return known.hostAddresses;
    }

    /// The host's resolver configuration with what the user asked for in its place. A server on the loopback of the
    /// host cannot be reached from another network namespace and is left out there; if nobody is left, there are Docker's.
    private String resolver(HostConfig.Resolver wanted, boolean hostNetwork, boolean nameServer) {
        boolean nothingAsked = wanted.servers().isEmpty() && wanted.search().isEmpty() && wanted.options().isEmpty();
        String hosts = hostNetwork ? read(host.etc.resolve("resolv.conf")) : upstream();
        if (nothingAsked && hostNetwork) {
            return hosts;
        }
        var lines = new ArrayList<String>();
        for (var line : hosts.split("\n")) {
            String[] words = line.strip().split("\\s+");
            boolean keep = switch (words[0]) {
                case "nameserver" -> !nameServer && wanted.servers().isEmpty() && words.length > 1
                        && (hostNetwork || !isLoopback(words[1]));
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
        } else if (!wanted.servers().isEmpty()) {
            wanted.servers().forEach(server -> lines.add("nameserver " + server));
        } else if (!hostNetwork && lines.stream().noneMatch(line -> line.startsWith("nameserver"))) {
            ANYBODYS.reversed().forEach(server -> lines.addFirst("nameserver " + server));
            if (!told.getAndSet(true)) {
                LOG.warn("{} names no server that containers could reach: those of the default bridge ask {}; \"dns\" in"
                        + " daemon.json, or --dns, names others",
                        host.etc.resolve("resolv.conf"), String.join(" and ", ANYBODYS));
            }
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

    /// The host's configuration as others can use it: systemd-resolved itself is on the loopback.
    private String upstream() {
        String text = read(host.etc.resolve("resolv.conf"));
        var servers = new ArrayList<String>();
        for (var line : text.split("\n")) {
            String[] words = line.strip().split("\\s+");
            if (words[0].equals("nameserver") && words.length > 1) {
                servers.add(words[1]);
            }
        }
        return servers.equals(RESOLVED) ? read(host.resolved) : text;
    }

    private static boolean isLoopback(String server) {
        return server.startsWith("127.") || server.equals("::1");
    }

    private static String read(Path file) {
        try {
            byte[] bytes;
            try (var in = Files.newInputStream(file)) {
                bytes = in.readNBytes(1 << 20);
            }
            return new String(bytes, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return ""; // a host without the file: the container gets an empty one
        }
    }
}
