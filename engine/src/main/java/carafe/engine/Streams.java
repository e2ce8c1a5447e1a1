package carafe.engine;

import carafe.runtime.ContainerRuntime;
import carafe.runtime.StdStream;
import carafe.spec.EngineException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// Lets clients see and feed containers: live streams and logs.
final class Streams {
    private final Book book;
    private final ContainerRuntime runtime;
    private final Layout layout;
    private final LogWatch watch;

    Streams(Book book, ContainerRuntime runtime, Layout layout, LogWatch watch) {
        this.book = book;
        this.runtime = runtime;
        this.layout = layout;
        this.watch = watch;
    }

    /// Joins the container's streams, whether or not it runs yet.
    Attachment attach(Container container, AttachRequest request) throws EngineException, InterruptedException {
        var config = container.snapshot().config().streams();
        var keys = DetachKeys.parse(request.detachKeys());
        Optional<ByteSource> earlier = Optional.empty();
        var streams = new LogQuery.Streams(request.stdout(), request.stderr());
        if (request.logs()) {
            var show = new LogQuery.Show(false, false, false);
            earlier = Optional.of(logs(container, new LogQuery(
                    streams, Optional.empty(), Optional.empty(), Optional.empty(), show)));
        }
        if (!request.stream()) {
            return new LogAttachment(earlier.orElse(EMPTY), config.terminal());
        }
        var wanted = EnumSet.noneOf(StdStream.class);
        if (request.stdin() && config.openStdin()) {
            wanted.add(StdStream.STDIN);
        }
        if (request.stdout()) {
            wanted.add(StdStream.STDOUT);
        }
        if (request.stderr()) {
            wanted.add(StdStream.STDERR);
        }
        var replay = earlier;
        var joined = new AtomicReference<@Nullable Attachment>();
        boolean taken = false;
        try {
            var attachment = container.mailbox().ask(() -> {
                var made = join(
                        container, wanted, config.terminal() && request.stdin() ? Optional.of(keys) : Optional.empty(),
                        replay);
                joined.set(made);
                book.tell(container.snapshot(), "attach");
                return made;
            });
            taken = true;
            return attachment;
        } finally {
            if (!taken) { // refused, or nobody waits for it any more
                container.mailbox().tell(() -> Optional.<Attachment>ofNullable(joined.get())
                        .ifPresentOrElse(Attachment::close, () -> replay.ifPresent(ByteSource::close)));
            }
        }
    }

    /// Confined to the container's queue.
    private Attachment join(
            Container container, Set<StdStream> wanted, Optional<DetachKeys> keys, Optional<ByteSource> earlier)
            throws EngineException {
        String id = container.id();
        if (container.removed()) {
            throw Book.unknown(id);
        }
        switch (container.state()) {
            case State.Paused _ -> throw new EngineException.Conflict(
                    "container " + id + " is paused, unpause the container before attach");
            case State.Restarting _ -> throw new EngineException.Conflict(
                    "container " + id + " is restarting, wait until the container is running");
            case State.Removing _ -> throw new EngineException.Conflict(
                    "container " + id + " is marked for removal and cannot be attached to");
            case State.Running _, State.Created _, State.Exited _ -> { }
        }
        boolean terminal = container.snapshot().config().streams().terminal();
        if (container.state() instanceof State.Running) {
            SocketChannel channel = container.process().attach(wanted);
            var delivery = container.deliveries().begin();
            return new ChannelAttachment(channel, terminal, keys, earlier, () -> {
                delivery.done();
                left(container, keys);
            });
        }
        var endpoint = runtime.endpoint(wanted);
        container.clients().add(endpoint);
        var delivery = container.deliveries().begin();
        return new ChannelAttachment(endpoint.channel(), terminal, keys, earlier, () -> {
            delivery.done();
            container.mailbox().tell(() -> { // not in the middle of a start, which hands it on
                container.clients().remove(endpoint);
                endpoint.close();
            });
            left(container, keys);
        });
    }

    private void left(Container container, Optional<DetachKeys> keys) {
        if (keys.isPresent() && keys.get().detached()) {
            book.tell(container.snapshot(), "detach");
        }
    }

    /// Reads the container's log.
    ByteSource logs(Container container, LogQuery query) throws EngineException {
        if (!query.streams().stdout() && !query.streams().stderr()) {
            throw new EngineException.Invalid("Bad parameters: you must choose at least one stream");
        }
        var snapshot = container.snapshot();
        if (snapshot.host().log().driver().equals("none")) {
            throw new EngineException.Unsupported("configured logging driver does not support reading");
        }
        var log = layout.files(container.id()).log();
        boolean terminal = snapshot.config().streams().terminal();
        var records = new LogRecords(query, !terminal, details(snapshot));
        try {
            if (!query.show().follow()) {
                return new LogReader(log, query, records, false);
            }
            return follow(container, query, records);
        } catch (IOException e) {
            throw Failures.io("cannot read the log of container " + container.id(), e);
        }
    }

    private LogReader follow(Container container, LogQuery query, LogRecords records) throws IOException {
        var log = layout.files(container.id()).log();
        var ended = container.waits().register(
                WaitCondition.NEXT_EXIT,
                () -> container.state().alive()
                        ? Optional.empty()
                        : Optional.of(new Waiting.Result(0, "")));
        boolean following = false;
        try {
            var reader = new LogReader(log, query, records, true);
            reader.onClose(() -> {
                watch.remove(reader);
                ended.close();
            });
            if (Files.isDirectory(layout.container(container.id()))) {
                watch.add(layout.container(container.id()), reader);
            }
            Thread.ofVirtual().name("log end").start(() -> {
                try {
                    ended.ended();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                reader.end();
            });
            following = true;
            return reader;
        } finally {
            if (!following) {
                ended.close();
            }
        }
    }

    /// What `details` shows before a line: the labels and variables that the log options name.
    private static String details(ContainerSnapshot container) {
        var options = container.host().log().options();
        var shown = new ArrayList<String>();
        for (var label : options.getOrDefault("labels", "").split(",")) {
            String value = container.config().labels().get(label);
            if (value != null) {
                shown.add(label + "=" + value);
            }
        }
        for (var name : options.getOrDefault("env", "").split(",")) {
            for (var entry : container.config().command().environment()) {
                if (!name.isEmpty() && entry.startsWith(name + "=")) {
                    shown.add(entry);
                }
            }
        }
        return String.join(",", shown);
    }

    private static final ByteSource EMPTY = new ByteSource() {
        @Override
        public Optional<ByteBuffer> next() {
            return Optional.empty();
        }

        @Override
        public void close() {
            // nothing is open
        }
    };

    /// An attachment that only replays the log.
    private record LogAttachment(ByteSource output, boolean terminal) implements Attachment {
        @Override
        public boolean write(ByteBuffer bytes) {
            return false;
        }

        @Override
        public void closeInput() {
            // nobody reads input here
        }

        @Override
        public void close() {
            output.close();
        }
    }
}
