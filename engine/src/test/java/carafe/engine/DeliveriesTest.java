package carafe.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class DeliveriesTest {
    private static final Waiting.Result ENDED = new Waiting.Result(4, "");

    private final Deliveries deliveries = new Deliveries(Duration.ofHours(1));
    private final Waits waits = new Waits(deliveries);

    @Test
    void whoWaitsForTheEndIsAnsweredAfterThoseWhoAttachedHaveTheOutput() throws Exception {
        var before = deliveries.begin();
        var wait = waits.register(WaitCondition.NEXT_EXIT, Optional::empty);
        deliveries.live();
        var during = deliveries.begin();
        end();
        var answer = answer(wait);
        during.done();
        during.done();
        assertHeldUp(answer);
        before.done();
        assertThat(answer.get(1, TimeUnit.MINUTES)).isEqualTo(ENDED);
    }

    @Test
    void whoAsksAfterTheEndIsAnsweredAfterThemToo() throws Exception {
        deliveries.live();
        var delivery = deliveries.begin();
        end();
        var answer = answer(waits.register(WaitCondition.NOT_RUNNING, () -> Optional.of(ENDED)));
        assertHeldUp(answer);
        delivery.done();
        assertThat(answer.get(1, TimeUnit.MINUTES)).isEqualTo(ENDED);
    }

    @Test
    void aClientThatWaitsForTheNextStartHoldsNobodyUp() throws Exception {
        deliveries.live();
        end();
        deliveries.begin();
        assertThat(waits.register(WaitCondition.NOT_RUNNING, () -> Optional.of(ENDED)).await()).isEqualTo(ENDED);
    }

    @Test
    void anotherLifeHoldsNobodyUp() throws Exception {
        deliveries.live();
        deliveries.begin();
        end();
        var answer = answer(waits.register(WaitCondition.NEXT_EXIT, () -> Optional.of(ENDED)));
        assertHeldUp(answer);
        deliveries.live();
        assertThat(answer.get(1, TimeUnit.MINUTES)).isEqualTo(ENDED);
    }

    @Test
    void aClientThatDoesNotReadHoldsNobodyUpForEver() throws Exception {
        var impatient = new Deliveries(Duration.ofMillis(1));
        impatient.live();
        impatient.begin();
        impatient.end();
        impatient.await();
    }

    @Test
    void aWaitThatIsGivenUpHoldsNothing() throws Exception {
        deliveries.live();
        deliveries.begin();
        var wait = waits.register(WaitCondition.NEXT_EXIT, Optional::empty);
        end(List.of());
        wait.close();
        assertThat(wait.await().error()).isNotEmpty();
    }

    private void end() {
        end(List.of(WaitCondition.values()));
    }

    private void end(List<WaitCondition> answered) {
        deliveries.end();
        waits.change(() -> {}, answered, ENDED);
    }

    private static CompletableFuture<Waiting.Result> answer(Waiting wait) {
        var answer = new CompletableFuture<Waiting.Result>();
        Thread.ofPlatform().daemon().name("asks").start(() -> {
            try {
                answer.complete(wait.await());
            } catch (InterruptedException e) {
                answer.completeExceptionally(e);
            }
        });
        return answer;
    }

    /// Returns when it has come to wait for the clients.
    private static void assertHeldUp(CompletableFuture<Waiting.Result> answer) throws InterruptedException {
        while (!answer.isDone() && Thread.getAllStackTraces().entrySet().stream()
                .filter(thread -> thread.getKey().getName().equals("asks"))
                .flatMap(thread -> List.of(thread.getValue()).stream())
                .noneMatch(frame -> frame.getClassName().equals(Object.class.getName())
                        && frame.getMethodName().startsWith("wait"))) {
            Thread.sleep(1);
        }
        assertThat(answer).isNotDone();
    }
}
