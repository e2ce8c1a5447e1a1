package carafe.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class DeliveriesTest {
    private static final Waiting.Result ENDED = new Waiting.Result(4, "");

    private final Deliveries deliveries = new Deliveries(Duration.ofHours(1));
    private final Waits waits = new Waits(deliveries);

    @Test
    void whoWaitsForTheEndIsAnsweredAfterThoseWhoAttachedHaveTheOutput() throws Exception {
        var one = deliveries.begin();
        var wait = next();
        var other = deliveries.begin();
        end();
        var asker = new Asker(wait);
        asker.assertHeldUp();
        one.done();
        one.done();
        asker.assertHeldUp();
        other.done();
        assertThat(asker.answer()).isEqualTo(ENDED);
    }

    @Test
    void whoAsksAfterTheEndIsAnsweredAfterThemToo() throws Exception {
        var delivery = deliveries.begin();
        end();
        var asker = new Asker(known());
        asker.assertHeldUp();
        delivery.done();
        assertThat(asker.answer()).isEqualTo(ENDED);
    }

    @Test
    void clientsOfTheNextLifeHoldNobodyUp() throws Exception {
        end();
        deliveries.begin();
        assertThat(known().await()).isEqualTo(ENDED);
    }

    @Test
    void clientsOfAnEarlierLifeHoldNobodyUp() throws Exception {
        deliveries.begin(); // and never reads
        end();
        var wait = next();
        end();
        assertThat(wait.await()).isEqualTo(ENDED);
    }

    @Test
    void anotherLifeDoesNotAnswerForTheOneBefore() throws Exception {
        var delivery = deliveries.begin();
        var wait = next();
        end();
        deliveries.begin();
        end();
        var asker = new Asker(wait);
        asker.assertHeldUp();
        delivery.done();
        assertThat(asker.answer()).isEqualTo(ENDED);
    }

    @Test
    void aClientThatDoesNotReadHoldsNobodyUpForEver() throws Exception {
        var impatient = new Deliveries(Duration.ofMillis(1));
        impatient.begin();
        impatient.end();
        impatient.last().await();
    }

    @Test
    void commandsThatEndAProcessDoNotWaitForClients() throws Exception {
        deliveries.begin();
        var wait = next();
        end();
        assertThat(wait.ended()).isEqualTo(ENDED);
    }

    @Test
    void whenTheEngineClosesNobodyIsHeldUp() throws Exception {
        deliveries.begin();
        var wait = next();
        end();
        var asker = new Asker(wait);
        asker.assertHeldUp();
        waits.abandon("the engine closes");
        assertThat(asker.answer()).isEqualTo(ENDED);
    }

    @Test
    void aWaitThatIsGivenUpHoldsNothing() throws Exception {
        deliveries.begin();
        var wait = next();
        deliveries.end();
        wait.close();
        assertThat(wait.await().error()).isNotEmpty();
    }

    private Waits.Wait next() {
        return waits.register(WaitCondition.NEXT_EXIT, Optional::empty);
    }

    private Waits.Wait known() {
        return waits.register(WaitCondition.NOT_RUNNING, () -> Optional.of(ENDED));
    }

    private void end() {
        deliveries.end();
        waits.change(() -> {}, List.of(WaitCondition.values()), ENDED);
    }
}
