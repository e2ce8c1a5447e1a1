package carafe.network;

import carafe.spec.EngineException;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A network as it was decided: immutable, written down by its owner (the engine) as [NetworkCodec] prints it.
///
/// `link` is the name of the bridge, or of the parent link of macvlan and ipvlan; empty where there is none. `options`
/// are the driver's, as they were given, and what [Bridges#keeping] remarks; what they mean is in [LinkOptions].
/// `config` says whether it is one at all.
public record Network(
        String id,
        String name,
        Instant created,
        Driver driver,
        Addressing addressing,
        Reach reach,
        String link,
        Map<String, String> options,
        Map<String, String> labels,
        Config config) {

    /// The name of the network that containers join which name none.
    public static final String DEFAULT = "bridge";

    public Network {
        options = Collections.unmodifiableMap(new LinkedHashMap<>(options));
        labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
    }

    /// One that nobody made a configuration of, nor from one.
    public Network(String id, String name, Instant created, Driver driver, Addressing addressing, Reach reach, String link,
            Map<String, String> options, Map<String, String> labels) {
        this(id, name, created, driver, addressing, reach, link, options, labels, Config.NONE);
    }

    /// `only`: it is what others are made of, and nobody can be in it; its driver is [Driver#NONE] and its ranges are not
    /// taken. `from`: the name of the configuration it was made of, `""` if of none.
    public record Config(boolean only, String from) {
        /// A network like most.
        public static final Config NONE = new Config(false, "");
    }

    /// Its families and ranges; `ipam` and `ipamOptions` are echoed only.
    public record Addressing(
            boolean four, boolean six, String ipam, Map<String, String> ipamOptions, List<Subnet> subnets) {
        public Addressing {
            ipamOptions = Collections.unmodifiableMap(new LinkedHashMap<>(ipamOptions));
            subnets = List.copyOf(subnets);
        }

        /// No addresses at all.
        public static final Addressing NONE = new Addressing(false, false, "default", Map.of(), List.of());
    }

    /// Who may reach it: `internal` networks lead nowhere else; `attachable` and `ingress` are swarm's words, echoed only.
    public record Reach(boolean internal, boolean attachable, boolean ingress) {
        /// As networks are unless asked for otherwise.
        public static final Reach USUAL = new Reach(false, false, false);
    }

    /// The same with one more option.
    Network with(String option, String value) {
        var more = new LinkedHashMap<>(options);
        more.put(option, value);
        return new Network(id, name, created, driver, addressing, reach, link, more, labels, config);
    }

    /// Its options as they were given: without the engine's own remark among them. Who compares a network with what it wants
    /// of it, as docker-compose does, would find another.
    public Map<String, String> givenOptions() {
        var given = new LinkedHashMap<>(options);
        given.remove(LinkOptions.KEPT);
        return given;
    }

    /// Whether it came with the engine and cannot be removed.
    public boolean builtIn() {
        return name.equals(DEFAULT) || driver == Driver.HOST || driver == Driver.NONE && !config.only;
    }

    /// Whether a user made it: only there containers find each other by name.
    public boolean userDefined() {
        return !builtIn();
    }

    /// Whether its containers share a link of the host.
    boolean shares() {
        return driver == Driver.MACVLAN || driver == Driver.IPVLAN;
    }

    /// Whether it leads anywhere but to its own containers: not an internal one, nor a shared link that is no link of
    /// the host's.
    public boolean leadsOut() {
        return !reach.internal && !(shares() && link.equals(Parents.nowhere(driver, id)));
    }

    /// What its options mean.
    public LinkOptions settings() {
        return LinkOptions.of(this);
    }

    /// Its range that holds addresses of this family, the first one.
    public Optional<Subnet> subnet(boolean six) {
        return addressing.subnets.stream().filter(subnet -> subnet.six() == six).findFirst();
    }

    /// Refuses an address that is in none of its ranges.
    public void checkHolds(IpAddress address) throws EngineException.Invalid {
        if (ranges().stream().noneMatch(range -> range.contains(address))) {
            throw without(address);
        }
    }

    EngineException.Invalid without(IpAddress address) {
        return new EngineException.Invalid("invalid config for network " + name
                + ": invalid endpoint settings:\nno configured subnet or ip-range contain the IP address " + address);
    }

    /// All its ranges.
    public List<Cidr> ranges() {
        return addressing.subnets.stream().map(Subnet::range).toList();
    }
}
