package carafe.cli.build;

import carafe.cli.session.Files.FileEntry;
import carafe.cli.session.PathText;
import carafe.spec.build.ContextListing;
import carafe.spec.build.FileStamp;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Lists a context, with the contents of only those files that the builder must see. A second thread helps as soon as
/// several directories wait: all that a listing costs is asking the kernel.
final class ContextLister {

    private static final int FEW_FILES = 1000;
    private static final long FEW_BYTES = 8 << 20;
    private static final int HELP_AFTER = 256;
    private static final int HELP_WAITING = 4;

    private final ContextDirectory context;
    private final long latestNanos;
    /// Directories that are still to be listed. It guards itself and the fields behind it, and is notified of every change.
    private final ArrayDeque<String> waiting = new ArrayDeque<>();
    private int working;
    private boolean unfit;
    private @Nullable IOException failure;

    /// Files that were changed later than `latestNanos` get no stamp.
    ContextLister(ContextDirectory context, long latestNanos) {
        this.context = context;
        this.latestNanos = latestNanos;
    }

    Optional<byte[]> list() throws IOException {
        var listing = new ContextListing.Writer();
        listing.directory("");
        for (var extra : context.extras()) {
            unfit |= extra.content().length > ContextListing.MAX_SHOWN_BYTES
                    || context.files().exists(context.root().resolve(extra.path()));
            listing.shown(extra.path(), 0644, extra.content());
        }
        waiting.add("");
        var second = new SecondThread();
        work(listing, second);
        second.into(listing);
        var failed = failure;
        if (failed != null) {
            throw failed;
        }
        boolean small = listing.entries() < FEW_FILES && listing.fileBytes() < FEW_BYTES;
        return unfit || small || listing.tooMuch() ? Optional.empty() : Optional.of(listing.bytes());
    }

    /// The second thread, and what it lists.
    private final class SecondThread {
        private final ContextListing.Writer listing = new ContextListing.Writer();
        private @Nullable Thread thread;

        void start() {
            if (thread == null && Runtime.getRuntime().availableProcessors() > 1) {
                thread = Thread.ofPlatform().daemon().name("context-lister").start(() -> work(listing, null));
            }
        }

        void into(ContextListing.Writer other) throws IOException {
            var started = thread;
            if (started == null) {
                return;
            }
            try {
                started.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("the context's listing was interrupted", e);
            }
            other.add(listing);
        }
    }

    private void work(ContextListing.Writer listing, @Nullable SecondThread second) {
        for (var directory = next(second == null); directory != null; directory = next(second == null)) {
            Optional<IOException> failed = Optional.of(new IOException("the context could not be listed"));
            try {
                list(directory, listing);
                failed = Optional.empty();
            } catch (IOException e) {
                failed = Optional.of(e);
            } finally { // whatever happened, nobody is to wait for this thread
                done(failed, listing.tooMuch());
            }
            boolean help;
            synchronized (waiting) {
                help = waiting.size() >= HELP_WAITING && listing.entries() >= HELP_AFTER;
            }
            if (help && second != null) {
                second.start();
            }
        }
    }

    private void done(Optional<IOException> failed, boolean tooMuch) {
        synchronized (waiting) {
            working--;
            unfit |= tooMuch;
            if (failed.isPresent()) {
                failure = failed.get();
            }
            waiting.notifyAll();
        }
    }

    /// The next directory to list, `null` when there is none and will be none.
    private @Nullable String next(boolean first) {
        synchronized (waiting) {
            while (waiting.isEmpty() && working > 0) {
                try {
                    waiting.wait();
                } catch (InterruptedException e) {
                    failure = new IOException("the context's listing was interrupted", e);
                    return null;
                }
            }
            if (waiting.isEmpty() || unfit || failure != null) {
                return null;
            }
            working++;
            return first ? waiting.pollFirst() : waiting.pollLast();
        }
    }

    private void list(String directory, ContextListing.Writer listing) throws IOException {
        var path = directory.isEmpty() ? context.root() : PathText.resolve(context.root(), directory);
        String prefix = directory.isEmpty() ? "" : directory + "/";
        boolean begun = false;
        for (var entry : context.files().list(path)) {
            String name = prefix.concat(entry.name());
            boolean out = context.rules().out(name);
            if (entry.kind() == FileEntry.Kind.DIRECTORY && context.rules().opens(name, out)) {
                synchronized (waiting) {
                    waiting.add(name);
                    waiting.notifyAll();
                }
            }
            if (out || entry.kind() == FileEntry.Kind.OTHER) {
                continue;
            }
            if (!begun) {
                listing.directory(directory);
                begun = true;
            }
            entry(name, entry, listing);
        }
    }

    private void entry(String path, FileEntry entry, ContextListing.Writer listing) throws IOException {
        switch (entry.kind()) {
            case DIRECTORY -> listing.folder(entry.name(), entry.mode());
            case LINK -> listing.link(entry.name(), entry.target());
            case FILE, OTHER -> {
                if (context.rules().always().contains(path)) {
                    shown(path, entry, listing);
                } else {
                    listing.file(entry.name(), entry.mode(), entry.size(),
                            entry.stamp().standsAfter(latestNanos) ? entry.stamp() : FileStamp.NONE);
                }
            }
        }
    }

    private void shown(String path, FileEntry entry, ContextListing.Writer listing) throws IOException {
        byte[] content;
        Path file = context.root().resolve(path);
        try (var in = context.files().read(file)) {
            content = in.readNBytes(ContextListing.MAX_SHOWN_BYTES + 1);
        }
        boolean capable = context.files().capabilities(file.resolveSibling(""), List.of(entry.name())).getFirst().length > 0;
        if (capable || content.length > ContextListing.MAX_SHOWN_BYTES) {
            synchronized (waiting) {
                unfit = true;
            }
            return;
        }
        listing.shown(entry.name(), entry.mode(), content);
    }
}
