package carafe.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class UserDatabaseTest {

    private static final String PASSWD = "root:x:0:0::/root:/bin/sh\n1234:x:77:78::/odd\nbare:x:5:6\nrel:x:8:8::home\n";
    private static final String GROUP = "root:x:0:\nwheel:x:10:root,bare\nempty::11:\n";

    private static UserDatabase.Resolved resolve(String user, String... groups) throws StartFailure {
        return new UserDatabase(PASSWD, GROUP).resolve(new UserRequest(user, List.of(groups)), Optional.empty());
    }

    @Test
    void namesWinOverNumbers() throws Exception {
        assertThat(resolve("1234").user().uid()).isEqualTo(77);
        assertThat(resolve("77").user().gid()).isEqualTo(78);
        assertThat(resolve("77").home()).isEqualTo("/odd");
    }

    @Test
    void groupsOfTheUserAreAddedUnlessAGroupWasAskedFor() throws Exception {
        assertThat(resolve("root").user().additionalGids()).containsExactly(0L, 10L);
        assertThat(resolve("root:empty").user().additionalGids()).containsExactly(11L);
        assertThat(resolve("bare", "11").user().additionalGids()).containsExactly(6L, 10L, 11L);
    }

    @Test
    void homesThatAreNoPathsAreTheRoot() throws Exception {
        assertThat(resolve("bare").home()).isEqualTo("/");
        assertThat(resolve("rel").home()).isEqualTo("/");
        assertThat(resolve("4711").home()).isEqualTo("/");
    }

    @Test
    void emptyImageKnowsNumbersOnly() throws Exception {
        var nothing = new UserDatabase("", "");
        assertThat(nothing.resolve(new UserRequest("", List.of()), Optional.empty()).user().uid()).isZero();
        assertThat(nothing.resolve(new UserRequest("7:8", List.of()), Optional.of(0027)).user().umask()).contains(0027);
        assertThatThrownBy(() -> nothing.resolve(new UserRequest("root", List.of()), Optional.empty()))
                .hasMessage("unable to find user root: no matching entries in passwd file");
    }

    @Test
    void foreignBytesNeverMakeAnIdOutOfRange() {
        long seed = Long.getLong("seed", 42);
        var random = new Random(seed);
        byte[] alphabet = "root:x0129-+\n,:::99999999999 \u00e9\0".getBytes(StandardCharsets.UTF_8);
        for (int round = 0; round < 3000; round++) {
            byte[][] files = new byte[3][random.nextInt(60)];
            for (byte[] file : files) {
                for (int i = 0; i < file.length; i++) {
                    file[i] = alphabet[random.nextInt(alphabet.length)];
                }
            }
            String[] text = new String[3];
            for (int i = 0; i < 3; i++) {
                text[i] = new String(files[i], StandardCharsets.UTF_8);
            }
            try {
                var user = new UserDatabase(text[0], text[1])
                        .resolve(new UserRequest(text[2], List.of()), Optional.empty()).user();
                assertThat(user.uid()).as("seed " + seed).isBetween(0L, UserDatabase.MAX_ID);
                assertThat(user.additionalGids()).allMatch(gid -> gid >= 0 && gid <= UserDatabase.MAX_ID);
            } catch (StartFailure e) {
                assertThat(e.kind()).isEqualTo(StartFailure.Kind.NO_SUCH_USER);
            }
        }
    }
}
