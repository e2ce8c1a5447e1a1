package carafe.cli.warm;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import carafe.cli.session.Terminal;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class FarProcessTest {

    private static final int INPUT = 1;
    private static final int SIGNAL = 2;
    private static final int SIZE = 3;
    private static final byte SIGINT = 2;
    private static final byte SIGTERM = 15;
    private static final String WANTED = "3";

    private final FakeWire wire;
    private final FarProcess process;
    private final Thread listener;

    FarProcessTest() throws Exception {
        wire = new FakeWire();
        process = new FarProcess(wire, "02", new Terminal.Size(33, 77));
        listener = Thread.ofVirtual().start(process::listen);
    }

    @AfterEach
    void closingEndsTheListener() throws Exception {
        process.close();
        process.close();
        assertThat(listener.join(Duration.ofSeconds(30))).isTrue();
    }

    /// Whatever was sent before this has been taken.
    private void awaitTaken() throws Exception {
        wire.send(SIZE, (byte) 1, (byte) 2, (byte) 3, (byte) 4);
        while (!process.size().equals(Optional.of(new Terminal.Size(0x102, 0x304)))) {
            assertThat(listener.isAlive()).isTrue();
            Thread.onSpinWait();
        }
    }

    /// Whatever was sent has been taken out.
    private void assertQuiet() throws Exception {
        process.err().write('!');
        assertThat(wire.next()).isEqualTo("2 21");
    }

    private static void awaitFailure(ThrowingCallable sending) {
        while (catchThrowable(sending) == null) {
            Thread.onSpinWait();
        }
        assertThatThrownBy(sending).isInstanceOf(IOException.class).hasMessage("the process of the command is gone");
    }

    private FutureTask<Integer> reading(byte[] into) {
        var read = new FutureTask<>(() -> process.in().read(into));
        Thread.ofVirtual().start(read);
        return read;
    }

    @Test
    void whatIsWrittenGoesOutInFrames() throws Exception {
        process.out().write("hello".getBytes(UTF_8));
        process.err().write('!');
        process.out().write("<hello>".getBytes(UTF_8), 1, 5);
        process.out().flush();
        process.end(3);
        assertThat(wire.next()).isEqualTo("1 68656c6c6f");
        assertThat(wire.next()).isEqualTo("2 21");
        assertThat(wire.next()).isEqualTo("1 68656c6c6f");
        assertThat(wire.next()).isEqualTo("6 00000003");
        assertQuiet();
    }

    @Test
    void muchGoesOutInPieces() throws Exception {
        process.out().write(new byte[(64 << 10) * 2 + 1]);
        assertThat(wire.next()).isEqualTo("1 " + "00".repeat(64 << 10));
        assertThat(wire.next()).isEqualTo("1 " + "00".repeat(64 << 10));
        assertThat(wire.next()).isEqualTo("1 00");
        process.out().write(new byte[0]);
        assertQuiet();
    }

    @Test
    void anAnswerThatNobodyAskedForEndsIt() throws Exception {
        awaitTaken();
        wire.send(4, (byte) 0, (byte) 0, (byte) 0, (byte) 0);
        assertThat(listener.join(Duration.ofSeconds(30))).isTrue();
    }

    @Test
    void whatIsWrittenWhenItIsOverIsRefused() throws Exception {
        process.close();
        assertThatThrownBy(() -> process.out().write('x')).isInstanceOf(IOException.class)
                .hasMessage("the process of the command is gone");
        assertThatThrownBy(() -> process.end(0)).isInstanceOf(IOException.class);
    }

    @Test
    void inputIsAskedForWhenItIsReadAndAPieceAtATime() throws Exception {
        assertQuiet();
        var in = process.in();
        assertThat(in.read(new byte[0])).isZero();
        assertQuiet();
        var first = new byte[2];
        var read = reading(first);
        assertThat(wire.next()).isEqualTo(WANTED);
        assertQuiet();
        wire.send(INPUT, "abc".getBytes(UTF_8));
        assertThat(read.get()).isEqualTo(2);
        assertThat(new String(first, UTF_8)).isEqualTo("ab");
        assertThat(in.read()).isEqualTo('c');
        assertQuiet();
        var next = reading(new byte[10]);
        assertThat(wire.next()).isEqualTo(WANTED);
        wire.send(INPUT, (byte) 0xFF);
        assertThat(next.get()).isEqualTo(1);
    }

    @Test
    void aByteAbove127IsNoEnd() throws Exception {
        var read = new FutureTask<>(() -> process.in().read());
        Thread.ofVirtual().start(read);
        assertThat(wire.next()).isEqualTo(WANTED);
        wire.send(INPUT, (byte) 0xFF);
        assertThat(read.get()).isEqualTo(255);
    }

    @Test
    void anEmptyPieceIsTheEndAndNothingIsAskedForBehindIt() throws Exception {
        var read = reading(new byte[10]);
        assertThat(wire.next()).isEqualTo(WANTED);
        wire.send(INPUT);
        assertThat(read.get()).isEqualTo(-1);
        assertThat(process.in().read()).isEqualTo(-1);
        assertQuiet();
    }

    @Test
    void whoReadsWhenTheProcessLeavesGetsTheEnd() throws Exception {
        var read = reading(new byte[10]);
        assertThat(wire.next()).isEqualTo(WANTED);
        wire.leave();
        assertThat(read.get()).isEqualTo(-1);
        listener.join();
    }

    @Test
    void whoReadsWhenTheCommandIsOverGetsTheEnd() throws Exception {
        var read = reading(new byte[10]);
        assertThat(wire.next()).isEqualTo(WANTED);
        process.close();
        assertThat(read.get()).isEqualTo(-1);
    }

    @Test
    void whoIsInterruptedWhileHeReadsStops() throws Exception {
        var read = new FutureTask<>(() -> process.in().read());
        var reader = Thread.ofVirtual().start(read);
        assertThat(wire.next()).isEqualTo(WANTED);
        reader.interrupt();
        assertThatThrownBy(read::get).hasRootCauseInstanceOf(InterruptedException.class);
        var again = reading(new byte[10]);
        wire.send(INPUT, (byte) 7);
        assertThat(again.get()).as("what was asked for is not lost").isEqualTo(1);
        assertQuiet();
    }

    @Test
    void theTerminalIsKnownAndItsSizeFollows() throws Exception {
        assertThat(process.isTerminal(0)).isTrue();
        assertThat(process.isTerminal(1)).isFalse();
        assertThat(process.isTerminal(2)).isTrue();
        assertThat(process.size()).contains(new Terminal.Size(33, 77));
        awaitTaken();
        assertThat(process.size()).contains(new Terminal.Size(0x102, 0x304));
        assertThat(new FarProcess(wire, "", new Terminal.Size(0, 0)).size()).isEmpty();
    }

    @Test
    void theTerminalIsRawUntilThatIsClosed() throws Exception {
        var first = process.raw();
        assertThat(wire.next()).isEqualTo("5 01");
        first.close();
        assertThat(wire.next()).isEqualTo("5 00");
        var second = process.raw();
        wire.leave();
        second.close(); // the process is gone, with its terminal as it was
        awaitFailure(process::raw);
    }

    @Test
    void signalsReachTheLatestHandlerAndTheOneBeforeAgainWhenItIsClosed() throws Exception {
        BlockingQueue<String> caught = new LinkedBlockingQueue<>();
        var outer = process.on(List.of("INT", "TERM"), name -> caught.add("outer " + name));
        assertThat(wire.next()).isEqualTo("4 0000000000004002");
        var inner = process.on(List.of("INT"), name -> caught.add("inner " + name));
        assertThat(wire.next()).isEqualTo("4 0000000000004002");
        wire.send(SIGNAL, SIGINT);
        assertThat(caught.poll(30, TimeUnit.SECONDS)).isEqualTo("inner INT");
        wire.send(SIGNAL, SIGTERM);
        assertThat(caught.poll(30, TimeUnit.SECONDS)).isEqualTo("outer TERM");
        inner.close();
        assertThat(wire.next()).isEqualTo("4 0000000000004002");
        wire.send(SIGNAL, SIGINT);
        assertThat(caught.poll(30, TimeUnit.SECONDS)).isEqualTo("outer INT");
        outer.close();
        assertThat(wire.next()).isEqualTo("4 0000000000000000");
        wire.send(SIGNAL, SIGINT);
        awaitTaken();
        assertThat(caught).isEmpty();
    }

    @Test
    void handlersCloseInAnyOrderEvenWhenTheyAreTheSame() throws Exception {
        BlockingQueue<String> caught = new LinkedBlockingQueue<>();
        Consumer<String> one = caught::add;
        var first = process.on(List.of("INT"), one);
        var second = process.on(List.of("INT"), one);
        first.close();
        first.close();
        for (int i = 0; i < 4; i++) {
            assertThat(wire.next()).isEqualTo("4 0000000000000002");
        }
        wire.send(SIGNAL, SIGINT);
        assertThat(caught.poll(30, TimeUnit.SECONDS)).isEqualTo("INT");
        second.close();
        assertThat(wire.next()).isEqualTo("4 0000000000000000");
    }

    @Test
    void theMaskHasEverySignalAndLeavesOutWhatIsNone() throws Exception {
        process.on(List.of("HUP", "NOSUCH", "WINCH", "RTMAX"), _ -> { });
        assertThat(wire.next()).isEqualTo("4 8000000008000001");
    }

    @Test
    void signalsAreHandledInTurnAndDoNotHoldUpInput() throws Exception {
        BlockingQueue<String> caught = new LinkedBlockingQueue<>();
        var goOn = new CountDownLatch(1);
        process.on(List.of("INT", "TERM"), name -> {
            try {
                goOn.await();
                caught.add(name);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        assertThat(wire.next()).startsWith("4 ");
        wire.send(SIGNAL, SIGTERM);
        wire.send(SIGNAL, SIGINT);
        var read = reading(new byte[1]);
        assertThat(wire.next()).isEqualTo(WANTED);
        wire.send(INPUT, (byte) 1);
        assertThat(read.get()).isEqualTo(1);
        goOn.countDown();
        assertThat(caught.poll(30, TimeUnit.SECONDS)).isEqualTo("TERM");
        assertThat(caught.poll(30, TimeUnit.SECONDS)).isEqualTo("INT");
    }

    @Test
    void aHandlerIsFreeToRegisterAfterTheProcessHasLeft() throws Exception {
        wire.leave();
        listener.join();
        process.on(List.of("INT"), _ -> { }).close();
        awaitFailure(() -> process.out().write(1));
        awaitFailure(() -> process.end(0));
        assertThat(process.in().read()).isEqualTo(-1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"09 00000000", "00 00000000", "01 FFFFFFFF", "01 00010001", "02 00000000", "03 00000003 010203"})
    void nonsenseEndsIt(String frame) throws Exception {
        wire.sendRaw(HexFormat.of().parseHex(frame.replace(" ", "")));
        listener.join();
        assertThat(process.in().read()).as("nothing comes any more").isEqualTo(-1);
    }

    @Test
    void theLongestFrameIsTaken() throws Exception {
        byte[] whole = new byte[64 << 10];
        Arrays.fill(whole, (byte) 5);
        var read = new FutureTask<>(() -> process.in().readNBytes(whole.length));
        Thread.ofVirtual().start(read);
        assertThat(wire.next()).isEqualTo(WANTED);
        wire.send(INPUT, whole);
        assertThat(read.get()).isEqualTo(whole);
    }

    @Test
    void whateverComesTheListenerEnds() throws Exception {
        long seed = new Random().nextLong();
        var random = new Random(seed);
        for (int round = 0; round < 300; round++) {
            var other = new FakeWire();
            var far = new FarProcess(other, "", new Terminal.Size(0, 0));
            far.on(List.of("INT"), _ -> { }).close();
            byte[] bytes = new byte[random.nextInt(200)];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) (random.nextInt(3) == 0 ? random.nextInt(256) : random.nextInt(4));
            }
            other.sendRaw(bytes);
            other.leave();
            far.listen();
            assertThat(far.in().readAllBytes().length).as("seed " + seed).isLessThan(200);
            far.close();
        }
    }
}
