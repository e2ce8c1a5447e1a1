package carafe.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;

/// A prologue for a compiled filter that answers ENOSYS to every call newer than the newest one its rules name.
///
/// Why: programs try a new call and fall back to the old one on ENOSYS only; a profile that cannot name the call yet
/// would answer EPERM and break them. libseccomp has no way to say "beyond number N", so this goes in front:
///
///     ld arch
///     for every architecture:
///         jeq ARCH, else next architecture
///         ld nr
///         jgt NEWEST → ret ERRNO(ENOSYS)
///         ja filter
///     filter: what libseccomp made, which loads its own registers
///
/// x86-64 and x32 share ARCH and differ in bit 30 of the number, so their block tests that bit first. An architecture
/// not named here falls through to the filter, which refuses it. Source: seccomp(2), linux/filter.h.
final class UnknownCalls {

    private static final int LD_W_ABS = 0x20;
    private static final int JA = 0x05;
    private static final int JEQ_K = 0x15;
    private static final int JGT_K = 0x25;
    private static final int JGE_K = 0x35;
    private static final int RET_K = 0x06;
    private static final int OFFSET_NR = 0;
    private static final int OFFSET_ARCH = 4;
    private static final int X86_64 = 0xC000003E;
    private static final int X32 = 0x4000003E;
    private static final int X32_BIT = 0x40000000;
    private static final int INSTRUCTION_BYTES = 8;
    private static final int ENOSYS_ANSWER = (int) Linux.SECCOMP_RET_ERRNO | Errno.ENOSYS;

    private final ByteBuffer out;

    private UnknownCalls(int architectures) {
        out = ByteBuffer.allocate((2 + 8 * architectures) * INSTRUCTION_BYTES).order(ByteOrder.nativeOrder());
    }

    /// `filter` with the prologue; `newest` has the highest known number of each architecture.
    static byte[] refusing(Map<Integer, Integer> newest, byte[] filter) {
        if (newest.isEmpty()) {
            return filter;
        }
        var prologue = new UnknownCalls(newest.size());
        prologue.emit(LD_W_ABS, 0, 0, OFFSET_ARCH);
        int blocksLeft = 0;
        for (int architecture : newest.keySet()) {
            if (architecture != X32 || !newest.containsKey(X86_64)) {
                blocksLeft += blockSize(architecture, newest);
            }
        }
        for (var entry : newest.entrySet()) {
            int architecture = entry.getKey();
            if (architecture == X32 && newest.containsKey(X86_64)) {
                continue; // in the block of x86-64
            }
            blocksLeft -= blockSize(architecture, newest);
            prologue.block(architecture == X32 ? X86_64 : architecture, newest, blocksLeft);
        }
        byte[] head = new byte[prologue.out.position()];
        prologue.out.flip().get(head);
        return ByteBuffer.allocate(head.length + filter.length).put(head).put(filter).array();
    }

    private static boolean hasBoth(int architecture, Map<Integer, Integer> newest) {
        return architecture == X86_64 && newest.containsKey(X32);
    }

    private static int blockSize(int architecture, Map<Integer, Integer> newest) {
        return hasBoth(architecture, newest) ? 9 : 5;
    }

    /// @param behind how many instructions of other blocks follow
    private void block(int architecture, Map<Integer, Integer> newest, int behind) {
        boolean both = hasBoth(architecture, newest);
        emit(JEQ_K, 0, blockSize(architecture, newest) - 1, architecture);
        emit(LD_W_ABS, 0, 0, OFFSET_NR);
        if (both) {
            emit(JGE_K, 3, 0, X32_BIT);
        }
        emit(JGT_K, 0, 1, newest.getOrDefault(architecture, newest.getOrDefault(X32, 0)));
        emit(RET_K, 0, 0, ENOSYS_ANSWER);
        emit(JA, 0, 0, behind + (both ? 3 : 0));
        if (both) {
            emit(JGT_K, 0, 1, newest.getOrDefault(X32, 0));
            emit(RET_K, 0, 0, ENOSYS_ANSWER);
            emit(JA, 0, 0, behind);
        }
    }

    private void emit(int code, int ifTrue, int ifFalse, int k) {
        out.putShort((short) code).put((byte) ifTrue).put((byte) ifFalse).putInt(k);
    }
}
