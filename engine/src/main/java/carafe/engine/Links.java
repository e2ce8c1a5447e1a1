package carafe.engine;

import carafe.network.Endpoint;
import carafe.network.Fabric;
import carafe.network.Network;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.ContainerConfig;
import carafe.spec.docker.EndpointSettings;
import carafe.spec.docker.HostConfig;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// Containers that were linked to others with `--link NAME:ALIAS`. On the default bridge, which has no name server, a
/// link is a line of /etc/hosts and variables of the environment that tell the other's ports; in networks of users it is
/// a name that only the container itself can ask for.
///
/// The record of a container on the default bridge has the others' ids, so a link stays with the container it was made
/// for, whatever that is called later and whoever gets its name; it ends when that container is removed.
final class Links {
    private static final Pattern ID = Pattern.compile("[0-9a-f]{64}");
    private static final Pattern ALIAS = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]*");

    private final Book book;
    private final NetworkBook networks;
    private final Fabric fabric;

    Links(Book book, NetworkBook networks, Fabric fabric) {
        this.book = book;
        this.networks = networks;
        this.fabric = fabric;
    }

    private record Link(String reference, String alias) {

        static Link parse(String text) {
            int colon = text.indexOf(':');
            String reference = colon < 0 ? text : text.substring(0, colon);
            String alias = colon < 0 ? text : text.substring(colon + 1);
            return new Link(reference, alias.substring(alias.lastIndexOf('/') + 1));
        }

        void check() throws EngineException.Invalid {
            if (!ALIAS.matcher(alias).matches()) {
                throw new EngineException.Invalid("Invalid link alias (" + printable(alias) + "), only "
                        + ALIAS.pattern() + " are allowed");
            }
        }

        private static String printable(String text) {
            return text.chars().limit(64)
                    .mapToObj(letter -> letter < ' ' || letter == 127 ? "?" : Character.toString((char) letter))
                    .collect(Collectors.joining());
        }
    }

    private static List<Link> onBridge(HostConfig host) {
        try {
            return read(host);
        } catch (EngineException.Invalid e) {
            throw new AssertionError("links were checked when they came", e);
        }
    }

    private static List<Link> read(HostConfig host) throws EngineException.Invalid {
        return host.document().texts("Links").stream().map(Link::parse).toList();
    }

    private static boolean isOnBridge(ContainerSnapshot container) {
        return container.networking().endpoints().containsKey(Network.DEFAULT);
    }

    /// Refuses names that cannot be a line of /etc/hosts.
    static void checkAliases(List<String> links) throws EngineException.Invalid {
        for (String text : links) {
            Link.parse(text).check();
        }
    }

    /// `host`'s links with the others' ids. Refuses links to containers that are not there, or that have the host's
    /// network, and names that cannot be.
    Json byId(HostConfig host) throws EngineException {
        var links = new ArrayList<String>();
        for (var link : read(host)) {
            Container other;
            try {
                other = book.find(link.reference);
            } catch (EngineException.NotFound e) {
                throw new EngineException.Invalid("could not get container for " + link.reference + ": " + e.getMessage());
            }
            link.check();
            links.add(other.id() + ":" + link.alias);
            if (other.snapshot().host().namespaces().network().equals("host")) {
                throw new EngineException.Invalid("conflicting options: host type networking can't be used with links."
                        + " This would result in undefined behavior");
            }
        }
        return links.isEmpty() ? host.document().find("Links").orElse(Json.NULL) : Json.ofTexts(links);
    }

    /// The container with ids in its links, if its record was written by a version that kept the names: whoever has the
    /// name now is meant from now on. A name that nobody has stays, for whoever gets it.
    Optional<ContainerSnapshot> settled(ContainerSnapshot container) {
        var settled = new ArrayList<String>();
        boolean changed = false;
        for (var link : onBridge(container.host())) {
            var other = known(link);
            changed |= other.isPresent() && !other.get().id().equals(link.reference);
            settled.add(other.map(Container::id).orElse(link.reference) + ":" + link.alias);
        }
        return changed ? Optional.of(withLinks(container, Json.ofTexts(settled))) : Optional.empty();
    }

    private static ContainerSnapshot withLinks(ContainerSnapshot container, Json links) {
        var host = container.host();
        try {
            return container.with(
                    HostConfig.parse(host.document().with("Links", links)).withMounts(host.files().mounts()));
        } catch (EngineException.Invalid e) {
            throw new AssertionError("it was parsed before", e);
        }
    }

    /// The container as it is shown: with the names that the others have now, `/db:/web/alias`. Those that are gone are
    /// left out.
    ContainerSnapshot shown(ContainerSnapshot container) {
        var links = onBridge(container.host());
        if (links.isEmpty()) {
            return container;
        }
        var shown = new ArrayList<String>();
        for (var link : links) {
            known(link).ifPresent(other -> shown.add(
                    "/" + other.snapshot().name() + ":/" + container.name() + "/" + link.alias));
        }
        return withLinks(container, shown.isEmpty() ? Json.NULL : Json.ofTexts(shown));
    }

    /// Those that have to run before it can be started.
    Set<Container> targets(ContainerSnapshot container) {
        var targets = new LinkedHashSet<Container>();
        if (isOnBridge(container)) {
            onBridge(container.host()).forEach(link -> known(link).ifPresent(targets::add));
        }
        return targets;
    }

    /// An id means that container and no other, also none of which it is the name.
    private Optional<Container> known(Link link) {
        try {
            return Optional.of(book.find(link.reference))
                    .filter(found -> found.id().equals(link.reference) || !ID.matcher(link.reference).matches());
        } catch (EngineException gone) {
            return Optional.empty();
        }
    }

    /// Its address on the default bridge while it runs.
    private Optional<String> address(Container other) {
        return networks.named(Network.DEFAULT)
                .flatMap(network -> fabric.sandbox(other.id()).flatMap(sandbox -> sandbox.in(network.id())))
                .flatMap(Endpoint::four)
                .map(host -> host.address().toString());
    }

    /// The lines of /etc/hosts about those it is linked to and that run.
    List<Memberships.HostLine> hosts(ContainerSnapshot container) {
        var lines = new ArrayList<Memberships.HostLine>();
        if (!isOnBridge(container)) {
            return lines;
        }
        for (var link : onBridge(container.host())) {
            known(link).ifPresent(other -> address(other).ifPresent(address -> {
                String name = other.snapshot().name();
                lines.add(new Memberships.HostLine(address, link.alias + " " + other.snapshot().config().names().host()
                        + (name.equals(link.alias) ? "" : " " + name)));
            }));
        }
        return lines;
    }

    /// Those that are linked to `other`.
    List<Container> parents(Container other) {
        return book.all().stream().filter(container -> targets(container.snapshot()).contains(other)).toList();
    }

    /// Refuses a start while one of the others does not run: the environment could not tell its address. One that was
    /// removed is linked no more.
    void checkRunning(ContainerSnapshot container) throws EngineException {
        if (isOnBridge(container)) {
            for (var link : onBridge(container.host())) {
                var found = known(link);
                if (found.isEmpty()) {
                    continue;
                }
                var other = found.get();
                if (other.running().isEmpty()) {
                    throw new EngineException.Conflict("Cannot link to a non running container: /"
                            + other.snapshot().name() + " AS /" + container.name() + "/" + link.alias);
                }
                if (address(other).isEmpty()) {
                    throw new EngineException.Conflict(
                            "container " + other.id() + " not attached to default bridge network");
                }
            }
        }
    }

    /// The variables that tell of those it is linked to and that run.
    List<String> environment(ContainerSnapshot container) throws EngineException.Invalid {
        var variables = new ArrayList<String>();
        if (isOnBridge(container)) {
            for (var link : onBridge(container.host())) {
                var other = known(link);
                var address = other.flatMap(this::address);
                if (address.isPresent()) {
                    String path = "/" + container.name() + "/" + link.alias;
                    variables.addAll(variables(path, address.get(), other.orElseThrow().snapshot().config()));
                }
            }
        }
        return variables;
    }

    /// What Docker tells of a container at `address` that is linked as `path`: `DB_PORT` the lowest port, for each one
    /// four variables, for ports in a row six more, `DB_NAME`, and its own environment as `DB_ENV_`.
    static List<String> variables(String path, String address, ContainerConfig other) throws EngineException.Invalid {
        String alias = path.substring(path.lastIndexOf('/') + 1).toUpperCase(Locale.ROOT).replace('-', '_');
        var ports = new ArrayList<>(PortPlan.exposed(other));
        ports.sort(Comparator.comparing(PortPlan.Port::protocol).thenComparing(PortPlan.Port::number));
        var variables = new ArrayList<String>();
        ports.stream()
                .min(Comparator.comparing(PortPlan.Port::number).thenComparing(PortPlan.Port::protocol))
                .ifPresent(first -> variables.add(alias + "_PORT=" + url(first, address)));
        rows(ports).forEach(row -> {
            var start = row.getFirst();
            var end = row.getLast();
            String name = name(alias, start);
            variables.add(name + "_START=" + url(start, address));
            variables.add(name + "_PORT_START=" + start.number());
            variables.add(name + "_END=" + url(end, address));
            variables.add(name + "_PORT_END=" + end.number());
        });
        for (var port : ports) {
            String name = name(alias, port);
            variables.add(name + "=" + url(port, address));
            variables.add(name + "_ADDR=" + address);
            variables.add(name + "_PORT=" + port.number());
            variables.add(name + "_PROTO=" + port.protocol());
        }
        variables.add(alias + "_NAME=" + path);
        for (String variable : other.command().environment()) {
            if (variable.indexOf('=') > 0 && !variable.startsWith("HOME=") && !variable.startsWith("PATH=")) {
                variables.add(alias + "_ENV_" + variable);
            }
        }
        return variables;
    }

    /// Ports of one protocol whose numbers follow each other, two and more.
    private static List<List<PortPlan.Port>> rows(List<PortPlan.Port> ports) {
        var rows = new ArrayList<List<PortPlan.Port>>();
        var row = new ArrayList<PortPlan.Port>();
        for (var port : ports) {
            boolean follows = !row.isEmpty() && row.getLast().protocol() == port.protocol()
                    && row.getLast().number() + 1 == port.number();
            if (!follows) {
                row = new ArrayList<>();
                rows.add(row);
            }
            row.add(port);
        }
        return rows.stream().filter(some -> some.size() > 1).toList();
    }

    private static String name(String alias, PortPlan.Port port) {
        return alias + "_PORT_" + port.number() + "_" + port.protocol().toString().toUpperCase(Locale.ROOT);
    }

    private static String url(PortPlan.Port port, String address) {
        return port.protocol() + "://" + address + ":" + port.number();
    }

    /// The names that only this container asks for, in small letters, and who is meant by them.
    Map<String, String> names(ContainerSnapshot container) throws EngineException.Invalid {
        var names = new HashMap<String, String>();
        for (var given : container.networking().endpoints().values()) {
            for (String text : EndpointSettings.parse(given).links()) {
                var link = Link.parse(text);
                String meant = known(link).map(other -> other.id().substring(0, 12)).orElse(link.reference);
                names.put(link.alias.toLowerCase(Locale.ROOT), meant);
            }
        }
        return names;
    }
}
