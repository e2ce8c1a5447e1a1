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
    private List<IpAddress> servers = List.of();
    private long readAt;
    private boolean read;

    /// As `file` says, usually /etc/resolv.conf.
    public HostResolvers(Path file) {
        this.file = file;
    }

    /// The servers now, in the order to ask them.
    synchronized List<IpAddress> servers() {
        long now = System.nanoTime();
        if (!read || now - readAt > FRESH_NANOS) {
            servers = parse();
            readAt = now;
            read = true;
        }
        return servers;
    }

    private List<IpAddress> parse() {
        var found = new ArrayList<IpAddress>();
        try {
            if (Files.size(file) > MOST_BYTES) {
                return List.of();
            }
            for (String line : Files.readAllLines(file)) {
                String[] words = line.strip().split("\\s+");
                if (words.length >= 2 && words[0].equals("nameserver") && found.size() < MOST) {
                    IpAddress.find(words[1].replaceFirst("%.*", "")).ifPresent(found::add);
                }
            }
        } catch (IOException none) {
            // no resolver
        }
        return List.copyOf(found);
    }
}
