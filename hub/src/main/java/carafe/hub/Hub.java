package carafe.hub;

import carafe.hub.access.Authenticator;
import carafe.hub.access.Gate;
import carafe.hub.access.Tokens;
import carafe.hub.access.Users;
import carafe.hub.distribution.Distribution;
import carafe.hub.distribution.Errors;
import carafe.hub.distribution.TokenRoute;
import carafe.hub.notice.Metrics;
import carafe.hub.notice.Webhooks;
import carafe.hub.store.Collector;
import carafe.hub.store.Content;
import carafe.hub.store.FileBlobs;
import carafe.hub.store.Quota;
import carafe.hub.store.Refusal;
import carafe.hub.store.Repositories;
import carafe.hub.store.Retention;
import carafe.hub.store.Verifier;
import carafe.hub.upstream.PullThrough;
import carafe.hub.upstream.Upstream;
import carafe.hub.web.Web;
import carafe.http.Address;
import carafe.http.HttpServer;
import carafe.http.Listener;
import carafe.http.ServerLimits;
import carafe.image.CommitSteps;
import carafe.spec.EngineException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A running hub: every part in the order it is made, closed in the reverse order.
public final class Hub implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Hub.class);
    private static final Duration CLOSE_LIMIT = Duration.ofSeconds(5);
    private static final Duration FIRST_RETRY = Duration.ofSeconds(1);
    private static final int SOCKET_MODE = 0660;

    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private final List<Address> addresses = new ArrayList<>();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Repositories repositories;
    private final Collector collector;
    private final Verifier verifier;

    /// Connects to an upstream when the hub starts.
    @FunctionalInterface
    public interface Dial {
        /// The registry that `mirrored` names. Does not talk to it yet.
        /// @throws EngineException what it is told is wrong
        Upstream dial(HubConfig.Mirrored mirrored) throws EngineException;
    }

    /// What surrounds a hub: how upstreams are reached, the time, the group of its unix sockets, and who hears of each step
    /// that makes something durable (tests do).
    public record Surroundings(Dial upstreams, Clock clock, Optional<String> group, CommitSteps steps) {}

    /// Opens the store and listens at every address, or does neither.
    /// @throws EngineException with a sentence for the operator
    public static Hub start(HubConfig config, Surroundings around) throws EngineException {
        var parts = new ArrayDeque<AutoCloseable>();
        try {
            return new Hub(config, around, parts);
        } catch (IOException e) {
            close(parts);
            throw new EngineException.Unavailable("the hub cannot start: " + e.getMessage(), e);
        } catch (EngineException | RuntimeException e) {
            close(parts);
            throw e;
        }
    }

    private Hub(HubConfig config, Surroundings around, Deque<AutoCloseable> made) throws IOException, EngineException {
        Files.createDirectories(config.data(),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        made.push(lock(config.data()));
        var clock = around.clock();
        var quotas = config.quotas().stream().map(limit -> new Quota(limit.namespace(), limit.bytes())).toList();
        var content = new Content(FileBlobs.open(config.data().resolve("content"), around.steps()), clock);
        repositories = Repositories.open(config.data().resolve("repositories"), content, quotas, clock,
                around.steps());
        made.push(repositories::settle);
        var metrics = new Metrics();
        gauges(metrics, content);
        var webhooks = new Webhooks(config.webhooks(), metrics, FIRST_RETRY);
        made.push(webhooks);
        var mirrors = new ArrayList<PullThrough.Mirror>();
        for (var mirrored : config.upstreams()) {
            mirrors.add(new PullThrough.Mirror(
                    mirrored.prefix(), around.upstreams().dial(mirrored), mirrored.fresh()));
        }
        var upstreams = new PullThrough(mirrors, repositories, metrics, clock);
        verifier = new Verifier(repositories, upstreams::fetchAnew);
        var gate = new Gate(config.rights());
        Optional<Users> users =
                config.users().isPresent() ? Optional.of(new Users(config.users().get(), clock)) : Optional.empty();
        var tokens = Tokens.open(config.data().resolve("token.key"), config.login().service(), clock);
        var authenticator = new Authenticator(users, tokens, gate, config.login().tokenLife());
        var distribution = new Distribution(
                new Distribution.Parts(repositories, gate, users.isPresent(), upstreams), webhooks);
        collector = new Collector(repositories, new Retention(config.retention()), config.collect().grace(),
                config.collect().uploads(), clock);
        var web = new Web(repositories, gate,
                new Web.Settings(config.web(), users.isPresent(), config.login().url()), clock);
        var rooms = new Door.Rooms(distribution, new TokenRoute(authenticator, clock), web, authenticator, gate,
                config.login(), metrics, config.publicMetrics(), verifier);
        for (var address : config.listen()) {
            serve(address, rooms, around.group(), made);
        }
        parts.addAll(made);
        collectEvery(config.collect().every());
        LOG.info("the hub in {} listens at {}", config.data(), addresses);
    }

    private void gauges(Metrics metrics, Content content) {
        metrics.gauge("carafe_hub_uploads", "Uploads that are open.", content.blobs()::uploads);
        metrics.gauge("carafe_hub_damaged", "Blobs found damaged and set aside since the start.", content::damaged);
        metrics.gauge("carafe_hub_repositories", "Repositories that hold something.", this::countRepositories);
    }

    private long countRepositories() {
        long count = 0;
        for (String _ : repositories.names("")) {
            count++;
        }
        return count;
    }

    /// One hub per directory.
    private static AutoCloseable lock(Path data) throws IOException {
        var channel = FileChannel.open(data.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = null;
        try {
            lock = channel.tryLock();
        } catch (java.nio.channels.OverlappingFileLockException e) {
            LOG.debug("{} is in use in this process", data);
        }
        if (lock == null) {
            channel.close();
            throw new IOException("the directory " + data + " is in use by another hub");
        }
        return channel;
    }

    private void serve(Address address, Door.Rooms rooms, Optional<String> group, Deque<AutoCloseable> made)
            throws IOException {
        var listener = switch (address) {
            case Address.Unix(Path path) -> {
                Files.createDirectories(path.toAbsolutePath().getParent());
                yield Listener.unix(path, SOCKET_MODE, group);
            }
            case Address.Tcp tcp -> Listener.at(tcp);
        };
        boolean secure = address instanceof Address.Tcp tcp && tcp.tls().isPresent();
        var door = new Door(rooms, secure, address instanceof Address.Unix);
        var server = HttpServer.start(List.of(listener), ServerLimits.DEFAULTS, door, new Errors());
        made.push(() -> server.close(CLOSE_LIMIT));
        addresses.addAll(server.addresses());
    }

    private void collectEvery(Duration every) {
        Thread.ofVirtual().name("carafe-hub-collector").start(() -> {
            try {
                while (!closed.await(every.toMillis(), TimeUnit.MILLISECONDS)) {
                    try {
                        collector.run();
                    } catch (IOException | Refusal | RuntimeException e) {
                        LOG.warn("garbage was not collected: {}", e.getMessage());
                    }
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    /// Where it listens, with the ports chosen; in the configuration's order.
    public List<Address> addresses() {
        return List.copyOf(addresses);
    }

    /// Collects garbage now; blocks until it is done.
    public Collector.Round collect() throws EngineException {
        try {
            return collector.run();
        } catch (IOException | Refusal e) {
            throw new EngineException.Unavailable("garbage was not collected: " + e.getMessage(), e);
        }
    }

    /// Reads everything that is stored and compares it with its digests; blocks until it is done. With `repair`, what is
    /// damaged is set aside and fetched anew where an upstream has it; see [Verifier].
    public Verifier.Report verify(boolean repair) throws EngineException {
        try {
            return verifier.run(repair);
        } catch (IOException | Refusal e) {
            throw new EngineException.Unavailable("the hub's content was not verified: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        closed.countDown();
        close(parts);
    }

    private static void close(Deque<AutoCloseable> parts) {
        while (!parts.isEmpty()) {
            try {
                parts.pop().close();
            } catch (Exception e) {
                LOG.warn("closing: {}", e.getMessage());
            }
        }
    }
}
