package carafe.cli.warm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.cli.session.Terminal;
import carafe.spec.EngineException.Invalid;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CommandRequestTest {

    private static final List<String> HEAD =
            List.of("0022", "mnt:[1]", "8:2", "02", "33", "77", "/home/user");

    private static byte[] body(List<String> words) {
        var bytes = new ByteArrayOutputStream();
        for (String word : words) {
            bytes.writeBytes(word.getBytes(StandardCharsets.UTF_8));
            bytes.write(0);
        }
        return bytes.toByteArray();
    }

    private static byte[] body(String... behindTheDirectory) {
        var words = new ArrayList<>(HEAD);
        words.addAll(List.of(behindTheDirectory));
        return body(words);
    }

    @Test
    void everythingIsTold() throws Exception {
        var request = CommandRequest.parse(body("3", "run", "", "Größe=1", "HOME=/home/jürgen", "EMPTY=", "A=b=c"));
        assertThat(request.place()).isEqualTo(new CommandRequest.Place("0022", "mnt:[1]", "8:2"));
        assertThat(request.terminals()).isEqualTo("02");
        assertThat(request.size()).isEqualTo(new Terminal.Size(33, 77));
        assertThat(request.directory()).isEqualTo(Path.of("/home/user"));
        assertThat(request.arguments()).containsExactly("run", "", "Größe=1");
        assertThat(request.environment()).containsOnly(
                Map.entry("HOME", "/home/jürgen"), Map.entry("EMPTY", ""), Map.entry("A", "b=c"));
    }

    @Test
    void ofTwoVariablesTheFirstCountsAndWhatIsNoneIsLeftOut() throws Exception {
        var request = CommandRequest.parse(body("0", "A=1", "A=2", "none", "=C:=x", ""));
        assertThat(request.environment()).containsOnly(Map.entry("A", "1"));
        assertThat(request.arguments()).isEmpty();
    }

    @Test
    void withoutArgumentsAndVariablesItIsWhole() throws Exception {
        var request = CommandRequest.parse(body("0"));
        assertThat(request.arguments()).isEmpty();
        assertThat(request.environment()).isEmpty();
    }

    @Test
    void aCutBodyIsRefusedWhereverItIsCut() throws Exception {
        byte[] whole = body("2", "ps", "-a", "HOME=/root");
        int variables = body("2", "ps", "-a").length;
        for (int length = 0; length < whole.length; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            if (length == variables) {
                assertThat(CommandRequest.parse(cut).environment()).isEmpty();
            } else {
                assertThatThrownBy(() -> CommandRequest.parse(cut)).as("cut at " + cut.length).isInstanceOf(Invalid.class)
                        .hasMessage("the description of a command is cut");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "2", "0", "1 ", "11"})
    void anotherProtocolIsNamed(String protocol) {
        assertThatThrownBy(() -> CommandRequest.code(body(List.of(protocol, "1:2:3:4.000000005")))).isInstanceOf(Invalid.class)
                .hasMessage("this engine runs commands of protocol 1, not " + protocol);
    }

    @ParameterizedTest
    @CsvSource({"4,x", "4,''", "5,-1", "5,4294967295", "5,2147483648", "4,1.0", "5,0x10", "7,many", "7,-1", "7,4294967295"})
    void whatIsNoNumberIsNamed(int at, String word) {
        var words = new ArrayList<>(HEAD);
        words.add("0");
        words.set(at, word);
        assertThatThrownBy(() -> CommandRequest.parse(body(words))).isInstanceOf(Invalid.class)
                .hasMessage("not a number in the description of a command: " + word);
    }

    @Test
    void moreArgumentsThanThereAreWordsAreACut() {
        assertThatThrownBy(() -> CommandRequest.parse(body("999999999", "ps"))).isInstanceOf(Invalid.class)
                .hasMessage("the description of a command is cut");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "home/user", "(unreachable)/home"})
    void aDirectoryIsAbsolute(String directory) {
        var words = new ArrayList<>(HEAD);
        words.set(6, directory);
        assertThatThrownBy(() -> CommandRequest.parse(body(words))).isInstanceOf(Invalid.class)
                .hasMessage("the directory of a command is absolute, not " + directory);
    }

    @Test
    void aProgramIsNamedByItsCode() throws Exception {
        assertThat(CommandRequest.code(body(List.of("1", "1:2:3:4.000000005")))).isEqualTo("1:2:3:4.000000005");
        assertThatThrownBy(() -> CommandRequest.code(new byte[] {'1', 0, '1', ':'})).isInstanceOf(Invalid.class);
    }

    private static byte[] frame(int kind, int length, byte[] bytes) {
        return ByteBuffer.allocate(5 + bytes.length).put((byte) kind).putInt(length).put(bytes).array();
    }

    private static InputStream frames(byte[]... frames) {
        var all = new ByteArrayOutputStream();
        for (byte[] frame : frames) {
            all.writeBytes(frame);
        }
        return new ByteArrayInputStream(all.toByteArray());
    }

    @Test
    void aDescriptionComesInPiecesAndNothingBehindItIsRead() throws Exception {
        byte[] whole = body("1", "ps", "A=" + "x".repeat(100_000));
        byte[] first = Arrays.copyOf(whole, 65_536);
        byte[] second = Arrays.copyOfRange(whole, 65_536, whole.length);
        var in = frames(frame(5, first.length, first), frame(5, second.length, second), frame(5, 0, new byte[0]),
                frame(1, 1, new byte[] {7}));
        assertThat(CommandRequest.read(in)).isEqualTo(CommandRequest.parse(whole));
        assertThat(in.readAllBytes()).isEqualTo(frame(1, 1, new byte[] {7}));
    }

    @Test
    void whatIsNoDescriptionIsRefused() {
        byte[] piece = new byte[65_536];
        byte[][] endless = new byte[66][];
        Arrays.fill(endless, frame(5, piece.length, piece));
        assertThatThrownBy(() -> CommandRequest.read(frames(endless))).isInstanceOf(Invalid.class);
        assertThatThrownBy(() -> CommandRequest.read(frames(frame(1, 0, new byte[0])))).isInstanceOf(Invalid.class);
        assertThatThrownBy(() -> CommandRequest.read(frames(frame(5, -1, new byte[0])))).isInstanceOf(Invalid.class);
        assertThatThrownBy(() -> CommandRequest.read(frames(frame(5, 65_537, piece)))).isInstanceOf(Invalid.class);
        assertThatThrownBy(() -> CommandRequest.read(frames(frame(5, 9, new byte[3])))).isInstanceOf(IOException.class);
    }

    @Test
    void whateverComesItIsARequestOrRefused() {
        long seed = new Random().nextLong();
        var random = new Random(seed);
        byte[] whole = body("2", "ps", "-a", "HOME=/root");
        for (int round = 0; round < 20_000; round++) {
            byte[] bytes = Arrays.copyOf(whole, random.nextInt(whole.length + 1));
            for (int changes = random.nextInt(8); changes > 0 && bytes.length > 0; changes--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            try {
                assertThat(CommandRequest.parse(bytes).directory()).isAbsolute();
            } catch (Invalid e) {
                assertThat(e.getMessage()).as("seed " + seed).isNotEmpty();
            }
        }
    }
}
