package carafe.spec.tar;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Places for xz streams that are read at a time, because each takes what memory its writer chose. Who finds none waits
/// for a while; meanwhile a holder whose source brings no byte for some time loses its place, so that senders who stall
/// keep nobody out. Nobody is hurried while nobody waits.
final class XzPlaces {

    private static final long LOOK_MILLIS = 500;

    private final Semaphore free;
    private final Duration patience;
    private final Duration stall;
    private final Set<Place> taken = ConcurrentHashMap.newKeySet();

    /// `places` at a time; who waits does so for `patience`; who is waited for may bring nothing for `stall`.
    XzPlaces(int places, Duration patience, Duration stall) {
        this.free = new Semaphore(places);
        this.patience = patience;
        this.stall = stall;
    }

    /// Takes a place, to be closed; blocks while there is none.
    /// @throws Busy others had all places for as long as one waits
    Place take() throws IOException {
        long began = System.nanoTime();
        try {
            while (!free.tryAcquire(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
                if (System.nanoTime() - began > patience.toNanos()) {
                    throw new Busy("the engine has been busy with other xz archives for " + patience.toSeconds()
                            + " seconds; try again, or use gzip");
                }
                taken.forEach(Place::endIfStalled);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
        var place = new Place();
        taken.add(place);
        return place;
    }

    /// One stream's place. Read by one thread; ended by others.
    final class Place implements AutoCloseable {

        /// Guards the next three: a thread is interrupted only while it reads the source, never in what it does next.
        private final ReentrantLock lock = new ReentrantLock();

        private @Nullable Thread reader;
        private long since;
        private boolean ended;
        private boolean closed;

        /// Reads from `source`.
        /// @throws Busy it brought nothing for too long, and the place was needed
        int read(InputStream source, byte[] to, int offset, int length) throws IOException {
            enter();
            try {
                return source.read(to, offset, length);
            } catch (IOException e) {
                throw leave() ? stalled(e) : e;
            } finally {
                leave();
            }
        }

        private Busy stalled(IOException cause) {
            var busy = new Busy("nothing more of an xz archive came for " + stall.toSeconds()
                    + " seconds, while others waited to be read; try again");
            busy.initCause(cause);
            return busy;
        }

        private void enter() {
            lock.lock();
            try {
                reader = Thread.currentThread();
                since = System.nanoTime();
            } finally {
                lock.unlock();
            }
        }

        /// Whether the read was ended.
        private boolean leave() {
            lock.lock();
            try {
                boolean was = ended;
                reader = null;
                ended = false;
                if (was) {
                    Thread.interrupted(); // it was meant for the read, which is over
                }
                return was;
            } finally {
                lock.unlock();
            }
        }

        /// A blocked read of a socket or pipe ends when its thread is interrupted.
        private void endIfStalled() {
            lock.lock();
            try {
                if (reader != null && !ended && System.nanoTime() - since > stall.toNanos()) {
                    ended = true;
                    reader.interrupt();
                }
            } finally {
                lock.unlock();
            }
        }

        /// Gives the place to the next.
        @Override
        public void close() {
            if (!closed) {
                closed = true;
                taken.remove(this);
                free.release();
            }
        }
    }
}
