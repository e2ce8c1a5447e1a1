package carafe.network.port;

import carafe.kernel.NftChain;
import carafe.kernel.Nftables.BaseChain;
import carafe.spec.network.IpAddress;
import java.util.ArrayList;
import java.util.List;

/// From where a published port can be reached, for people: a pure function of the binding and of the chains that other
/// tables of the host have where packets are forwarded, those of legacy iptables too.
public record Reach(PortBinding binding, boolean fromThisHost, boolean fromOthers, List<String> remarks) {

    /// Copies the remarks.
    public Reach {
        remarks = List.copyOf(remarks);
    }

    /// `chains` are those of the host that are not ours; `targets` are the addresses that packets are sent to: the
    /// container's, or first the translator's and then the container's, since they are forwarded twice; `six` says that the
    /// host forwards IPv6.
    static Reach of(PortBinding binding, List<IpAddress> targets, List<BaseChain> chains, boolean six) {
        var remarks = new ArrayList<String>();
        if (targets.isEmpty()) {
            remarks.add("it leads nowhere: the container has no network with a default route of this family");
            return new Reach(binding, false, false, remarks);
        }
        if (binding.address().isLoopback()) {
            remarks.add("only this host itself: it is published at " + binding.address());
            return new Reach(binding, true, false, remarks);
        }
        remarks.add(binding.address().isUnspecified()
                ? "at every " + (binding.address().six() ? "IPv6" : "IPv4") + " address of this host"
                : "at " + binding.address() + " only");
        boolean dropped = binding.address().six() && !six;
        boolean fromThisHost = true;
        if (dropped) {
            remarks.add("not from other hosts: this one does not forward IPv6 (net.ipv6.conf.all.forwarding is 0)");
        }
        for (var chain : chains) {
            for (var target : targets) {
                boolean asked = chain.hook() == NftChain.Hook.FORWARD
                        && !chain.family().equals(target.six() ? "ip" : "ip6");
                if (asked && chain.drops()) {
                    dropped = true;
                    fromThisHost &= targets.size() == 1 || target.six(); // the IPv4 half of a translation is forwarded
                    remarks.add("not from other hosts, unless one of its " + chain.rules() + " rules lets them pass: the"
                            + " host's firewall drops what it forwards (" + name(chain) + "); "
                            + remedy(chain, binding, target));
                } else if (asked && chain.rules() > 0) {
                    remarks.add(
                            "the host's firewall is asked too (" + name(chain) + ", " + chain.rules() + " rules)");
                }
            }
        }
        return new Reach(binding, fromThisHost, !dropped, remarks.stream().distinct().toList());
    }

    /// This with what it says of hosts whose packets may come to the container's address itself.
    Reach withDirect(List<IpAddress> targets, Elements.Direct direct) {
        if (direct.equals(Elements.Direct.NOBODY) || targets.isEmpty()) {
            return this;
        }
        String who = direct.everybody() ? "from all hosts" : "from hosts behind " + String.join(", ", direct.links());
        var address = targets.getFirst();
        var more = new ArrayList<>(remarks);
        more.add(who + " that have a route to it, as far as the host's firewall"
                + " lets them, at " + (address.six() ? "[" + address + "]" : address.toString()) + ":" + binding.containerPort()
                + " too");
        return new Reach(binding, fromThisHost, fromOthers, more);
    }

    /// What the host's firewall does to containers as a whole, one sentence for each of its `chains` that drops whatever
    /// it does not know; that of a family once.
    static List<String> warnings(List<BaseChain> chains) {
        return chains.stream()
                .filter(chain -> chain.hook() == NftChain.Hook.FORWARD && chain.drops())
                .map(chain -> "this host's firewall drops what it forwards (" + name(chain) + ", " + chain.rules()
                        + " rules): unless a rule lets them pass, containers on bridges reach nothing outside and their"
                        + " published ports are reached from this host only; " + general(chain)
                        + "; carafe port --reachable CONTAINER tells it of each port")
                .distinct()
                .toList();
    }

    private static String general(BaseChain chain) {
        if (chain.legacy()) {
            String program = program(chain);
            return "to let them out: " + program + " -I FORWARD -i BRIDGE -j ACCEPT, and answers back: " + program
                    + " -I FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT";
        }
        return chain.name().equals("FORWARD")
                ? "to let them out with ufw: ufw route allow in on BRIDGE, and to open a port: ufw route allow proto tcp to"
                        + " ADDRESS port PORT"
                : "to let them out: nft insert rule " + chain.family() + " " + chain.table() + " " + chain.name()
                        + " iifname BRIDGE accept, and answers back: ct state established,related accept";
    }

    private static String program(BaseChain chain) {
        return chain.family() + "tables-legacy";
    }

    private static String name(BaseChain chain) {
        if (chain.legacy()) {
            return program(chain) + ", chain " + chain.name();
        }
        return "table " + chain.family() + " " + chain.table() + ", chain " + chain.name();
    }

    private static String remedy(BaseChain chain, PortBinding binding, IpAddress target) {
        if (chain.legacy()) {
            return "to open it: " + program(chain) + " -I FORWARD -d " + target + " -p " + binding.protocol() + " --dport "
                    + binding.containerPort() + " -j ACCEPT";
        }
        boolean iptables = chain.name().equals("FORWARD");
        return iptables
                ? "to open it with ufw: ufw route allow proto " + binding.protocol() + " to " + target + " port "
                        + binding.containerPort()
                : "to open it: nft insert rule " + chain.family() + " " + chain.table() + " " + chain.name() + " "
                        + (target.six() ? "ip6" : "ip") + " daddr " + target + " " + binding.protocol()
                        + " dport " + binding.containerPort() + " accept";
    }
}
