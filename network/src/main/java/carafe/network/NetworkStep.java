package carafe.network;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// One step on a container's way into its networks, for people: what is called, and how long it took (empty in a plan).
public record NetworkStep(Kind kind, String call, Optional<Duration> took) {

    /// What steps are for, in one sentence for a learner, and the page to read.
    public enum Kind {
        PORTS("reserve-ports", "bind(2)",
                "Takes the ports of this host that lead to the container, so that no other program gets them."),
        ADDRESS("choose-address", "ip-address(8)",
                "Chooses addresses that nobody in the network has: by them the others tell containers apart."),
        NAMESPACE("network-namespace", "network_namespaces(7)",
                "Takes a network of its own, made ahead and empty but for its loopback: neither links, addresses, routes,"
                        + " ports nor filters of the host are in it."),
        NOTE("note", "rename(2)",
                "Writes down what is about to be made, so that a crash from here on leaves nothing behind."),
        LINK("lay-cable", "veth(4)",
                "Makes a cable: one end is born inside as the container's interface, the other is a port of the network's"
                        + " bridge. It is the only way in and out."),
        SHARED("share-link", "ip-link(8)",
                "Makes an interface inside that shares a link of the host: the network outside sees the container itself."),
        CONFIGURE("addresses-and-routes", "rtnetlink(7)",
                "Gives the interfaces their addresses, brings them up and says by which neighbour everything else is"
                        + " reached."),
        PUBLISH("publish", "nft(8)",
                "Leads ports of this host to the container by elements of maps: no process, no rule per port, and the"
                        + " host's own firewall is still asked."),
        NAMES("name-server", "resolv.conf(5)",
                "Opens the name server at 127.0.0.11 inside: it knows the names of those in the same networks only.");

        private final String id;
        private final String man;
        private final String why;

        Kind(String id, String man, String why) {
            this.id = id;
            this.man = man;
            this.why = why;
        }

        /// What names it.
        public String id() {
            return id;
        }

        /// The page to read.
        public String man() {
            return man;
        }

        /// What it is for.
        public String why() {
            return why;
        }
    }

    /// What is done, before it is.
    public static NetworkStep planned(Kind kind, String call) {
        return new NetworkStep(kind, call, Optional.empty());
    }

    /// Steps as they are done, each timed from the end of the one before. For one thread.
    public static final class Diary {
        private final List<NetworkStep> steps = new ArrayList<>();
        private long last = System.nanoTime();

        /// This was done since the last was.
        public void done(Kind kind, String call) {
            long now = System.nanoTime();
            steps.add(new NetworkStep(kind, call, Optional.of(Duration.ofNanos(now - last))));
            last = now;
        }

        /// What comes next begins now.
        public void resume() {
            last = System.nanoTime();
        }

        /// All of them so far.
        public List<NetworkStep> steps() {
            return List.copyOf(steps);
        }
    }

    /// What joining these networks takes: all that is not chosen before it is done has a word in its place.
    public static List<NetworkStep> plan(List<Joining> joinings) {
        var steps = new ArrayList<NetworkStep>();
        if (joinings.isEmpty()) {
            return steps;
        }
        var configure = new ArrayList<String>();
        var links = new ArrayList<NetworkStep>();
        for (int number = 0; number < joinings.size(); number++) {
            var joining = joinings.get(number);
            var network = joining.network();
            String name = joining.wanted().interfaceName().isEmpty()
                    ? network.settings().interfacePrefix() + number
                    : joining.wanted().interfaceName();
            for (boolean six : new boolean[] {false, true}) {
                var asked = six ? joining.wanted().six() : joining.wanted().four();
                network.subnet(six).ifPresent(subnet -> {
                    String address = asked.map(Object::toString).orElse("a free address of " + subnet.range());
                    steps.add(planned(Kind.ADDRESS, network.name() + ": " + address));
                    configure.add("RTM_NEWADDR " + name + " " + address);
                });
            }
            links.add(planned(kind(network), link(network, "veth…", name, "its address's")));
            configure.add("RTM_NEWLINK " + name + " up");
        }
        if (joinings.stream().anyMatch(joining -> joining.network().leadsOut())) {
            configure.add("RTM_NEWROUTE default");
        }
        steps.add(planned(Kind.NAMESPACE, "unshare(CLONE_NEWNET), made ahead"));
        steps.add(planned(Kind.NOTE, "write(), rename()"));
        steps.addAll(links);
        steps.add(planned(Kind.CONFIGURE, String.join("; ", configure)));
        if (joinings.stream().anyMatch(joining -> joining.network().userDefined())) {
            steps.add(planned(Kind.NAMES, NAMES));
        }
        return steps;
    }

    /// How names come to be served.
    public static final String NAMES = "bind(127.0.0.11) inside; nft: port 53 there leads to it";

    static Kind kind(Network network) {
        return network.driver() == Driver.BRIDGE ? Kind.LINK : Kind.SHARED;
    }

    /// The message that makes a link.
    static String link(Network network, String hostLink, String name, String mac) {
        int mtu = network.settings().mtu();
        return network.driver() == Driver.BRIDGE
                ? "RTM_NEWLINK veth " + hostLink + " (port of " + network.link() + ", mtu " + mtu + ", up) ↔ " + name
                        + " inside (mac " + mac + ")"
                : "RTM_NEWLINK " + network.driver().word() + " " + name + " inside, on " + network.link() + " (mtu " + mtu + ")";
    }

    /// The messages that give a container's interfaces what they have.
    static String configuration(Sandbox sandbox) {
        var calls = new ArrayList<String>();
        for (var endpoint : sandbox.endpoints()) {
            endpoint.four().ifPresent(address -> calls.add("RTM_NEWADDR " + endpoint.interfaceName() + " " + address));
            endpoint.six().ifPresent(address -> calls.add("RTM_NEWADDR " + endpoint.interfaceName() + " " + address));
            calls.add("RTM_NEWLINK " + endpoint.interfaceName() + " up");
        }
        for (boolean six : new boolean[] {false, true}) {
            sandbox.gateway(six).ifPresent(best -> calls.add("RTM_NEWROUTE default "
                    + (six ? best.gateways().six() : best.gateways().four()).map(gateway -> "via " + gateway + " ").orElse("")
                    + "dev " + best.interfaceName()));
        }
        return String.join("; ", calls);
    }
}
