package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Standard input, `attach`, signals: streams without a terminal.
abstract class StreamContract extends Contract {

    StreamContract(DockerCommandContract whole) {
        super(whole);
    }

    @Test
    void theEndOfInputReachesTheContainerAndOutputGoesOn() throws Exception {
        var answer = command("run", "--rm", "-i", IMAGE, "sh", "-c", "cat; echo after")
                .stdin("one\ntwo\n").run().good();
        assertThat(answer.out()).isEqualTo("one\ntwo\nafter\n");
    }

    @Test
    void emptyInputEndsAtOnce() throws Exception {
        assertThat(command("run", "--rm", "-i", IMAGE, "wc", "-c").run().good().text()).isEqualTo("0");
    }

    @Test
    void withoutInteractiveThereIsNoInput() throws Exception {
        assertThat(command("run", "--rm", IMAGE, "cat").stdin("unseen").run().good().out()).isEmpty();
    }

    @Test
    void tenMegabytesGoThroughUnchanged() throws Exception {
        var bytes = new byte[10 << 20];
        new Random(20240101).nextBytes(bytes);
        var sum = command("run", "--rm", "-i", IMAGE, "sha256sum").stdin(bytes).run().good();
        assertThat(sum.text()).startsWith(TestImages.sha256(bytes));
        var text = "0123456789abcde\n".repeat(10 << 16);
        var back = command("run", "--rm", "-i", IMAGE, "cat").stdin(text).run().good();
        assertThat(back.out().equals(text)).as("what cat returned is what it got").isTrue();
    }

    @Test
    void outputOfAnyAmountArrivesBeforeTheEnd() throws Exception {
        var out = docker("run", "--rm", IMAGE, "sh", "-c", "head -c 20000000 /dev/zero | tr '\\0' y; echo end >&2");
        assertThat(out.out().length()).isEqualTo(20_000_000);
        assertThat(out.err()).isEqualTo("end\n");
    }

    @Test
    void aConversationGoesBothWays() throws Exception {
        try (var session = command("run", "--rm", "-i", IMAGE, "sh").start()) {
            session.write("echo first\n").expect("first\n");
            session.write("echo $((20 + 22))\n").expect("42\n");
            session.write("exit 6\n");
            session.await().endedWith(6);
        }
    }

    @Test
    void attachShowsWhatComesAndPassesTheCode() throws Exception {
        background("talker", "while [ ! -e /go ]; do sleep 0.05; done; echo now; exit 4");
        try (var attach = command("attach", "talker").start()) {
            awaitAttached();
            docker("exec", "talker", "touch", "/go");
            assertThat(attach.await().endedWith(4).out()).isEqualTo("now\n");
        }
    }

    /// Nothing tells when an attached client listens, but an event tells that the engine serves it.
    private void awaitAttached() throws Exception {
        Deadline.await("a client is attached", () -> RawHttp.get(
                        engine().socket(), "/events?since=" + (System.currentTimeMillis() / 1000 - 5) + "&until="
                                + System.currentTimeMillis() / 1000 + ".999")
                .contains("\"Action\":\"attach\""));
    }

    @Test
    void attachTakesInput() throws Exception {
        docker("run", "-d", "-i", "--name", "listener", IMAGE, "sh", "-c", "read line; echo got $line; exit 3");
        try (var attach = command("attach", "listener").start()) {
            attach.write("this\n").expect("got this\n");
            attach.await().endedWith(3);
        }
    }

    @Test
    void everyAttachedClientSeesAll() throws Exception {
        background("speaker", "while [ ! -e /go ]; do sleep 0.05; done; seq 1 1000");
        try (var first = command("attach", "--no-stdin", "speaker").start()) {
            awaitAttached();
            try (var second = command("logs", "-f", "speaker").start()) {
                docker("exec", "speaker", "touch", "/go");
                assertThat(first.await().good().lines()).hasSize(1000);
                assertThat(second.await().good().lines()).hasSize(1000);
            }
        }
    }

    @Test
    void aStoppedContainerCannotBeAttached() throws Exception {
        docker("run", "--name", "over", IMAGE, "true");
        assertThat(failing(1, "attach", "over").err()).containsIgnoringCase("cannot attach to a stopped container");
    }

    @Test
    void anInterruptGoesToTheContainer() throws Exception {
        try (var run = command("run", "--rm", IMAGE, "sh", "-c",
                "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.05; done").start()) {
            run.expect("ready").signal("INT").expect("caught");
            run.await().endedWith(9);
        }
    }

    @Test
    void terminatingTheClientTerminatesTheContainer() throws Exception {
        try (var run = command("run", "--rm", IMAGE, "sh", "-c",
                "trap 'exit 8' TERM; echo ready; while :; do sleep 0.05; done").start()) {
            run.expect("ready").signal("TERM");
            run.await().endedWith(8);
        }
    }

    @Test
    void aClientThatIsKilledDisturbsNothing() throws Exception {
        try (var run = command("run", "--name", "survivor", IMAGE, "sh", "-c",
                "echo ready; i=0; while [ ! -e /go ]; do echo $i; i=$((i + 1)); sleep 0.01; done; sleep 0.5; exit 3").start()) {
            run.expect("ready");
        }
        docker("exec", "survivor", "touch", "/go");
        assertThat(docker("wait", "survivor").text()).isEqualTo("3");
    }

    @Test
    void framesOnTheWireAreDockers() throws Exception {
        String id = docker("create", IMAGE, "sh", "-c", "echo a; echo b >&2").text();
        docker("start", "-a", id);
        String logs = RawHttp.get(engine().socket(), "/containers/" + id + "/logs?stdout=1&stderr=1");
        var expected = new String(new byte[] {1, 0, 0, 0, 0, 0, 0, 2, 'a', '\n'}, StandardCharsets.UTF_8);
        assertThat(logs).contains(expected).contains("\u0002\0\0\0\0\0\0\u0002b\n");
    }
}
