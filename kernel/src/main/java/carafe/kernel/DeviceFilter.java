package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/// Device rules as an eBPF program for cgroup v2, which has no files for them. For every bit of the access asked for
/// the last rule that matches the device decides; so rules are compiled from the last to the first, an allowing one
/// takes its bits out of those still wanted and a refusing one ends it. Registers: r2 type, r3 access still wanted, r4
/// major, r5 minor. Source: linux/bpf.h `struct bpf_cgroup_dev_ctx`; instruction-set.rst of the kernel.
final class DeviceFilter {

    private static final int LDX_W = 0x61;
    private static final int AND32 = 0x54;
    private static final int RSH32 = 0x74;
    private static final int MOV64 = 0xb7;
    private static final int MOV64_REGISTER = 0xbf;
    private static final int JNE32 = 0x56;
    private static final int JEQ32 = 0x16;
    private static final int EXIT = 0x95;
    private static final int INSTRUCTION_BYTES = 8;

    private final List<long[]> code = new ArrayList<>();

    private DeviceFilter() {}

    /// The program's instructions.
    static byte[] assemble(List<DeviceRule> rules) {
        var filter = new DeviceFilter();
        filter.emit(LDX_W, 2, 1, 0, 0);
        filter.emit(MOV64_REGISTER, 3, 2, 0, 0);
        filter.emit(AND32, 2, 0, 0, 0xFFFF);
        filter.emit(RSH32, 3, 0, 0, 16);
        filter.emit(LDX_W, 4, 1, 4, 0);
        filter.emit(LDX_W, 5, 1, 8, 0);
        boolean decided = false;
        for (int i = rules.size() - 1; i >= 0 && !decided; i--) {
            decided = filter.rule(rules.get(i));
        }
        if (!decided) {
            filter.answer(0);
        }
        return filter.bytes();
    }

    /// @return whether no earlier rule can matter any more
    private boolean rule(DeviceRule rule) {
        int bits = bits(rule.access());
        boolean everything = rule.kind() == DeviceRule.Kind.ALL && rule.major() < 0 && rule.minor() < 0 && bits == 7;
        if (everything) {
            answer(rule.allow() ? 1 : 0);
            return true;
        }
        var jumps = new ArrayList<Integer>();
        if (rule.kind() != DeviceRule.Kind.ALL) {
            int type = rule.kind() == DeviceRule.Kind.BLOCK ? Linux.BPF_DEVCG_DEV_BLOCK : Linux.BPF_DEVCG_DEV_CHAR;
            jumps.add(emit(JNE32, 2, 0, 0, type));
        }
        if (rule.major() >= 0) {
            jumps.add(emit(JNE32, 4, 0, 0, (int) rule.major()));
        }
        if (rule.minor() >= 0) {
            jumps.add(emit(JNE32, 5, 0, 0, (int) rule.minor()));
        }
        if (rule.allow()) {
            emit(AND32, 3, 0, 0, ~bits);
            jumps.add(emit(JNE32, 3, 0, 0, 0));
            answer(1);
        } else {
            emit(MOV64_REGISTER, 1, 3, 0, 0);
            emit(AND32, 1, 0, 0, bits);
            jumps.add(emit(JEQ32, 1, 0, 0, 0));
            answer(0);
        }
        jumps.forEach(jump -> code.get(jump)[3] = code.size() - jump - 1);
        return false;
    }

    private static int bits(String access) {
        return (access.contains("r") ? Linux.BPF_DEVCG_ACC_READ : 0)
                | (access.contains("w") ? Linux.BPF_DEVCG_ACC_WRITE : 0)
                | (access.contains("m") ? Linux.BPF_DEVCG_ACC_MKNOD : 0);
    }

    private void answer(int allowed) {
        emit(MOV64, 0, 0, 0, allowed);
        emit(EXIT, 0, 0, 0, 0);
    }

    private int emit(int opcode, int destination, int source, int offset, int immediate) {
        code.add(new long[] {opcode, destination, source, offset, immediate});
        return code.size() - 1;
    }

    private byte[] bytes() {
        var out = ByteBuffer.allocate(code.size() * INSTRUCTION_BYTES).order(ByteOrder.nativeOrder());
        for (long[] instruction : code) {
            out.put((byte) instruction[0]).put((byte) (instruction[2] << 4 | instruction[1]))
                    .putShort((short) instruction[3]).putInt((int) instruction[4]);
        }
        return out.array();
    }

    /// Loads the program; the descriptor may be attached to any number of cgroups.
    /// @throws KernelException EPERM neither CAP_BPF nor CAP_SYS_ADMIN
    static Fd load(byte[] program) throws KernelException {
        return Bpf.load(Linux.BPF_PROG_TYPE_CGROUP_DEVICE, program, "device filter");
    }

    /// Asks `program` for every device access in the cgroup `directory` from now on, beside programs already there.
    static void attach(Fd program, Fd directory) throws KernelException {
        try (var frame = new Frame()) {
            var attr = frame.allocate(Bpf.ATTR_BYTES, 8);
            attr.set(JAVA_INT, 0, directory.number());
            attr.set(JAVA_INT, 4, program.number());
            attr.set(JAVA_INT, 8, Linux.BPF_CGROUP_DEVICE);
            attr.set(JAVA_INT, 12, Linux.BPF_F_ALLOW_MULTI);
            long rc = frame.attempt(Syscall.BPF, Linux.BPF_PROG_ATTACH, attr.address(), Bpf.ATTR_BYTES);
            Frame.checked(rc, Syscall.BPF, "attach of a device filter to " + directory.subject());
        }
    }
}
