package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import carafe.kernel.Nftables.BaseChain;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/// What the filter table of legacy iptables does with packets that are forwarded. That table lives beside nf_tables and
/// is asked too: a packet passes only if both let it. Rules are followed as a packet would that no rule with a condition
/// knows: who drops that one drops whatever was not thought of.
/// Source: linux/netfilter_ipv4/ip_tables.h, linux/netfilter_ipv6/ip6_tables.h, linux/netfilter/x_tables.h.
public final class LegacyFilter {

    private static final int NAME_BYTES = 32;
    private static final int INFO_BYTES = 84;
    private static final int ENTRIES_HEAD_BYTES = 40;
    private static final int MOST_BYTES = 64 << 20;
    private static final int FORWARD = NftChain.Hook.FORWARD.ordinal();

    private static final int TARGET_DATA = 32;
    private static final int VERDICT_RETURN = -5;

    private final Family family;
    private final MemorySegment rules;

    /// Where IPv4 and IPv6 differ: `conditions` are the bytes of addresses, interfaces and protocol a rule begins with,
    /// all of them zero in a rule without any; `head` is all there is before its matches.
    private record Family(String name, int domain, int level, int conditions, int targetOffset, int head) {}

    private static final Family FOUR = new Family("ip", NfTables.AF_INET, 0, 84, 88, 112);
    private static final Family SIX = new Family("ip6", NfTables.AF_INET6, NfTables.IPPROTO_IPV6, 136, 140, 168);

    private LegacyFilter(Family family, MemorySegment rules) {
        this.family = family;
        this.rules = rules;
    }

    /// The chain FORWARD of the calling thread's network namespace. Asking makes the table where there is none: ask only
    /// where /proc/net/ip_tables_names has `filter`.
    /// @throws KernelException ENOENT, ENOPROTOOPT there is no such table; EPERM no CAP_NET_ADMIN
    public static BaseChain forward(boolean six) throws KernelException {
        var family = six ? SIX : FOUR;
        try (var frame = new Frame()) {
            long number = frame.attempt(Syscall.SOCKET, family.domain, Linux.SOCK_RAW | Linux.SOCK_CLOEXEC,
                    NfTables.IPPROTO_RAW);
            try (var socket = Fd.adopt((int) Frame.checked(number, Syscall.SOCKET, "raw"), "raw socket")) {
                while (true) {
                    var info = table(frame, INFO_BYTES);
                    get(frame, socket, family, NfTables.IPT_SO_GET_INFO, info);
                    int bytes = info.get(JAVA_INT, 80);
                    if (bytes < 0 || bytes > MOST_BYTES) {
                        throw new KernelException("getsockopt", "iptables", Errno.EFBIG);
                    }
                    var entries = table(frame, ENTRIES_HEAD_BYTES + bytes);
                    entries.set(JAVA_INT, NAME_BYTES, bytes);
                    if (get(frame, socket, family, NfTables.IPT_SO_GET_ENTRIES, entries)) {
                        return new LegacyFilter(family, entries.asSlice(ENTRIES_HEAD_BYTES))
                                .chain(info.get(JAVA_INT, 36 + 4L * FORWARD), info.get(JAVA_INT, 56 + 4L * FORWARD));
                    }
                }
            }
        }
    }

    private static MemorySegment table(Frame frame, int bytes) {
        var memory = frame.allocate(bytes, 8);
        MemorySegment.copy("filter".getBytes(StandardCharsets.US_ASCII), 0, memory, JAVA_BYTE, 0, 6);
        return memory;
    }

    /// False where the table has changed between two questions and has another size now.
    private static boolean get(Frame frame, Fd socket, Family family, int option, MemorySegment to)
            throws KernelException {
        var length = frame.allocate(4, 4);
        length.set(JAVA_INT, 0, (int) to.byteSize());
        long rc = frame.attempt(Syscall.GETSOCKOPT, socket.number(), family.level, option, to.address(), length.address());
        if (rc == -Errno.EAGAIN && option == NfTables.IPT_SO_GET_ENTRIES) {
            return false;
        }
        Frame.checked(rc, Syscall.GETSOCKOPT, family.name + "tables filter");
        return true;
    }

    /// `first` to `policy` are the offsets of the chain's first rule and of its last, which is the policy.
    private BaseChain chain(int first, int policy) throws KernelException {
        int count = 0;
        for (int at = first; at < policy; at = next(at)) {
            count++;
        }
        boolean drops = verdict(first, new HashSet<>()).orElse(false);
        return new BaseChain(family.name, "filter", "FORWARD", NftChain.Hook.FORWARD, drops, count, true);
    }

    /// Whether the packet is dropped; empty when it goes back to the chain it came from. A rule that was met is not
    /// followed again: the kernel has checked that there are no loops, but not how often a chain is used.
    private Optional<Boolean> verdict(int from, Set<Integer> met) throws KernelException {
        for (int at = from; met.add(at); at = next(at)) {
            if (!unconditional(at)) {
                continue;
            }
            long target = at + Short.toUnsignedLong(rules.get(JAVA_SHORT, at + (long) family.targetOffset));
            String name = name(target);
            if (name.equals("REJECT")) {
                return Optional.of(true);
            }
            if (name.equals("ERROR")) {
                return Optional.empty(); // the end of all chains
            }
            if (!name.isEmpty()) {
                continue; // a log, a mark: the packet goes on
            }
            int verdict = rules.get(JAVA_INT, target + TARGET_DATA);
            if (verdict == VERDICT_RETURN) {
                return Optional.empty();
            }
            if (verdict < 0) {
                return Optional.of(-verdict - 1 == NfTables.NF_DROP);
            }
            var inside = verdict(verdict, met);
            if (inside.isPresent()) {
                return inside;
            }
        }
        return Optional.empty();
    }

    private int next(int at) throws KernelException {
        int bytes = Short.toUnsignedInt(rules.get(JAVA_SHORT, at + family.targetOffset + 2L));
        if (bytes < family.head || at + bytes >= rules.byteSize()) {
            throw new KernelException("getsockopt", family.name + "tables filter", Errno.EINVAL, "rules without end");
        }
        return at + bytes;
    }

    private boolean unconditional(int at) {
        boolean matches = Short.toUnsignedInt(rules.get(JAVA_SHORT, at + (long) family.targetOffset)) != family.head;
        return !matches && rules.asSlice(at, family.conditions)
                .mismatch(MemorySegment.ofArray(new byte[family.conditions])) < 0;
    }

    private String name(long target) {
        return rules.getString(target + 2, StandardCharsets.US_ASCII);
    }
}
