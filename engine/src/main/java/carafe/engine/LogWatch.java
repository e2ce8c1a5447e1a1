package carafe.engine;

import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Wakes readers that follow logs when something in their log's directory changes (inotify, through the JDK's one
/// watching thread, which exists from the first follower on). The lock guards all fields; only registrations happen
/// under it.
final class LogWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LogWatch.class);

    private final Object lock = new Object();
    private final Map<WatchKey, Set<LogReader>> readers = new HashMap<>();
    private @Nullable WatchService service;

    /// Wakes `reader` at changes in `directory` until [#remove].
    void add(Path directory, LogReader reader) throws IOException {
        synchronized (lock) {
            if (service == null) {
                var started = FileSystems.getDefault().newWatchService();
                service = started;
                Thread.ofVirtual().name("log watch").start(() -> watch(started));
            }
            var key = directory.register(
                    service, StandardWatchEventKinds.ENTRY_MODIFY, StandardWatchEventKinds.ENTRY_CREATE);
            readers.computeIfAbsent(key, _ -> new HashSet<>()).add(reader);
        }
    }

    /// Forgets `reader`; the last one of a directory ends the watching of it.
    void remove(LogReader reader) {
        synchronized (lock) {
            readers.entrySet().removeIf(entry -> {
                if (entry.getValue().remove(reader) && entry.getValue().isEmpty()) {
                    entry.getKey().cancel();
                    return true;
                }
                return false;
            });
        }
    }

    @Override
    public void close() {
        synchronized (lock) {
            if (service != null) {
                try {
                    service.close();
                } catch (IOException e) {
                    LOG.warn("the log watch did not close", e);
                }
            }
        }
    }

    private void watch(WatchService watched) {
        try {
            while (true) {
                var key = watched.take();
                key.pollEvents();
                synchronized (lock) {
                    readers.getOrDefault(key, Set.of()).forEach(LogReader::wake);
                }
                key.reset();
            }
        } catch (ClosedWatchServiceException e) {
            return; // the engine closes
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
