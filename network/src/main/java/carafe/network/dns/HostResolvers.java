package carafe.network.dns;

import carafe.spec.network.IpAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The name servers the host itself asks, as resolv.conf(5) says it at the moment: a laptop that changes its network
/// takes its containers along. The file is looked at again after a second; the lock guards what it said.
public final class HostResolvers {

    private static final long FRESH_NANOS = 1_000_000_000L;
    private static final int MOST = 8;
    private static final long MOST_BYTES = 64 << 10;

    private final Path file;
    private List<Resolver> servers = List.of();
    private long readAt;
    private boolean read;

    /// A name server, and for an address that every link has its own of (`fe80::1%eth0`) the link's name or number.
    record Resolver(IpAddress address, String zone) {}

    /// As `file` says, usually /etc/resolv.conf.
    public HostResolvers(Path file) {
        this.file = file;
    }

    /// The servers now, in the order to ask them.
    synchronized List<Resolver> servers() {
        long now = System.nanoTime();
        if (!read || now - readAt > FRESH_NANOS) {
            servers = parse();
            readAt = now;
            read = true;
        }
        return servers;
    }

    private List<Resolver> parse() {
        var found = new ArrayList<Resolver>();
        try {
            if (Files.size(file) > MOST_BYTES) {
                return List.of();
            }
            for (String line : Files.readAllLines(file)) {
                String[] words = line.strip().split("\\s+");
                if (words.length >= 2 && words[0].equals("nameserver") && found.size() < MOST) {
                    int percent = words[1].indexOf('%');
                    String zone = percent < 0 ? "" : words[1].substring(percent + 1);
                    IpAddress.find(percent < 0 ? words[1] : words[1].substring(0, percent))
                            .ifPresent(address -> found.add(new Resolver(address, address.six() ? zone : "")));
                }
            }
        } catch (IOException none) {
            // no resolver
        }
        return List.copyOf(found);
    }
}
