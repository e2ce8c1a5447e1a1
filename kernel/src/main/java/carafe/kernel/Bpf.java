package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/// Programs for the kernel to run: loaded, attached, tried out. Source: bpf(2), linux/bpf.h `union bpf_attr`.
final class Bpf {

    static final int ATTR_BYTES = 128;

    private static final int MOST_PACKET_BYTES = 1 << 16;

    private Bpf() {}

    /// Loads a program of that type; `what` is for messages. The kernel keeps it as long as the descriptor, or something it
    /// is attached to.
    /// @throws KernelException EPERM neither CAP_BPF nor CAP_SYS_ADMIN, or locked down; EACCES refused by the verifier
    static Fd load(int type, byte[] program, String what) throws KernelException {
        try (var frame = new Frame()) {
            var attr = frame.allocate(ATTR_BYTES, 8);
            attr.set(JAVA_INT, 0, type);
            attr.set(JAVA_INT, 4, program.length / BpfCode.INSTRUCTION_BYTES);
            attr.set(JAVA_LONG, 8, frame.bytes(program).address());
            attr.set(JAVA_LONG, 16, frame.text("Apache-2.0").address());
            long fd = frame.attempt(Syscall.BPF, Linux.BPF_PROG_LOAD, attr.address(), ATTR_BYTES);
            Frame.checked(fd, Syscall.BPF, "load of a " + what);
            return Fd.adopt((int) fd, what);
        }
    }

    /// Shows `program` every packet that comes in by the link with that index, in the calling thread's network namespace,
    /// until the link goes.
    /// @throws KernelException EINVAL a kernel before 6.6
    static void attachIngress(Fd program, int link) throws KernelException {
        try (var frame = new Frame()) {
            var attr = frame.allocate(ATTR_BYTES, 8);
            attr.set(JAVA_INT, 0, link);
            attr.set(JAVA_INT, 4, program.number());
            attr.set(JAVA_INT, 8, Linux.BPF_TCX_INGRESS);
            long rc = frame.attempt(Syscall.BPF, Linux.BPF_PROG_ATTACH, attr.address(), ATTR_BYTES);
            Frame.checked(rc, Syscall.BPF, "attach of a " + program.subject() + " to link " + link);
        }
    }

    /// What the program answered to a packet, and what it made of it.
    record Outcome(int answer, byte[] packet) {}

    /// Runs `program` on a packet that never was on a wire.
    static Outcome run(Fd program, byte[] packet) throws KernelException {
        try (var frame = new Frame()) {
            var out = frame.allocate(MOST_PACKET_BYTES, 8);
            var attr = frame.allocate(ATTR_BYTES, 8);
            attr.set(JAVA_INT, 0, program.number());
            attr.set(JAVA_INT, 8, packet.length);
            attr.set(JAVA_INT, 12, MOST_PACKET_BYTES);
            attr.set(JAVA_LONG, 16, frame.bytes(packet).address());
            attr.set(JAVA_LONG, 24, out.address());
            attr.set(JAVA_INT, 32, 1);
            long rc = frame.attempt(Syscall.BPF, Linux.BPF_PROG_TEST_RUN, attr.address(), ATTR_BYTES);
            Frame.checked(rc, Syscall.BPF, "run of a " + program.subject());
            byte[] made = new byte[attr.get(JAVA_INT, 12)];
            MemorySegment.copy(out, JAVA_BYTE, 0, made, 0, made.length);
            return new Outcome(attr.get(JAVA_INT, 4), made);
        }
    }
}
