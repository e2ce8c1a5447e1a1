package carafe.network.dns;

import carafe.kernel.QueryLoop;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;

/// Queries on their way to other servers: each on a virtual thread, not more than [#MOST_OF_ONE] of one container and
/// [#MOST] of all at a time. What is beyond is failed at once, so a container that floods its server is its own victim.
final class Forwarding implements AutoCloseable {

    static final int MOST_OF_ONE = 64;
    private static final int MOST = 1024;

    private final Forwarder forwarder;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final Semaphore all = new Semaphore(MOST);

    Forwarding(Forwarder forwarder) {
        this.forwarder = forwarder;
    }

    /// How many queries of one container are under way.
    static final class Share {
        private final Semaphore free = new Semaphore(MOST_OF_ONE);
    }

    /// A query and where its answer goes.
    record Job(Query query, byte[] message, boolean stream, QueryLoop.Reply reply) {
        void fail() {
            reply.send(Response.error(query, Response.SERVER_FAILURE, stream));
        }
    }

    /// Returns at once.
    void start(Share share, Job job, List<Forwarder.Server> servers) {
        if (!share.free.tryAcquire()) {
            job.fail();
            return;
        }
        if (!all.tryAcquire()) {
            share.free.release();
            job.fail();
            return;
        }
        try {
            threads.execute(() -> {
                try {
                    forwarder.ask(job.query, job.message, job.stream, servers).ifPresentOrElse(
                            answer -> job.reply.send(Response.forwarded(job.query, answer, job.stream)), job::fail);
                } finally {
                    all.release();
                    share.free.release();
                }
            });
        } catch (RejectedExecutionException ending) {
            all.release();
            share.free.release();
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
        threads.close();
    }
}
