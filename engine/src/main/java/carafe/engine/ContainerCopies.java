package carafe.engine;

import carafe.files.FileView;
import carafe.files.Unpacking;
import carafe.runtime.StartFailure;
import carafe.runtime.UserDatabase;
import carafe.runtime.UserRequest;
import carafe.spec.EngineException;
import carafe.spec.docker.PathStat;
import carafe.spec.tar.SentTar;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/// Copies files in and out of containers. Of one that runs, what its first process sees, beside the container's queue;
/// of one that does not, its root and volumes put together, on its queue, so that it is not started meanwhile.
final class ContainerCopies {
    private final Book book;
    private final BundleMaker bundles;
    private final Endings endings;
    private final MountSources sources;

    ContainerCopies(Book book, BundleMaker bundles, Endings endings, MountSources sources) {
        this.book = book;
        this.bundles = bundles;
        this.endings = endings;
        this.sources = sources;
    }

    PathStat stat(Container container, String path) throws EngineException, InterruptedException, IOException {
        return with(container, view -> view.stat(path));
    }

    void read(Container container, String path, ArchiveReceiver receiver)
            throws EngineException, InterruptedException, IOException {
        with(container, view -> {
            var stat = view.stat(path);
            book.tell(container.snapshot(), "archive-path");
            view.pack(path, receiver.begin(stat));
            return true;
        });
    }

    void write(Container container, ArchiveTarget target, SentTar archive)
            throws EngineException, InterruptedException, IOException {
        with(container, view -> {
            view.unpack(target.path(), archive, new Unpacking(target.keepKinds(),
                    target.toUser() ? owner(container.snapshot(), view) : Optional.empty()));
            book.tell(container.snapshot(), "extract-to-dir");
            return true;
        });
    }

    /// The container's user by number, found in its own files; nobody in particular when it has none.
    static Optional<Unpacking.Owner> owner(ContainerSnapshot container, FileView view) throws EngineException {
        String user = container.config().command().user();
        if (user.isEmpty()) {
            return Optional.empty();
        }
        try {
            var found = new UserDatabase(text(view, "/etc/passwd"), text(view, "/etc/group"))
                    .resolve(new UserRequest(user, List.of()), Optional.empty())
                    .user();
            return Optional.of(new Unpacking.Owner((int) found.uid(), (int) found.gid()));
        } catch (StartFailure e) {
            throw e.toEngineException();
        }
    }

    private static String text(FileView view, String path) throws EngineException {
        return view.content(path).map(bytes -> new String(bytes, StandardCharsets.UTF_8)).orElse("");
    }

    private interface Work<T> {
        T on(FileView view) throws EngineException, IOException;
    }

    private <T> T with(Container container, Work<T> work)
            throws EngineException, InterruptedException, IOException {
        var process = container.running();
        if (process.isPresent() && container.state().alive()) {
            try (var view = sources.files().running(
                    container.id(), process.get().pid(), container.snapshot().host().namespaces().ids())) {
                if (process.get().exited().isEmpty()) { // so the number was its own when the view was opened
                    return work.on(view);
                }
            } catch (EngineException.Conflict e) {
                if (process.get().exited().isEmpty()) {
                    throw e;
                } // else it ended just now: its files are there as those of one that does not run
            }
        }
        try {
            return container.mailbox().ask(() -> stopped(container, work));
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private <T> T stopped(Container container, Work<T> work) throws EngineException {
        if (container.removed()) {
            throw Book.unknown(container.id());
        }
        var now = container.snapshot();
        try {
            if (now.state().alive()) { // started or not yet settled: what it sees is what counts
                try (var view = sources.files().running(
                        container.id(), container.process().pid(), now.host().namespaces().ids())) {
                    return work.on(view);
                }
            }
            endings.settle(container);
            var root = bundles.root(container);
            try {
                sources.before(now, root);
                try (var view = sources.files().stopped(
                        container.id(), root, sources.places(now), now.host().files().readonlyRoot())) {
                    return work.on(view);
                }
            } finally {
                sources.after(now); // also of the volumes that were mounted before one that could not be
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
