package carafe.daemon;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/// The options of the daemon: dockerd's flags, and the keys of daemon.json they go by.
///
/// `key` is the name in daemon.json (empty: a flag only), `shorthand` the one-letter flag (0: none).
enum Option {
    HOST("host", "hosts", 'H', Kind.LIST, "Listen on this address: unix:///path or tcp://host:port (repeatable)"),
    DATA_ROOT("data-root", "data-root", '\0', Kind.TEXT, "Directory of images, containers and the database"),
    EXEC_ROOT("exec-root", "exec-root", '\0', Kind.TEXT, "Directory of sockets and running state, gone after a reboot"),
    PIDFILE("pidfile", "pidfile", 'p', Kind.TEXT, "File that holds the daemon's process id"),
    CONFIG_FILE("config-file", "", '\0', Kind.TEXT, "Configuration file with Docker's keys"),
    GROUP("group", "group", 'G', Kind.TEXT, "Group that may use the unix socket"),
    DEBUG("debug", "debug", 'D', Kind.TRUTH, "Log more"),
    LOG_LEVEL("log-level", "log-level", 'l', Kind.TEXT, "debug, info, warn, error or fatal"),
    LOG_OPT("log-opt", "log-opts", '\0', Kind.MAP, "Default log options of containers, as max-size=20m (repeatable)"),
    LOG_DRIVER("log-driver", "log-driver", '\0', Kind.TEXT, "Default log driver: json-file"),
    LABEL("label", "labels", '\0', Kind.LIST, "Label of this engine, as key=value (repeatable)"),
    TLS("tls", "tls", '\0', Kind.TRUTH, "Speak TLS on TCP addresses"),
    TLS_VERIFY("tlsverify", "tlsverify", '\0', Kind.TRUTH, "Demand client certificates on TCP addresses"),
    TLS_CA("tlscacert", "tlscacert", '\0', Kind.TEXT, "Authority that signs client certificates"),
    TLS_CERT("tlscert", "tlscert", '\0', Kind.TEXT, "Certificate of this engine"),
    TLS_KEY("tlskey", "tlskey", '\0', Kind.TEXT, "Private key of this engine"),
    REGISTRY_MIRROR("registry-mirror", "registry-mirrors", '\0', Kind.LIST, "Ask this mirror of Docker Hub first (repeatable)"),
    MIRROR("mirror", "mirrors", '\0', Kind.LISTS, "Ask a mirror of any registry first, as quay.io=https://host (repeatable)"),
    INSECURE_REGISTRY("insecure-registry", "insecure-registries", '\0', Kind.LIST,
            "Believe this registry or network without proof (repeatable)"),
    DOWNLOADS("max-concurrent-downloads", "max-concurrent-downloads", '\0', Kind.NUMBER, "Layers fetched at a time"),
    UPLOADS("max-concurrent-uploads", "max-concurrent-uploads", '\0', Kind.NUMBER, "Layers sent at a time"),
    ATTEMPTS("max-download-attempts", "max-download-attempts", '\0', Kind.NUMBER, "Attempts at a transfer that breaks"),
    HTTP_PROXY("http-proxy", "http-proxy", '\0', Kind.TEXT, "Proxy on the way to registries in clear"),
    HTTPS_PROXY("https-proxy", "https-proxy", '\0', Kind.TEXT, "Proxy on the way to registries with TLS"),
    NO_PROXY("no-proxy", "no-proxy", '\0', Kind.TEXT, "Hosts reached without a proxy, separated by commas"),
    PROXIES("", "proxies", '\0', Kind.MAP, "The three proxy settings in one object"),
    BRIDGE("bridge", "bridge", 'b', Kind.TEXT, "Bridge of containers that name no network; none for none"),
    BIP("bip", "bip", '\0', Kind.TEXT, "Address of the default bridge with its range, as 172.17.0.1/16"),
    FIXED_CIDR("fixed-cidr", "fixed-cidr", '\0', Kind.TEXT, "Part of the default bridge's range that containers get"),
    BIP_SIX("bip6", "bip6", '\0', Kind.TEXT, "The same for IPv6, as fd00:17::1/64"),
    FIXED_CIDR_SIX("fixed-cidr-v6", "fixed-cidr-v6", '\0', Kind.TEXT, "IPv6 range of the default bridge"),
    GATEWAY("default-gateway", "default-gateway", '\0', Kind.TEXT,
            "By whom containers of the default bridge reach everything else, if not by the bridge"),
    GATEWAY_SIX("default-gateway-v6", "default-gateway-v6", '\0', Kind.TEXT, "The same for IPv6"),
    IPV6("ipv6", "ipv6", '\0', Kind.TRUTH, "Give the default bridge IPv6 addresses"),
    MTU("mtu", "mtu", '\0', Kind.TEXT, "Largest packet on the default bridge"),
    ICC("icc", "icc", '\0', Kind.TRUTH, "Containers on the default bridge reach each other (default true)"),
    IP("ip", "ip", '\0', Kind.TEXT, "Address of the host at which ports are published"),
    IP_FORWARD("ip-forward", "ip-forward", '\0', Kind.TRUTH, "Switch on packet forwarding (default true)"),
    DIRECT_ROUTING("allow-direct-routing", "allow-direct-routing", '\0', Kind.TRUTH,
            "Let others reach published ports at the containers' own addresses"),
    ACCEPT_MARK("bridge-accept-fwmark", "bridge-accept-fwmark", '\0', Kind.TEXT,
            "Let packets with this mark enter and leave all bridges, as 0x10/0xf0"),
    FORWARD_NO_DROP("ip-forward-no-drop", "ip-forward-no-drop", '\0', Kind.TRUTH,
            "Accepted: what the host forwards besides is never dropped"),
    IP_MASQ("ip-masq", "ip-masq", '\0', Kind.TRUTH, "Let containers leave by the host's address (default true)"),
    ADDRESS_POOL("default-address-pool", "default-address-pools", '\0', Kind.POOLS,
            "Ranges of networks that name none, as base=10.10.0.0/16,size=24 (repeatable)"),
    NETWORK_OPTION("default-network-opt", "default-network-opts", '\0', Kind.MAPS,
            "Option of networks to come, as bridge=com.docker.network.driver.mtu=1400 (repeatable)"),
    DNS("dns", "dns", '\0', Kind.LIST, "Name server of containers that ask for none (repeatable)"),
    DNS_OPTION("dns-opt", "dns-opts", '\0', Kind.LIST, "Option of their resolver, as ndots:2 (repeatable)"),
    DNS_SEARCH("dns-search", "dns-search", '\0', Kind.LIST, "Domain they search (repeatable)"),
    HOST_GATEWAY("host-gateway-ip", "host-gateway-ips", '\0', Kind.LIST,
            "Address that host-gateway stands for in --add-host (repeatable)"),
    OLD_HOST_GATEWAY("", "host-gateway-ip", '\0', Kind.TEXT, "The same, one, as Docker called it before version 28"),
    USERNS_REMAP("userns-remap", "userns-remap", '\0', Kind.TEXT,
            "Whose subordinate ids containers have: default, user, user:group or their ids"),
    LIVE_RESTORE("live-restore", "live-restore", '\0', Kind.TRUTH, "Accepted: containers always outlive the daemon"),
    VALIDATE("validate", "", '\0', Kind.TRUTH, "Check the configuration and exit"),
    VERSION("version", "", 'v', Kind.TRUTH, "Print the version and exit"),
    HELP("help", "", 'h', Kind.TRUTH, "Print this help and exit");

