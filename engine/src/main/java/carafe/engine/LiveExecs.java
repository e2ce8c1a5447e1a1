package carafe.engine;

import carafe.runtime.AttachEndpoint;
import carafe.runtime.ContainerRuntime;
import carafe.runtime.ExecSpec;
import carafe.runtime.RunningProcess;
import carafe.runtime.StartFailure;
import carafe.runtime.StdStream;
import carafe.runtime.Stdio;
import carafe.runtime.UserRequest;
import carafe.spec.EngineException;
import carafe.spec.docker.ExecConfig;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Further processes in running containers. Each exec is started by one thread and ended by the one that watches it;
/// records of ended ones and of ones that nobody starts are kept for five minutes at least, until there are many; those
/// of removed containers go at once.
final class LiveExecs implements Execs {
    private static final Logger LOG = LoggerFactory.getLogger(LiveExecs.class);
    private static final Duration KEPT = Duration.ofMinutes(5);
    private static final int MOST_WITHOUT_SWEEP = 256;

    private final Book book;
    private final Links links;
    private final ContainerRuntime runtime;
    private final Layout layout;
    private final Clock clock;
    private final SecureRandom random = new SecureRandom();
    private final ConcurrentMap<String, Exec> execs = new ConcurrentHashMap<>();

    /// One exec. The lock guards `started`; the rest is written once by one thread.
    private static final class Exec {
        private final String id;
        private final Container container;
        private final ExecConfig config;
        private final Instant createdAt;
        private boolean started;
        private volatile @Nullable RunningProcess process;
        private volatile @Nullable Integer exitCode;
        private volatile @Nullable Instant endedAt;
        private final CountDownLatch ended = new CountDownLatch(1);

        Exec(String id, Container container, ExecConfig config, Instant createdAt) {
            this.id = id;
            this.container = container;
            this.config = config;
            this.createdAt = createdAt;
        }

        /// Takes it for good as not to be started, if it was made before `oldest` and not started since.
        private synchronized boolean givenUpBefore(Instant oldest) {
            if (started || !createdAt.isBefore(oldest)) {
                return false;
            }
            started = true;
            return true;
        }
    }

    LiveExecs(Book book, ContainerRuntime runtime, Links links, Layout layout, Clock clock) {
        this.book = book;
        this.links = links;
        this.runtime = runtime;
        this.layout = layout;
        this.clock = clock;
    }

    @Override
    public String create(String containerReference, ExecConfig config) throws EngineException {
        var container = book.find(containerReference);
        checkRunning(container);
        DetachKeys.parse(config.detachKeys());
        byte[] bytes = new byte[32];
        random.nextBytes(bytes);
        var exec = new Exec(HexFormat.of().formatHex(bytes), container, config, clock.instant());
        if (execs.size() > MOST_WITHOUT_SWEEP) {
            sweep();
        }
        execs.put(exec.id, exec);
        tell(exec, "exec_create: " + String.join(" ", config.command()), List.of());
        return exec.id;
    }

    @Override
    public void startDetached(String id) throws EngineException, InterruptedException {
        var exec = begin(id);
        new Mailbox("exec").perform(() -> run(exec, Optional.empty(), List.of()));
    }

    @Override
    public Attachment start(String id, Optional<TerminalSize> size) throws EngineException, InterruptedException {
        var exec = begin(id);
        var attach = exec.config.attach();
        var streams = EnumSet.noneOf(StdStream.class);
        if (attach.stdin()) {
            streams.add(StdStream.STDIN);
        }
        if (attach.stdout()) {
            streams.add(StdStream.STDOUT);
        }
        if (attach.stderr()) {
            streams.add(StdStream.STDERR);
        }
        var keys = DetachKeys.parse(exec.config.detachKeys());
        var endpoint = runtime.endpoint(streams);
        boolean runs = false;
        try {
            new Mailbox("exec").perform(() -> run(exec, size, List.of(endpoint)));
            runs = true;
        } finally {
            if (!runs) {
                endpoint.close();
            }
        }
        boolean terminal = exec.config.terminal();
        var watched = terminal && attach.stdin() ? Optional.of(keys) : Optional.<DetachKeys>empty();
        var attachment = new ChannelAttachment(endpoint.channel(), terminal, watched, Optional.empty(), () -> {
            endpoint.close();
            if (watched.isPresent() && watched.get().detached()) {
                tell(exec, "exec_detach", List.of());
            }
        });
        return new EndKnownAttachment(
                attachment, exec.ended, () -> watched.isPresent() && watched.get().detached());
    }

    @Override
    public void resize(String id, TerminalSize size) throws EngineException {
        var exec = find(id);
        var process = exec.process;
        if (process == null || exec.exitCode != null) {
            throw new EngineException.Conflict("exec " + id + " is not running");
        }
        process.resize(LiveContainers.consoleSize(size));
    }

