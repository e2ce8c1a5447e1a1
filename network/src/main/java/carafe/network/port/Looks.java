package carafe.network.port;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;

/// Looks at places that may never answer: a network file system whose server is gone keeps whoever walks into it, and no
/// flag of a system call helps (AT_STATX_DONT_SYNC spares the last name's attributes, not the walk). So each look has a
/// thread of its own, which is left behind when its time is over; while it hangs, nobody looks at that place again.
/// Such a thread ends when the server answers, when the file system is unmounted by force, and with the process.
final class Looks {

    private static final System.Logger LOG = System.getLogger("carafe.network");
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private final ConcurrentMap<Path, Thread> hanging = new ConcurrentHashMap<>();

    /// The answer to `question` about `place`; no answer is a no.
    boolean is(Path place, BooleanSupplier question) {
        var earlier = hanging.get(place);
        if (earlier != null && earlier.isAlive()) {
            return false;
        }
        hanging.remove(place);
        var asking = new FutureTask<>(question::getAsBoolean);
        var thread = Thread.ofPlatform().daemon().name("look at " + place).start(asking);
        try {
            return asking.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            hanging.put(place, thread);
            LOG.log(System.Logger.Level.WARNING, place + " gives no answer: a network file system without its server? Whether an"
                    + " engine's data root is there is not known until it does");
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } catch (ExecutionException e) {
            throw new AssertionError("a look failed", e.getCause());
        }
    }
}
