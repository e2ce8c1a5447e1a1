package carafe.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class BesideTest {

    private final AtomicInteger closed = new AtomicInteger();

    @Test
    void thePartIsMadeWhileItsMakerGoesOn() throws Exception {
        var mayBeMade = new CountDownLatch(1);
        AutoCloseable part = closed::incrementAndGet;
        try (var beside = Beside.begin("part", () -> {
            mayBeMade.await();
            return part;
        })) {
            mayBeMade.countDown(); // had `begin` waited for the part, it would wait forever
            assertThat(beside.get()).isSameAs(part).isSameAs(beside.get());
            assertThat(closed).hasValue(0);
        }
        assertThat(closed).hasValue(1);
    }

    @Test
    void aPartThatNobodyAskedForIsClosedToo() {
        Beside.begin("part", () -> (AutoCloseable) closed::incrementAndGet).close();
        assertThat(closed).hasValue(1);
    }

    @Test
    void whatItsMakingThrewIsThrownAndClosingSaysNothing() {
        var failure = new EngineException.Unavailable("no disk");
        try (var beside = Beside.<AutoCloseable>begin("part", () -> {
            throw failure;
        })) {
            assertThatThrownBy(beside::get).isSameAs(failure);
        }
        var error = new StackOverflowError();
        try (var beside = Beside.<AutoCloseable>begin("part", () -> {
            throw new IllegalStateException(error);
        })) {
            assertThatThrownBy(beside::get).isInstanceOf(IllegalStateException.class).hasCause(error);
        }
    }

    @Test
    void aPartThatDoesNotCloseIsNamed() {
        var beside = Beside.begin("part", () -> (AutoCloseable) () -> {
            throw new IOException("busy");
        });
        assertThatThrownBy(beside::close).isInstanceOf(IllegalStateException.class).hasMessage("closing: busy");
    }

    @Test
    void anInterruptEndsTheWaitingButLeavesNoPartOpen() throws Exception {
        var asked = new CountDownLatch(1);
        var beside = Beside.begin("part", () -> {
            asked.await();
            return (AutoCloseable) closed::incrementAndGet;
        });
        Thread.currentThread().interrupt();
        assertThatThrownBy(beside::get).isInstanceOf(EngineException.Unavailable.class)
                .hasMessage("interrupted while starting");
        assertThat(Thread.currentThread().isInterrupted()).isTrue();
        asked.countDown();
        beside.close();
        assertThat(Thread.interrupted()).isTrue();
        assertThat(closed).hasValue(1);
    }
}
