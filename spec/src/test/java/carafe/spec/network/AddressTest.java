package carafe.spec.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import java.net.InetAddress;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AddressTest {

    @ParameterizedTest
    @ValueSource(strings = {"0.0.0.0", "255.255.255.255", "172.17.0.2", "::", "::1", "fe80::1", "2001:db8::8:800:200c:417a",
        "2001:db8:0:1:1:1:1:1", "2001:0:0:1::1", "ff02::1:ff00:0", "1::"})
    void printsWhatItReads(String text) throws Exception {
        assertThat(IpAddress.parse(text)).hasToString(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "1.2.3.4 ", "localhost", ":", ":::", "1::2::3",
        "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "g::", "12345::", "fe80::1%eth0", "1.2.3.4::", "::1.2.3",
        "٠.0.0.0", "-1.0.0.0"})
    void refusesWhatIsNoAddress(String text) {
        assertThatThrownBy(() -> IpAddress.parse(text))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessage("invalid IP address: " + text);
    }

    @Test
    void readsAndPrintsEveryIpv6FormThatTheJdkPrints() throws Exception {
        long seed = Long.getLong("carafe.seed", System.nanoTime());
        var random = new Random(seed);
        for (int i = 0; i < 2000; i++) {
            byte[] bytes = new byte[16];
            for (int j = 0; j < 16; j++) {
                bytes[j] = (byte) (random.nextInt(3) == 0 ? random.nextInt() : 0);
            }
            bytes[0] |= 0x20; // the JDK prints a mapped address as IPv4
            var address = IpAddress.of(bytes);
            assertThat(address.bytes()).as("seed " + seed).isEqualTo(bytes);
            String jdk = InetAddress.getByAddress(bytes).getHostAddress();
            assertThat(IpAddress.parse(jdk)).as("seed " + seed + ": " + jdk).isEqualTo(address);
            assertThat(IpAddress.parse(address.toString())).as("seed " + seed + ": " + address).isEqualTo(address);
        }
    }

    @Test
    void rangesKnowTheirEnds() throws Exception {
        var range = Cidr.parse("10.1.2.3/20");
        assertThat(range).hasToString("10.1.0.0/20");
        assertThat(range.last()).hasToString("10.1.15.255");
        assertThat(range.contains(IpAddress.parse("10.1.15.255"))).isTrue();
        assertThat(range.contains(IpAddress.parse("10.1.16.0"))).isFalse();
        assertThat(range.overlaps(Cidr.parse("10.1.8.0/24"))).isTrue();
        assertThat(range.overlaps(Cidr.parse("0.0.0.0/0"))).isTrue();
        assertThat(range.overlaps(Cidr.parse("10.1.16.0/24"))).isFalse();
        assertThat(range.overlaps(Cidr.parse("::/0"))).isFalse();
        assertThat(Cidr.parse("fd00::1/8").last()).hasToString("fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
        assertThat(Cidr.parse("fd00::ff/120").last()).hasToString("fd00::ff");
        assertThat(Cidr.parse("fd00::/64").last()).hasToString("fd00::ffff:ffff:ffff:ffff");
        assertThat(Cidr.parse("0.0.0.0/0").last()).hasToString("255.255.255.255");
        assertThat(Cidr.parseHost("172.17.0.1/16")).hasToString("172.17.0.1/16");
    }

    @Test
    void addressesAreCounted() throws Exception {
        assertThat(IpAddress.parse("10.0.0.255").plus(1)).hasToString("10.0.1.0");
        assertThat(IpAddress.parse("fd00::ffff:ffff:ffff:ffff").plus(1)).hasToString("fd00:0:0:1::");
        assertThat(IpAddress.parse("fd00:0:0:1::").plus(-1)).hasToString("fd00::ffff:ffff:ffff:ffff");
        assertThat(IpAddress.parse("10.0.1.0").minus(IpAddress.parse("10.0.0.0"))).isEqualTo(256);
        assertThat(IpAddress.parse("9.0.0.0")).isLessThan(IpAddress.parse("200.0.0.0"));
        assertThat(IpAddress.parse("255.0.0.0")).isLessThan(IpAddress.parse("::"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "/8", "::/129", "a/b"})
    void refusesWhatIsNoRange(String text) {
        assertThatThrownBy(() -> Cidr.parse(text)).hasMessage("invalid CIDR address: " + text);
    }

    @Test
    void hardwareAddresses() throws Exception {
        assertThat(MacAddress.of(IpAddress.parse("172.17.0.2"))).hasToString("02:42:ac:11:00:02");
        var six = Stream.of("fd00::2", "fd00::3", "fd00::a:0:2", "fd00::b:0:2", "fd00:0:0:1::2").map(IpAddress::find)
                .map(address -> MacAddress.of(address.orElseThrow())).toList();
        assertThat(six).as("of all of its bits").doesNotHaveDuplicates()
                .allSatisfy(mac -> assertThat(mac.toString()).startsWith("02:42:"));
        assertThat(MacAddress.of(IpAddress.parse("fd00::2"))).as("the same for whoever has it").isEqualTo(six.getFirst());
        assertThat(MacAddress.parse("92-d0-C6-0a-29-33")).hasToString("92:d0:c6:0a:29:33");
        assertThatThrownBy(() -> MacAddress.parse("01:00:5e:00:00:01")).hasMessageContaining("invalid MAC address");
        assertThatThrownBy(() -> MacAddress.parse("02:42:ac:11:00")).hasMessageContaining("invalid MAC address");
    }
}
