package carafe.cli.warm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.cli.session.Terminal;
import carafe.spec.EngineException.Invalid;
import java.io.ByteArrayOutputStream;
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
            List.of("1", "1:2:3:4.000000005", "0022", "mnt:[1]", "8:2", "02", "33", "77", "/home/user");

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
        assertThat(request.code()).isEqualTo("1:2:3:4.000000005");
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
        var words = new ArrayList<>(HEAD);
        words.set(0, protocol);
        assertThatThrownBy(() -> CommandRequest.parse(body(words))).isInstanceOf(Invalid.class)
                .hasMessage("this engine runs commands of protocol 1, not " + protocol);
    }

    @ParameterizedTest
    @CsvSource({"6,x", "6,''", "7,-1", "7,4294967295", "7,2147483648", "6,1.0", "7,0x10", "9,many", "9,-1", "9,4294967295"})
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
        words.set(8, directory);
        assertThatThrownBy(() -> CommandRequest.parse(body(words))).isInstanceOf(Invalid.class)
                .hasMessage("the directory of a command is absolute, not " + directory);
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
