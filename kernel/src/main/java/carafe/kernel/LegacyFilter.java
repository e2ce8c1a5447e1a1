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
/// knows (a comment is none): who drops that one drops whatever was not thought of.
/// Source: linux/netfilter_ipv4/ip_tables.h, linux/netfilter_ipv6/ip6_tables.h, linux/netfilter/x_tables.h.
public final class LegacyFilter {

    private static final int NAME_BYTES = 32;
    private static final int INFO_BYTES = 84;
    private static final int ENTRIES_HEAD_BYTES = 40;
    private static final int MOST_BYTES = 64 << 20;
    private static final int FORWARD = NftChain.Hook.FORWARD.ordinal();

    private static final int TARGET_DATA = 32;
    private static final int MATCH_BYTES = 32;
    private static final int VERDICT_RETURN = -5;
    private static final int MOST_READINGS = 10;
    private static final int MOST_DEPTH = 200;

    private final Family family;
    private final MemorySegment rules;

    /// Where IPv4 and IPv6 differ: `conditions` are the bytes of addresses, interfaces and protocol a rule begins with,
    /// all of them zero in a rule without any but for the bit `jump` of byte `flags`, which says that nobody comes back to
    /// this chain; `head` is all there is before its matches.
    record Family(String name, int domain, int level, int conditions, int flags, int jump, int targetOffset, int head) {}

    static final Family FOUR = new Family("ip", NfTables.AF_INET, 0, 84, 82, NfTables.IPT_F_GOTO, 88, 112);
    static final Family SIX =
            new Family("ip6", NfTables.AF_INET6, NfTables.IPPROTO_IPV6, 136, 131, NfTables.IP6T_F_GOTO, 140, 168);

    /// The rules of a table as the kernel gives them.
    LegacyFilter(Family family, MemorySegment rules) {
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
                for (int reading = 0; reading < MOST_READINGS; reading++) {
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
                throw new KernelException("getsockopt", family.name + "tables filter", Errno.EAGAIN,
                        "its rules changed each of " + MOST_READINGS + " times while they were read");
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
    BaseChain chain(int first, int policy) throws KernelException {
        int count = 0;
        for (int at = first; at < policy; at = next(at)) {
            count++;
        }
        var met = new HashSet<Integer>();
        var drops = verdict(first, met, 0);
        if (drops.isEmpty()) {
            met.remove(policy);
            drops = verdict(policy, met, 0); // the chain's end, by a rule that goes back to nobody
        }
        return new BaseChain(
                family.name, "filter", "FORWARD", NftChain.Hook.FORWARD, drops.orElse(false), count, true);
    }

    /// Whether the packet is dropped; empty when it goes back to the chain it came from. A rule that was met is not
    /// followed again: the kernel has checked that there are no loops, but not how often a chain is used.
    private Optional<Boolean> verdict(int from, Set<Integer> met, int depth) throws KernelException {
        if (depth > MOST_DEPTH) {
            throw wrong("chains that lead to others more than " + MOST_DEPTH + " deep");
        }
        for (int at = from; met.add(at); at = next(at)) {
            if (!unconditional(at)) {
                continue;
            }
            long target = target(at);
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
            if (target + TARGET_DATA + 4 > at + (long) size(at)) {
                throw wrong("a rule without a verdict");
            }
            int verdict = rules.get(JAVA_INT, target + TARGET_DATA);
            if (verdict == VERDICT_RETURN) {
                return Optional.empty();
            }
            if (verdict < 0) {
                return Optional.of(-verdict - 1 == NfTables.NF_DROP);
            }
            var inside = verdict(verdict, met, depth + 1);
            if (inside.isPresent() || jumps(at)) {
                return inside;
            }
        }
        return Optional.empty();
    }

    private int next(int at) throws KernelException {
        int bytes = size(at);
        if (at + (long) bytes >= rules.byteSize()) {
            throw wrong("rules without end");
        }
        return at + bytes;
    }

    /// The bytes of a rule, which is whole.
    private int size(int at) throws KernelException {
        if (at < 0 || at + (long) family.head > rules.byteSize()) {
            throw wrong("rules outside the table");
        }
        int bytes = Short.toUnsignedInt(rules.get(JAVA_SHORT, at + family.targetOffset + 2L));
        if (bytes < family.head || at + (long) bytes > rules.byteSize()) {
            throw wrong("rules without end");
        }
        return bytes;
    }

    /// Where the rule's target lies, whose name is whole.
    private long target(int at) throws KernelException {
        int bytes = size(at);
        int offset = Short.toUnsignedInt(rules.get(JAVA_SHORT, at + (long) family.targetOffset));
        if (offset < family.head || offset + TARGET_DATA > bytes) {
            throw wrong("a rule without a target");
        }
        return at + (long) offset;
    }

    private KernelException wrong(String what) {
        return new KernelException("getsockopt", family.name + "tables filter", Errno.EINVAL, what);
    }

    /// Whether the rule sends packets to another chain for good.
    private boolean jumps(int at) {
        return (rules.get(JAVA_BYTE, at + (long) family.flags) & family.jump) != 0;
    }

    private boolean unconditional(int at) throws KernelException {
        long end = target(at);
        for (long match = at + (long) family.head; match < end; ) {
            int bytes = end - match < MATCH_BYTES ? 0 : Short.toUnsignedInt(rules.get(JAVA_SHORT, match));
            if (bytes < MATCH_BYTES || match + bytes > end) {
                throw wrong("a rule with half a condition");
            }
            if (!name(match).equals("comment")) {
                return false;
            }
            match += bytes;
        }
        byte[] conditions = rules.asSlice(at, family.conditions).toArray(JAVA_BYTE);
        conditions[family.flags] &= (byte) ~family.jump;
        return MemorySegment.ofArray(conditions).mismatch(MemorySegment.ofArray(new byte[family.conditions])) < 0;
    }

    /// The name of a match or a target; one without an end is another's than any we know.
    private String name(long at) {
        byte[] name = rules.asSlice(at + 2, MATCH_BYTES - 3).toArray(JAVA_BYTE);
        int end = 0;
        while (end < name.length && name[end] != 0) {
            end++;
        }
        return new String(name, 0, end, StandardCharsets.US_ASCII);
    }
}
