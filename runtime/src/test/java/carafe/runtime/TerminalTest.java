package carafe.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.spec.oci.ProcessSpec.ConsoleSize;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Containers with a terminal.
class TerminalTest extends StageTest {

    private Bundle bundle(String... args) throws Exception {
        var spec = TestSpecs.withTerminal(TestSpecs.standard(stage.id(), args), 24, 80);
        return stage.bundle(spec, UserRequest.NONE, new Stdio(true, false));
    }

    @Test
    void itIsTheControllingTerminalAndTheConsole() throws Exception {
        var output = stage.run(bundle("sh", "-c", "tty; stty size; ls -l /dev/console | cut -c1,30-; "
                + "echo to-console > /dev/console; cut -d' ' -f6,7 /proc/1/stat"));
        assertThat(output.exit().code()).isZero();
        assertThat(output.out()).startsWith("/dev/pts/0\r\n24 80\r\nc").contains("to-console\r\n")
                .endsWith("\r\n1 34816\r\n"); // session 1, terminal 136:0
    }

    @Test
    void typingIsEchoedAndControlCInterrupts() throws Exception {
        try (var client = stage.runtime.endpoint(EnumSet.allOf(StdStream.class))) {
            var container = stage.start(bundle("sh"), List.of(client));
            until(client.channel(), "# ");
            type(client.channel(), "echo $((6*7))\n");
            assertThat(until(client.channel(), "42\r\n")).contains("echo $((6*7))\r\n");
            type(client.channel(), "sleep 1000\n");
            until(client.channel(), "sleep 1000\r\n");
            // Not before it is the program: a shell that has just forked drops the key, and so does its child.
            RuntimeStage.await("sleep to run", () -> container.processes().stream().anyMatch(TerminalTest::sleeps));
            type(client.channel(), "\u0003");
            until(client.channel(), "# ");
            type(client.channel(), "exit 5\n");
            assertThat(container.awaitExit().code()).isEqualTo(5);
            container.delete();
        }
    }

    @Test
    void resizeReachesTheProgram() throws Exception {
        try (var client = stage.runtime.endpoint(EnumSet.allOf(StdStream.class))) {
            var container = stage.start(bundle("sh"), List.of(client));
            until(client.channel(), "# ");
            container.resize(new ConsoleSize(51, 133));
            type(client.channel(), "stty size\n");
            until(client.channel(), "51 133\r\n");
            type(client.channel(), "exit\n");
            container.awaitExit();
            container.delete();
        }
    }

    @Test
    void userOwnsItsTerminal() throws Exception {
        var spec = TestSpecs.withTerminal(TestSpecs.standard(stage.id(), "sh", "-c", "stat -c '%u %a' $(tty)"), 24, 80);
        var output = stage.run(stage.bundle(spec, new UserRequest("app", List.of()), Stdio.CLOSED));
        assertThat(output.out()).isEqualTo("1000 620\r\n");
    }

    private static boolean sleeps(int pid) {
        try {
            return Files.readString(Path.of("/proc/" + pid + "/cmdline")).startsWith("sleep\0");
        } catch (IOException e) {
            return false; // it has ended
        }
    }

    private static void type(SocketChannel channel, String text) throws Exception {
        channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    }

    /// Reads until the output ends in `wanted`.
    private static String until(SocketChannel channel, String wanted) throws Exception {
        var text = new StringBuilder();
        var buffer = ByteBuffer.allocate(1);
        while (!text.toString().endsWith(wanted)) {
            if (channel.read(buffer) < 0) {
                throw new AssertionError("the output ended with: " + text);
            }
            text.append((char) buffer.flip().get());
            buffer.clear();
        }
        return text.toString();
    }
}
