package carafe.network.dns;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.spec.network.IpAddress;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class QueryTest {

    /// A message as resolvers write it, with an OPT record if `udpBytes` is not 0.
    static byte[] message(String name, int type, int udpBytes) {
        var out = new ByteArrayOutputStream();
        out.writeBytes(HexFormat.of().parseHex("abcd01000001000000000000".replaceAll("0000$", udpBytes > 0 ? "0001" : "0000")));
        for (String label : name.split("\\.")) {
            out.write(label.length());
            out.writeBytes(label.getBytes(StandardCharsets.US_ASCII));
        }
        out.writeBytes(new byte[] {0, (byte) (type >> 8), (byte) type, 0, 1});
        if (udpBytes > 0) {
            out.writeBytes(new byte[] {0, 0, 41, (byte) (udpBytes >> 8), (byte) udpBytes, 0, 0, 0, 0, 0, 0});
        }
        return out.toByteArray();
    }

    static Query query(byte[] message) {
        return ((Query.Parsed.Good) Query.parse(message)).query();
    }

    @Test
    void readsWhatResolversAsk() {
        var query = query(message("WeB.Front", Query.A, 0));
        assertThat(query.name()).isEqualTo("web.front");
        assertThat(query.id()).isEqualTo(0xabcd);
        assertThat(query.recursion()).isTrue();
        assertThat(query.type()).isEqualTo(Query.A);
        assertThat(query.udpBytes()).isEqualTo(512);
        assertThat(new String(query.asked(), StandardCharsets.ISO_8859_1)).as("as it was written").contains("WeB");
        assertThat(query(message("web", Query.AAAA, 1232)).udpBytes()).isEqualTo(1232);
        assertThat(query(message("web", Query.AAAA, 100)).udpBytes()).isEqualTo(512);
        assertThat(query(message("web", Query.AAAA, 65535)).udpBytes()).isEqualTo(4096);
    }

    @Test
    void refusesWhatIsNoQuery() {
        byte[] good = message("web", Query.A, 0);
        byte[] answer = good.clone();
        answer[2] |= (byte) 0x80;
        assertThat(Query.parse(answer)).as("answers are not answered").isEqualTo(new Query.Parsed.Noise());
        assertThat(Query.parse(new byte[11])).isEqualTo(new Query.Parsed.Noise());
        byte[] update = good.clone();
        update[2] = 0x28;
        assertThat(Query.parse(update)).isEqualTo(new Query.Parsed.Bad(0xabcd, Response.NOT_IMPLEMENTED));
        byte[] two = good.clone();
        two[5] = 2;
        byte[] pointer = good.clone();
        pointer[12] = (byte) 0xC0;
        for (byte[] bad : List.of(two, pointer, Arrays.copyOf(good, good.length - 1), Arrays.copyOf(good, 14))) {
            assertThat(Query.parse(bad)).isEqualTo(new Query.Parsed.Bad(0xabcd, Response.FORMAT_ERROR));
        }
    }

    @Test
    void aDotInsideALabelIsNotTheDotBetweenTwo() {
        byte[] message = message("web-front", Query.A, 0);
        message[16] = '.';
        assertThat(query(message).name()).isEqualTo("web\0front");
    }

    @Test
    void anyBytesAreReadWithoutHarm() {
        long seed = System.nanoTime();
        var random = new Random(seed);
        byte[][] models = {message("web.front", Query.A, 1232), message("1.0.0.127.in-addr.arpa", Query.PTR, 0)};
        for (int i = 0; i < 200_000; i++) {
            byte[] message = models[i % 2].clone();
            for (int change = random.nextInt(6); change >= 0; change--) {
                message[random.nextInt(message.length)] = (byte) random.nextInt(256);
            }
            message = Arrays.copyOf(message, random.nextInt(message.length + 20));
            try {
                if (Query.parse(message) instanceof Query.Parsed.Good(var query)) {
                    assertThat(query.asked().length).isLessThanOrEqualTo(message.length - 12);
                    assertThat(query.name().length()).isLessThanOrEqualTo(255);
                    ReverseName.address(query.name());
                    Response.addresses(query, List.of(), false);
                }
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed + ": " + HexFormat.of().formatHex(message), e);
            }
        }
    }

    @Test
    void answersAreWholeAndFit() throws Exception {
        var query = query(message("web", Query.A, 0));
        var address = IpAddress.parse("172.18.0.2");
        assertThat(HexFormat.of().formatHex(Response.addresses(query, List.of(address), false))).isEqualTo(
                "abcd8180" + "0001" + "0001" + "0000" + "0000" + "0377656200" + "00010001"
                        + "c00c" + "0001" + "0001" + "00000258" + "0004" + "ac120002");
        byte[] many = Response.addresses(query, Collections.nCopies(100, address), false);
        assertThat(many.length).isLessThanOrEqualTo(512);
        assertThat(many[2] & 0x02).as("truncated").isEqualTo(2);
        byte[] all = Response.addresses(query, Collections.nCopies(100, address), true);
        assertThat(all.length).isGreaterThan(1600);
        assertThat(all[2] & 0x02).isZero();
        byte[] foreign = Response.forwarded(query, all, false);
        assertThat(foreign).hasSize(12 + query.asked().length);
        assertThat(foreign[2] & 0x02).as("truncated").isEqualTo(2);
        assertThat(foreign[7]).as("no answers").isZero();
    }

    @Test
    void addressesAsNames() {
        assertThat(ReverseName.address("2.0.18.172.in-addr.arpa")).hasToString("Optional[172.18.0.2]");
        assertThat(ReverseName.address("18.172.in-addr.arpa")).isEmpty();
        assertThat(ReverseName.address("256.0.18.172.in-addr.arpa")).isEmpty();
        assertThat(ReverseName.address("2" + ".0".repeat(27) + ".0.0.d.f.ip6.arpa")).hasToString("Optional[fd00::2]");
        assertThat(ReverseName.address("x" + ".0".repeat(31) + ".ip6.arpa")).isEmpty();
    }
}
