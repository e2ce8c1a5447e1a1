package carafe.hub.notice;

import carafe.hub.store.Namespace;
import carafe.http.Address;
import carafe.http.ClientRequest;
import carafe.http.HttpClient;
import carafe.spec.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.InvalidKeyException;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells endpoints of events by POST, in order, each on its own thread with its own bounded queue. What an endpoint does
/// not take is sent again, later and later; after that, and when its queue is full, it is dropped and counted.
/// Source: Docker registry notifications, whose envelope and content type are used.
public final class Webhooks implements Consumer<Event>, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Webhooks.class);
    private static final String TYPE = "application/vnd.docker.distribution.events.v1+json";
    private static final int QUEUE = 4096;
    private static final int TRIES = 8;
    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final Duration ANSWER = Duration.ofSeconds(15);
    private static final int ANSWER_BYTES = 64 << 10;

    private final List<Sender> senders = new ArrayList<>();
    private final Metrics metrics;
    private final Duration firstPause;
    private final CountDownLatch closed = new CountDownLatch(1);

    /// Where to send what: `target` is the path; with `secret` each body is signed (`X-Carafe-Signature`).
    public record Hook(Address address, String target, Set<Event.Action> actions, Namespace namespace,
            Optional<String> secret) {}

    /// Begins to send. The first retry comes after `firstPause`, each later one after twice as long.
    public Webhooks(List<Hook> hooks, Metrics metrics, Duration firstPause) {
        this.metrics = metrics;
        this.firstPause = firstPause;
        for (var hook : hooks) {
            var sender = new Sender(hook);
            senders.add(sender);
            sender.thread.start();
        }
        metrics.gauge("carafe_hub_webhook_queue", "Events that wait to be sent.",
                () -> senders.stream().mapToLong(sender -> sender.queue.size()).sum());
    }

    /// Queues an event and counts it; never waits.
    @Override
    public void accept(Event event) {
        String action = event.action().name().toLowerCase(java.util.Locale.ROOT);
        metrics.add("carafe_hub_events_total{action=\"" + action + "\"}", 1);
        for (var sender : senders) {
            boolean wanted = sender.hook.actions().contains(event.action())
                    && sender.hook.namespace().holds(event.repository());
            if (wanted && !sender.queue.offer(event)) {
                metrics.add("carafe_hub_webhook_dropped_total", 1);
            }
        }
    }

    /// Stops; what is queued is lost.
    @Override
    public void close() {
        closed.countDown();
        for (var sender : senders) {
            sender.thread.interrupt();
        }
    }

    private final class Sender {
        private final Hook hook;
        private final ArrayBlockingQueue<Event> queue = new ArrayBlockingQueue<>(QUEUE);
        private final Thread thread = Thread.ofVirtual().name("carafe-hub-webhook").unstarted(this::run);

        Sender(Hook hook) {
            this.hook = hook;
        }

        private void run() {
            try (var client = new HttpClient(hook.address(), CONNECT)) {
                while (closed.getCount() > 0) {
                    deliver(client, queue.take());
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt(); // the hub is closing
            }
        }

        private void deliver(HttpClient client, Event event) throws InterruptedException {
            byte[] body = Json.object().put("events", Json.ofAll(List.of(event.toJson()))).build().printBytes();
            Duration pause = firstPause;
            for (int i = 0; i < TRIES; i++) {
                String failure = send(client, body);
                if (failure.isEmpty()) {
                    metrics.add("carafe_hub_webhook_sent_total", 1);
                    return;
                }
                LOG.debug("{} did not take an event: {}", hook.address(), failure);
                if (closed.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
                    return;
                }
                pause = pause.multipliedBy(2);
            }
            LOG.warn("{} took the event {} in none of {} tries; dropped", hook.address(), event.id(), TRIES);
            metrics.add("carafe_hub_webhook_dropped_total", 1);
        }

        /// Sends within a time, on a thread that can be given up; empty when it was taken, else why not.
        private String send(HttpClient client, byte[] body) throws InterruptedException {
            var result = new AtomicReference<>("no answer in time");
            var attempt = Thread.ofVirtual().name("carafe-hub-webhook-try").start(() -> result.set(post(client, body)));
            try {
                if (!attempt.join(ANSWER)) {
                    attempt.interrupt();
                }
            } catch (InterruptedException e) {
                attempt.interrupt();
                throw e;
            }
            return String.valueOf(result.get());
        }

        private String post(HttpClient client, byte[] body) {
            var request = ClientRequest.of("POST", hook.target()).body(TYPE, body);
            if (hook.secret().isPresent()) {
                request = request.header("X-Carafe-Signature", "sha256=" + sign(hook.secret().get(), body));
            }
            try (var response = client.send(request)) {
                response.readBody(ANSWER_BYTES);
                return response.status() >= 200 && response.status() < 300 ? "" : "status " + response.status();
            } catch (IOException e) {
                return String.valueOf(e.getMessage());
            }
        }
    }

    private static String sign(String secret, byte[] body) {
        try {
            var mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
            return HexFormat.of().formatHex(mac.doFinal(body));
        } catch (NoSuchAlgorithmException | InvalidKeyException e) {
            throw new AssertionError(e); // every JDK has it
        }
    }
}