    /// What a value looks like.
    enum Kind {
        TEXT,
        TRUTH,
        NUMBER,
        LIST,
        MAP,
        /// Lists by name, each element written `name=element`.
        LISTS,
        /// Maps by name, each element written `name=key=value`.
        MAPS,
        POOLS
    }

    final String flag;
    final String key;
    final char shorthand;
    final Kind kind;
    final String help;

    Option(String flag, String key, char shorthand, Kind kind, String help) {
        this.flag = flag;
        this.key = key;
        this.shorthand = shorthand;
        this.kind = kind;
        this.help = help;
    }

    static Optional<Option> byFlag(String flag) {
        for (Option option : values()) {
            if (!option.flag.isEmpty() && option.flag.equals(flag)) {
                return Optional.of(option);
            }
        }
        return Optional.empty();
    }

    static Optional<Option> byShorthand(char shorthand) {
        for (Option option : values()) {
            if (option.shorthand == shorthand) {
                return Optional.of(option);
            }
        }
        return Optional.empty();
    }

    static Optional<Option> byKey(String key) {
        for (Option option : values()) {
            if (!option.key.isEmpty() && option.key.equals(key)) {
                return Optional.of(option);
            }
        }
        return Optional.empty();
    }

    /// The known word nearest to `word`, by edit distance.
    static String nearest(String word, boolean key) {
        return nearest(word, Arrays.stream(values()).map(option -> key ? option.key : option.flag)
                .filter(name -> !name.isEmpty()));
    }

    /// The same among other words, of which there is one at least.
    static String nearest(String word, Stream<String> known) {
        return known.min(Comparator.comparingInt(name -> distance(word.toLowerCase(Locale.ROOT), name.toLowerCase(Locale.ROOT))))
                .orElseThrow();
    }

    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int above = row[j];
                int change = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(change, Math.min(above, row[j - 1]) + 1);
                diagonal = above;
            }
        }
        return row[b.length()];
    }
}
