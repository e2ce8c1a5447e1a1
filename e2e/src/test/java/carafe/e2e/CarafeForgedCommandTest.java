package carafe.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What the engine does for a command that says of itself what `carafe` would not: its frames are made here.
@Timeout(120)
class CarafeForgedCommandTest {

    private static final int TAKEN = 4;
    private static final int FILE = 7;
    private static final int ALONE = 8;

    /// A command at the engine's door; native/carafe.h has the words.
    private static final class Forged implements AutoCloseable {
        private final SocketChannel channel;
        private final DataInputStream in;
        private final DataOutputStream out;

        Forged(Path socket) throws Exception {
            channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
            in = new DataInputStream(Channels.newInputStream(channel));
            out = new DataOutputStream(Channels.newOutputStream(channel));
            byte[] code = words(List.of("1", stamp()));
            out.write(("POST /carafe/v1/command HTTP/1.1\r\nHost: carafe\r\nConnection: Upgrade\r\nUpgrade: carafe-command\r\n"
                    + "Content-Length: " + code.length + "\r\n\r\n").getBytes(UTF_8));
            out.write(code);
            var head = new StringBuilder();
            while (head.indexOf("\r\n\r\n") < 0) {
                head.append((char) in.readByte());
            }
            assertThat(head).startsWith("HTTP/1.1 101");
        }

        private static String stamp() throws IOException {
            var file = Files.readAttributes(Tools.ours("carafe").resolve("../../lib/carafe-cli.jar").normalize(),
                    "unix:dev,ino,size,lastModifiedTime");
            long nanos = ((FileTime) Objects.requireNonNull(file.get("lastModifiedTime"))).to(TimeUnit.NANOSECONDS);
            return "%s:%s:%s:%d.%09d".formatted(file.get("dev"), file.get("ino"), file.get("size"),
                    nanos / 1_000_000_000L, nanos % 1_000_000_000L);
        }

        private static byte[] words(List<String> words) {
            var bytes = new ByteArrayOutputStream();
            for (String word : words) {
                bytes.writeBytes((word + "\0").getBytes(UTF_8));
            }
            return bytes.toByteArray();
        }

        private void frame(int kind, byte[] bytes) throws IOException {
            out.writeByte(kind);
            out.writeInt(bytes.length);
            out.write(bytes);
        }

        /// Describes a `ps` with one variable.
        Forged ps(String variable) throws IOException {
            frame(5, words(List.of("0022", "mnt:[0]", "0:0", "", "0", "0", "/", "1", "ps", variable, "HOME=/none")));
            frame(5, new byte[0]);
            return this;
        }

        /// What the engine says next; files are said not to be there.
        int next() throws IOException {
            while (true) {
                int kind = in.readByte();
                in.readNBytes(in.readInt());
                if (kind != FILE) {
                    return kind;
                }
                frame(4, new byte[] {0, 0, 0, 2, 'n', 'o'});
            }
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    @Test
    void commandsSpeakToNobodyButThisEngine() throws Exception {
        try (var engine = new CarafeDaemon()) {
            engine.start();
            String own = "unix://" + engine.socket();
            Path other = Files.createFile(engine.directory().resolve("other.sock"));
            try (var forged = new Forged(engine.socket()).ps("DOCKER_HOST=" + own)) {
                assertThat(forged.next()).isEqualTo(TAKEN);
            }
            for (String variable : List.of("DOCKER_HOST=unix://" + other, "DOCKER_HOST=tcp://127.0.0.1:1", "CARAFE_CONTEXT=x",
                    "DOCKER_HOST=ssh://x", "CARAFE_HOST=unix:///nowhere")) {
                try (var forged = new Forged(engine.socket()).ps(variable)) {
                    assertThat(forged.next()).as(variable).isEqualTo(ALONE);
                }
            }
        }
    }

    /// Many commands that say nothing more hold nobody up.
    @Test
    void whoDoesNotDescribeItselfHasNoPlace() throws Exception {
        try (var engine = new CarafeDaemon()) {
            engine.start();
            var silent = new ArrayList<Forged>();
            try {
                for (int i = 0; i < 40; i++) {
                    silent.add(new Forged(engine.socket()));
                }
                try (var forged = new Forged(engine.socket()).ps("DOCKER_HOST=unix://" + engine.socket())) {
                    assertThat(forged.next()).isEqualTo(TAKEN);
                }
            } finally {
                for (var each : silent) {
                    each.close();
                }
            }
        }
    }
}
