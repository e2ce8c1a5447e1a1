package carafe.cli.flag;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FlagsTest {

    private static Flags flags() {
        var flags = new Flags();
        flags.bool("i,interactive", "Keep STDIN open");
        flags.bool("t,tty", "Allocate a pseudo-TTY");
        flags.bool("sig-proxy", "Proxy signals").otherwise("true");
        flags.text("name", "Assign a name");
        flags.list("e,env", "Set variables");
        flags.integer("n,last", -1, "Show n last");
        flags.add("explain", "format", "Explain").valueOptional();
        return flags;
    }

    private static Flags parsed(String... words) throws FlagException {
        var flags = flags();
        flags.parse(List.of(words));
        return flags;
    }

    @Test
    void stringsAreSeparatedByCommas() throws Exception {
        var flags = new Flags();
        flags.strings("s,some", "Some");
        flags.list("one", "One");
        flags.parse(List.of("-s", "a,b", "--some=c", "--some", "", "--some", "\"d,e\",f", "--one", "a,b"));
        assertThat(flags.list("some")).containsExactly("a", "b", "c", "d,e", "f");
        assertThat(flags.list("one")).containsExactly("a,b");
        assertThat(flags.usages(80)).contains("-s, --some strings");
    }

    @Test
    void lettersBundleAndTakeValuesInEveryForm() throws Exception {
        var flags = parsed("-it", "-eA=B", "-e", "C", "-e=D", "-n5", "--name=x", "word", "--env", "E");
        assertThat(flags.truth("interactive")).isTrue();
        assertThat(flags.truth("tty")).isTrue();
        assertThat(flags.list("env")).containsExactly("A=B", "C", "D", "E");
        assertThat(flags.number("last")).isEqualTo(5);
        assertThat(flags.text("name")).isEqualTo("x");
        assertThat(flags.words()).containsExactly("word");
    }

    @Test
    void truthsTakeValuesOnlyBehindAnEqualsSign() throws Exception {
        var flags = parsed("--sig-proxy=false", "-t=0", "--interactive", "false");
        assertThat(flags.truth("sig-proxy")).isFalse();
        assertThat(flags.truth("tty")).isFalse();
        assertThat(flags.truth("interactive")).isTrue();
        assertThat(flags.words()).containsExactly("false");
    }

    @Test
    void defaultsHoldUntilGiven() throws Exception {
        var flags = parsed();
        assertThat(flags.truth("sig-proxy")).isTrue();
        assertThat(flags.number("last")).isEqualTo(-1);
        assertThat(flags.given("last")).isFalse();
        assertThat(flags.list("env")).isEmpty();
    }

    @Test
    void twoDashesEndTheFlagsAndOneDashIsAWord() throws Exception {
        var flags = parsed("-", "-t", "--", "-i", "--name");
        assertThat(flags.words()).containsExactly("-", "-i", "--name");
        assertThat(flags.truth("interactive")).isFalse();
    }

    @Test
    void theFirstWordCanEndTheFlags() throws Exception {
        var flags = flags().stopAtFirstWord();
        flags.parse(List.of("-t", "image", "-i", "--", "--unknown"));
        assertThat(flags.words()).containsExactly("image", "-i", "--", "--unknown");
    }

    @Test
    void anOptionalValueNeedsTheEqualsSign() throws Exception {
        assertThat(parsed("--explain", "json").text("explain")).isEmpty();
        assertThat(parsed("--explain=json").text("explain")).isEqualTo("json");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --foo | unknown flag: --foo
            --foo=1 | unknown flag: --foo
            -X | unknown shorthand flag: 'X' in -X
            -tX | unknown shorthand flag: 'X' in -X
            --name | flag needs an argument: --name
            -e | flag needs an argument: 'e' in -e
            -te | flag needs an argument: 'e' in -e
            --=x | bad flag syntax: --=x
            -nx | invalid argument "x" for "-n, --last" flag: strconv.ParseInt: parsing "x": invalid syntax
            --tty=maybe | invalid argument "maybe" for "-t, --tty" flag: strconv.ParseBool: parsing "maybe": invalid syntax
            --sig-proxy=x | invalid argument "x" for "--sig-proxy" flag: strconv.ParseBool: parsing "x": invalid syntax
            """)
    void mistakesAreWordedAsDocker(String word, String sentence) {
        assertThatThrownBy(() -> parsed(word)).isInstanceOf(FlagException.class).hasMessage(sentence);
    }

    @Test
    void usagesWrapWherePflagWraps() {
        var flags = new Flags();
        flags.bool("f,force", "Force it");
        flags.text("h,host", "Daemon socket to connect to, which is a text long enough that it has to be wrapped somewhere")
                .otherwise("here");
        flags.bool("secret", "nobody sees this").hidden();
        assertThat(flags.usages(79)).isEqualTo("""
                  -f, --force         Force it
                  -h, --host string   Daemon socket to connect to, which is a text long
                                      enough that it has to be wrapped somewhere (default
                                      "here")
                """);
    }

    @ParameterizedTest
    @CsvSource({
        "32m, 33554432", "1.5GiB, 1610612736", "7, 7", "1kb, 1024", "10 MB, 10485760",
        "1g, 1073741824", "0, 0", "2T, 2199023255552"
    })
    void sizesAreReadInPowersOf1024(String typed, long bytes) throws Exception {
        assertThat(Values.size(typed)).isEqualTo(bytes);
    }

    @ParameterizedTest
    @CsvSource({"xx, invalid size: 'xx'", "'', invalid size: ''", "1x, invalid suffix: 'x'", "1.2.3m, invalid size: '1.2.3m'"})
    void wrongSizesAreRefused(String typed, String sentence) {
        assertThatThrownBy(() -> Values.size(typed)).hasMessage(sentence);
    }

    @ParameterizedTest
    @CsvSource({"1s, 1000000000", "1h30m, 5400000000000", "500ms, 500000000", "1.5s, 1500000000", "0, 0", "-2m, -120000000000"})
    void durationsAreReadAsGoReadsThem(String typed, long nanos) throws Exception {
        assertThat(Values.nanoseconds(typed)).isEqualTo(nanos);
    }

    @ParameterizedTest
    @CsvSource({
        "5, 'time: missing unit in duration \"5\"'", "5x, 'time: unknown unit \"x\" in duration \"5x\"'",
        "abc, 'time: invalid duration \"abc\"'", "-, 'time: invalid duration \"-\"'"
    })
    void wrongDurationsAreRefused(String typed, String sentence) {
        assertThatThrownBy(() -> Values.nanoseconds(typed)).hasMessage(sentence);
    }

    @ParameterizedTest
    @CsvSource({"0.5, 500000000", "2, 2000000000", "3/2, 1500000000", ".25, 250000000"})
    void cpusAreReadAsRationals(String typed, String nanos) throws Exception {
        assertThat(Values.cpus(typed)).isEqualTo(nanos);
    }

    @Test
    void anyWordsEitherParseOrAreRefusedWithASentence() {
        long seed = Long.getLong("seed", 20_251_123L);
        var random = new Random(seed);
        String alphabet = "-=itenX, \"'\\:/0159.\u00e9\u20ac";
        for (int round = 0; round < 20_000; round++) {
            var words = new ArrayList<String>();
            for (int w = random.nextInt(4); w >= 0; w--) {
                var word = new StringBuilder(random.nextBoolean() ? "-" : "");
                for (int c = random.nextInt(8); c > 0; c--) {
                    word.append(alphabet.charAt(random.nextInt(alphabet.length())));
                }
                words.add(word.toString());
            }
            try {
                flags().parse(words);
            } catch (FlagException e) {
                assertThat(e.getMessage()).as("seed %d, words %s", seed, words).isNotBlank();
            }
        }
    }
}
