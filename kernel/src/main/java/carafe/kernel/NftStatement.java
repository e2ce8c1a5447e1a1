package carafe.kernel;

import java.util.List;
import java.util.stream.Collectors;

/// A part of a rule, as small as our rules need them; `toString` is what nft(8) would write.
public sealed interface NftStatement {

    /// The packet is of IPv4, or of IPv6.
    record Family(boolean six) implements NftStatement {
        @Override
        public String toString() {
            return "meta nfproto " + (six ? "ipv6" : "ipv4");
        }
    }

    /// A field is, or is not, a value.
    record Is(NftSelector what, boolean not, String value) implements NftStatement {
        /// Checks the value.
        public Is {
            what.type().encode(value);
        }

        @Override
        public String toString() {
            return what + (not ? " != " : " ") + new NftValue(what.type(), value);
        }
    }

    /// An address is, or is not, of 127.0.0.0/8.
    record Loopback4(NftSelector what, boolean not) implements NftStatement {
        @Override
        public String toString() {
            return what + (not ? " != " : " ") + "127.0.0.0/8";
        }
    }

    /// The packet's destination is one of the host's own addresses.
    record ToThisHost() implements NftStatement {
        @Override
        public String toString() {
            return "fib daddr type local";
        }
    }

    /// Fields, one after the other, are an element of a set, or are not.
    record In(List<NftSelector> what, boolean not, String set) implements NftStatement {
        /// Copies the list.
        public In {
            what = List.copyOf(what);
        }

        @Override
        public String toString() {
            return fields(what) + (not ? " != @" : " @") + set;
        }
    }

    /// Somebody gave the packet a mark that is `mark` in the bits of `mask`; both have all 32 bits, as unsigned numbers.
    record Marked(int mark, int mask) implements NftStatement {
        @Override
        public String toString() {
            return mask == -1 ? "meta mark 0x%08x".formatted(mark) : "meta mark & 0x%08x == 0x%08x".formatted(mask, mark);
        }
    }

    /// The connection was seen in both directions, or belongs to one that was.
    record Established() implements NftStatement {
        @Override
        public String toString() {
            return "ct state established,related";
        }
    }

    /// The connection's destination was translated.
    record DestinationTranslated() implements NftStatement {
        @Override
        public String toString() {
            return "ct status dnat";
        }
    }

    /// Sends the connection to where the map says, address and port.
    record Translate(boolean six, List<NftSelector> key, String map) implements NftStatement {
        /// Copies the list.
        public Translate {
            key = List.copyOf(key);
        }

        @Override
        public String toString() {
            return "dnat " + (six ? "ip6" : "ip") + " to " + fields(key) + " map @" + map;
        }
    }

    /// Sends the connection to one address and port of IPv4.
    record TranslateTo(String address, int port) implements NftStatement {
        /// Checks both.
        public TranslateTo {
            NftType.IPV4_ADDR.encode(address);
            NftType.INET_SERVICE.encode(Integer.toString(port));
        }

        @Override
        public String toString() {
            return "dnat ip to " + address + ":" + port;
        }
    }

    /// Gives the connection the source address that the map says; none where it says nothing.
    record Pretend(boolean six, NftSelector key, String map) implements NftStatement {
        @Override
        public String toString() {
            return "snat " + (six ? "ip6" : "ip") + " to " + key + " map @" + map;
        }
    }

    /// Gives the connection the address of the interface it leaves by.
    record Masquerade() implements NftStatement {
        @Override
        public String toString() {
            return "masquerade";
        }
    }

    /// Ends this chain; other tables still have their say.
    record Accept() implements NftStatement {
        @Override
        public String toString() {
            return "accept";
        }
    }

    /// Ends the packet.
    record Drop() implements NftStatement {
        @Override
        public String toString() {
            return "drop";
        }
    }

    private static String fields(List<NftSelector> what) {
        return what.stream().map(NftSelector::toString).collect(Collectors.joining(" . "));
    }
}