    @Override
    public ExecDetails inspect(String id) throws EngineException {
        var exec = find(id);
        var process = exec.process;
        var exitCode = exec.exitCode;
        boolean running = process != null && exitCode == null;
        return new ExecDetails(
                id, exec.container.id(), exec.config, running, Optional.ofNullable(exitCode),
                running && process != null ? process.pid() : 0);
    }

    /// The execs of a container that have not ended.
    Collection<String> of(String containerId) {
        return execs.values().stream()
                .filter(exec -> exec.container.id().equals(containerId) && exec.exitCode == null)
                .map(exec -> exec.id)
                .toList();
    }

    private Exec find(String id) throws EngineException {
        var exec = execs.get(id);
        if (exec == null || exec.container.removed()) {
            throw new EngineException.NotFound("No such exec instance: " + id);
        }
        return exec;
    }

    private static void checkRunning(Container container) throws EngineException {
        switch (container.state()) {
            case State.Running _ -> { }
            case State.Paused _ -> throw new EngineException.Conflict(
                    "container " + container.id() + " is paused, unpause the container before exec");
            case State.Restarting _ -> throw new EngineException.Conflict(
                    "container " + container.id() + " is restarting, wait until the container is running");
            case State.Created _, State.Exited _, State.Removing _ -> throw container.notRunning();
        }
    }

    private Exec begin(String id) throws EngineException {
        var exec = find(id);
        checkRunning(exec.container);
        synchronized (exec) {
            if (exec.started) {
                throw new EngineException.Conflict("exec command " + id + " has already run");
            }
            exec.started = true;
        }
        return exec;
    }

    private void run(Exec exec, Optional<TerminalSize> size, List<AttachEndpoint> clients) throws EngineException {
        var config = exec.config;
        var spec = new ExecSpec(
                exec.id,
                layout.execRun(exec.container.id(), exec.id),
                config.command(),
                environment(exec.container.snapshot(), config, links.environment(exec.container.snapshot())),
                config.workingDirectory(),
                user(exec.container.snapshot(), config),
                config.terminal(),
                size.isPresent() ? Optional.of(LiveContainers.consoleSize(size.get())) : Optional.empty(),
                config.privileged(),
                clients.isEmpty() ? Stdio.CLOSED : new Stdio(config.attach().stdin(), true));
        tell(exec, "exec_start: " + String.join(" ", config.command()), List.of());
        try {
            var process = exec.container.process().exec(spec, clients);
            exec.process = process;
            Thread.ofVirtual().name("exit of exec").start(() -> watch(exec, process));
        } catch (StartFailure e) {
            ended(exec, e.kind().exitCode());
            throw e.toEngineException();
        } catch (EngineException e) {
            ended(exec, 126);
            throw e;
        }
    }

    private void watch(Exec exec, RunningProcess process) {
        int code;
        try {
            code = process.awaitExit().code();
        } catch (InterruptedException e) {
            return;
        } catch (EngineException e) {
            LOG.warn("the end of exec {} is not known", exec.id, e);
            code = 255;
        }
        ended(exec, code);
        try {
            process.delete();
        } catch (EngineException e) {
            LOG.warn("exec {} was not cleaned up", exec.id, e);
        }
    }

    private void ended(Exec exec, int code) {
        exec.endedAt = clock.instant();
        exec.exitCode = code;
        exec.ended.countDown();
        tell(exec, "exec_die", List.of(Map.entry("exitCode", Integer.toString(code))));
    }

    private void tell(Exec exec, String action, List<Map.Entry<String, String>> details) {
        var all = new ArrayList<>(details);
        all.add(Map.entry("execID", exec.id));
        book.tell(exec.container.snapshot(), action, all);
    }

    private static List<String> environment(ContainerSnapshot container, ExecConfig config, List<String> linked) {
        var environment = new LinkedHashMap<String, String>();
        SpecComposer.environment(container, config.terminal(), linked).forEach(entry -> SpecComposer.put(environment, entry));
        config.environment().forEach(entry -> SpecComposer.put(environment, entry));
        return List.copyOf(environment.values());
    }

    private static UserRequest user(ContainerSnapshot container, ExecConfig config) {
        String user = config.user().isEmpty() ? container.config().command().user() : config.user();
        return new UserRequest(user, container.host().rights().groupAdd());
    }

    /// Forgets what ended long ago, what was not started for long, what never started in a container that is gone, and
    /// what belongs to removed ones.
    private void sweep() {
        Instant oldest = clock.instant().minus(KEPT);
        execs.values().removeIf(exec -> {
            Instant ended = exec.endedAt;
            return ended != null && ended.isBefore(oldest)
                    || exec.container.removed()
                    || exec.process == null && !exec.container.state().alive()
                    || exec.givenUpBefore(oldest);
        });
    }
}
