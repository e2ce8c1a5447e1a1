package carafe.kernel;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32;

/// A stateless translation between IPv6 and IPv4 by two programs in the kernel: the IPv6 address `prefix` + a.b.c.d stands
/// for a.b.c.d, and `own` is the one IPv4 address that all IPv6 hosts have on the other side. Whoever attaches it puts a
/// stateful translation of addresses in front, which makes all clients one. TCP, UDP and SCTP pass, and ICMP errors about
/// them; what else comes (fragments, options, datagrams without checksum, echo requests) is dropped.
///
/// Links are a pair: what is sent into one end comes out of the other, translated. So each family has its end, sends to
/// it and gets its packets from it, and reverse path filters are content.
public record FamilyTranslation(byte[] prefix, byte[] own) {

    /// How long the prefix is: a /96.
    public static final int PREFIX_BYTES = 12;

    private static final String TEXT = "translation between IPv6 and IPv4";

    /// Checks the lengths and copies both.
    public FamilyTranslation {
        if (prefix.length != PREFIX_BYTES || own.length != 4) {
            throw new IllegalArgumentException("a prefix of 12 bytes and an address of four");
        }
        prefix = prefix.clone();
        own = own.clone();
    }

    /// The IPv6 address that stands for an IPv4 one.
    public byte[] sixOf(byte[] four) {
        byte[] six = Arrays.copyOf(prefix, 16);
        System.arraycopy(four, 0, six, PREFIX_BYTES, 4);
        return six;
    }

    /// Another text for other programs: an engine that finds those of an earlier version makes them anew.
    public String version() {
        var both = new CRC32();
        both.update(SixToFour.assemble(this));
        both.update(FourToSix.assemble(this));
        return HexFormat.of().toHexDigits((int) both.getValue());
    }

    /// Loads what makes IPv4 of IPv6.
    Fd loadSixToFour() throws KernelException {
        return Bpf.load(Linux.BPF_PROG_TYPE_SCHED_CLS, SixToFour.assemble(this), TEXT);
    }

    /// Loads what makes IPv6 of IPv4.
    Fd loadFourToSix() throws KernelException {
        return Bpf.load(Linux.BPF_PROG_TYPE_SCHED_CLS, FourToSix.assemble(this), TEXT);
    }

    /// Translates what comes in by two links, given by their index, until they go: IPv4 packets that come in by `six`, IPv6
    /// packets that come in by `four`. The calling thread is in their network namespace, `netlink` speaks to it.
    /// @throws KernelException EPERM programs may not be loaded here; EOPNOTSUPP, ENOENT, EINVAL the kernel cannot attach them
    public void attach(Netlink netlink, int six, int four) throws KernelException {
        try (var toFour = loadSixToFour(); var toSix = loadFourToSix()) {
            attach(netlink, toFour, four);
            attach(netlink, toSix, six);
        }
    }

    /// Kernels before 6.6 show packets to programs by a queueing discipline only.
    private static void attach(Netlink netlink, Fd program, int link) throws KernelException {
        try {
            Bpf.attachIngress(program, link);
        } catch (KernelException e) {
            if (!e.is(Errno.EINVAL)) {
                throw e;
            }
            attachByDiscipline(netlink, program, link);
        }
    }

    static void attachByDiscipline(Netlink netlink, Fd program, int link) throws KernelException {
        netlink.perform(NetRequest.addClassifiers(link), NetRequest.addClassifier(link, program));
    }
}
