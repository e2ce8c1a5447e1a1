package carafe.spec.network;

import carafe.spec.EngineException;
import java.math.BigInteger;
import java.util.Optional;

/// A range of addresses with a common prefix: `base` is its first, all bits behind `prefix` are zero. An address *with*
/// its range (10.0.0.7/24) is read by [#parseHost].
public record Cidr(IpAddress base, int prefix) implements Comparable<Cidr> {

    public Cidr {
        if (prefix < 0 || prefix > base.bits()) {
            throw new IllegalArgumentException("prefix " + prefix + " of " + base);
        }
        if (!masked(base, prefix).equals(base)) {
            throw new IllegalArgumentException(base + "/" + prefix + " has bits behind its prefix");
        }
    }

    /// An address in its range.
    public record Host(IpAddress address, int prefix) {
        /// The range it lies in.
        public Cidr range() {
            return around(address, prefix);
        }

        @Override
        public String toString() {
            return address + "/" + prefix;
        }
    }

    /// The range of that size in which `address` lies.
    public static Cidr around(IpAddress address, int prefix) {
        return new Cidr(masked(address, prefix), prefix);
    }

    /// Reads `10.1.0.0/16`; bits behind the prefix are dropped.
    public static Cidr parse(String text) throws EngineException.Invalid {
        return parseHost(text).range();
    }

    /// Reads `10.1.2.3/16` and keeps the address.
    public static Host parseHost(String text) throws EngineException.Invalid {
        return findHost(text).orElseThrow(() -> new EngineException.Invalid("invalid CIDR address: " + text));
    }

    /// Reads `10.1.2.3/16` if it is that.
    public static Optional<Host> findHost(String text) {
        int slash = text.indexOf('/');
        String digits = text.substring(slash + 1);
        boolean number = slash > 0 && !digits.isEmpty() && digits.length() <= 3
                && digits.chars().allMatch(c -> c >= '0' && c <= '9') && (digits.length() == 1 || digits.charAt(0) != '0');
        if (!number) {
            return Optional.empty();
        }
        int prefix = Integer.parseInt(digits);
        return IpAddress.find(text.substring(0, slash))
                .filter(address -> prefix <= address.bits())
                .map(address -> new Host(address, prefix));
    }

    private static IpAddress masked(IpAddress address, int prefix) {
        if (!address.six()) {
            return IpAddress.four(prefix == 0 ? 0 : address.low() & 0xffffffffL << 32 - prefix);
        }
        long high = prefix == 0 ? 0 : prefix >= 64 ? address.high() : address.high() & -1L << 64 - prefix;
        long low = prefix <= 64 ? 0 : address.low() & -1L << 128 - prefix;
        return new IpAddress(true, high, low);
    }

    public boolean six() {
        return base.six();
    }

    /// Its last address (IPv4: the broadcast address).
    public IpAddress last() {
        int free = base.bits() - prefix;
        if (!six()) {
            return IpAddress.four(base.low() | (free == 32 ? 0xffffffffL : (1L << free) - 1));
        }
        long high = free <= 64 ? base.high() : base.high() | (free == 128 ? -1L : (1L << free - 64) - 1);
        long low = free >= 64 ? -1L : base.low() | (1L << free) - 1;
        return new IpAddress(true, high, low);
    }

    /// How many addresses it has.
    public BigInteger size() {
        return BigInteger.ONE.shiftLeft(base.bits() - prefix);
    }

    public boolean contains(IpAddress address) {
        return address.six() == six() && masked(address, prefix).equals(base);
    }

    public boolean contains(Cidr other) {
        return other.prefix >= prefix && contains(other.base);
    }

    /// Whether any address is in both.
    public boolean overlaps(Cidr other) {
        return contains(other) || other.contains(this);
    }

    @Override
    public int compareTo(Cidr other) {
        int first = base.compareTo(other.base);
        return first != 0 ? first : Integer.compare(prefix, other.prefix);
    }

    @Override
    public String toString() {
        return base + "/" + prefix;
    }
}
