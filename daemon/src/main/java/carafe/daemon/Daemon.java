package carafe.daemon;

import carafe.api.AlsoChecked;
import carafe.api.DockerApi;
import carafe.api.Product;
import carafe.cli.WarmCommands;
import carafe.engine.CheckResult;
import carafe.engine.Engine;
import carafe.http.Address;
import carafe.http.Handler;
import carafe.http.HttpServer;
import carafe.http.Listener;
import carafe.http.ServerLimits;
import carafe.http.TlsFiles;
import carafe.hub.Hub;
import carafe.hub.store.Verifier;
import carafe.spec.EngineException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The running daemon: every part in the order it is made, closed in the reverse order. The parts list of the product.
final class Daemon implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Daemon.class);
    private static final int SOCKET_MODE = 0660;
    private static final Duration CLOSE_LIMIT = Duration.ofSeconds(5);

    private final Deque<AutoCloseable> parts = new ArrayDeque<>();

    private Daemon() {}

    /// Makes every part, or none: what was made before a failure is closed again.
    static Daemon start(DaemonConfig config, Installation installation) throws EngineException {
        var daemon = new Daemon();
        try {
            daemon.make(config, installation);
            return daemon;
        } catch (EngineException | RuntimeException | Error e) {
            daemon.close();
            throw e;
        }
    }

    private void make(DaemonConfig config, Installation installation) throws EngineException {
        config.warnings().forEach(LOG::warn);
        parts.push(PidFile.claim(config.pidFile()));
        Engine engine = Parts.engine(config, installation, parts);
        var also = AlsoChecked.NOTHING;
        if (config.hub().isPresent()) {
            var hub = Hub.start(
                    config.hub().get(), HubCommand.surroundings(installation.version(), group(config.group())));
            parts.push(hub);
            also = repair -> checked(hub.verify(repair));
        }
        var product = new Product(installation.version(), installation.commit(), installation.built());
        var api = new DockerApi(engine, product, also);
        try {
            var listeners = listeners(config);
            var server = HttpServer.start(
                    listeners, ServerLimits.DEFAULTS, doors(api, installation, listeners), api.errors());
            parts.push(() -> server.close(CLOSE_LIMIT));
            parts.push(new HeapKeeper());
            NativeCryptography.installSoon(config.dataRoot());
            LOG.info("carafe {} listens at {}", installation.version(), server.addresses());
        } catch (IOException e) {
            throw new EngineException.Unavailable(String.valueOf(e.getMessage()), e);
        }
    }

    /// The API, and beside it the door for commands that run in this JVM.
    private static Handler doors(DockerApi api, Installation installation, List<Listener> listeners) {
        var sockets = new ArrayList<Path>();
        for (var listener : listeners) {
            if (listener.address() instanceof Address.Unix(Path path)) {
                sockets.add(path);
            }
        }
        WarmCommands commands;
        try {
            commands = new WarmCommands(installation.commands(), sockets, ContextFiles::capabilities,
                    ContextFiles::list);
        } catch (IOException e) {
            LOG.warn("commands have a JVM each, for they cannot run in this one: {}", PidFile.reason(e));
            return api;
        }
        return exchange -> {
            if (exchange.rawPath().equals(WarmCommands.PATH) && exchange.method().equals("POST")) {
                commands.handle(exchange);
            } else {
                api.handle(exchange);
            }
        };
    }

    private static CheckResult checked(Verifier.Report report) {
        return new CheckResult(report.blobs(), 0, report.bytes(), report.faults().stream()
                .map(fault -> new CheckResult.Problem("hub " + fault.kind(), fault.subject(), fault.what(),
                        fault.repositories(), fault.repaired()))
                .toList());
    }

    private static List<Listener> listeners(DaemonConfig config) throws EngineException {
        var listeners = new ArrayList<Listener>();
        for (String host : config.hosts()) {
            Address address = address(host, config.tls());
            switch (address) {
                case Address.Unix(Path path) -> listeners.add(Listener.unix(path, SOCKET_MODE, group(config.group())));
                case Address.Tcp tcp -> {
                    if (tcp.tls().isEmpty()) {
                        LOG.warn("{} is open to whoever reaches it, and who reaches it is root here; use --tlsverify", tcp);
                    }
                    listeners.add(Listener.at(tcp));
                }
            }
        }
        return listeners;
    }

    private static Address address(String host, DaemonConfig.Tls tls) throws EngineException.Invalid {
        var files = tls.on()
                ? Optional.of(new TlsFiles(tls.authority(), tls.certificate(), tls.key(), tls.verify()))
                : Optional.<TlsFiles>empty();
        try {
            return Address.parse(host, files);
        } catch (IllegalArgumentException e) {
            throw new EngineException.Invalid("cannot listen at \"" + host + "\": " + e.getMessage());
        }
    }

    /// The group if the host has it: on a host without it, the socket stays root's alone.
    private static Optional<String> group(String name) {
        try (var lines = Files.lines(Path.of("/etc/group"))) {
            boolean known = name.matches("[0-9]+") || lines.anyMatch(line -> line.startsWith(name + ":"));
            return known ? Optional.of(name) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /// Stops serving, then closes the engine; containers go on.
    @Override
    public void close() {
        while (!parts.isEmpty()) {
            try {
                parts.pop().close();
            } catch (Exception e) {
                LOG.warn("closing: {}", e.getMessage());
            }
        }
    }
}
