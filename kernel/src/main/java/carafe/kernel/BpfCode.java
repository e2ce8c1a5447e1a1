package carafe.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Writes an eBPF program, one method for each instruction, in the order in which it runs. Registers: r0 is what a call
/// returns and the program answers, r1 to r5 are what a call is given (and lost by it), r6 to r9 stay, r10 is the end of
/// the stack and is only read. Jumps go forward to labels that are placed later. Source: instruction-set.rst of the
/// kernel, linux/bpf.h.
final class BpfCode {

    static final int R0 = 0;
    static final int R1 = 1;
    static final int R2 = 2;
    static final int R3 = 3;
    static final int R4 = 4;
    static final int R5 = 5;
    static final int R6 = 6;
    static final int R7 = 7;
    static final int R8 = 8;
    static final int STACK = 10;

    static final int INSTRUCTION_BYTES = 8;

    private static final int ALU32 = 0x04;
    private static final int ALU64 = 0x07;
    private static final int FROM_REGISTER = 0x08;
    private static final int ADD = 0x00;
    private static final int OR = 0x40;
    private static final int AND = 0x50;
    private static final int SHIFT_LEFT = 0x60;
    private static final int SHIFT_RIGHT = 0x70;
    private static final int XOR = 0xa0;
    private static final int MOVE = 0xb0;
    private static final int TO_BIG_ENDIAN = 0xdc;
    private static final int LOAD = 0x61;
    private static final int STORE = 0x63;
    private static final int STORE_NUMBER = 0x62;
    private static final int JUMP = 0x05;
    private static final int JUMP_IF_NEGATIVE = 0xc5;
    private static final int CALL = 0x85;
    private static final int EXIT = 0x95;

    private final List<int[]> code = new ArrayList<>();
    private final Map<String, Integer> labels = new HashMap<>();
    private final Map<Integer, String> jumps = new HashMap<>();

    /// How much is read or written at once.
    enum Size {
        WORD(0x00),
        HALF(0x08),
        BYTE(0x10);

        private final int bits;

        Size(int bits) {
            this.bits = bits;
        }
    }

    /// What a 32-bit register is compared for.
    enum When {
        EQUAL(0x16),
        ABOVE(0x26),
        DIFFERENT(0x56),
        BELOW(0xa6);

        private final int opcode;

        When(int opcode) {
            this.opcode = opcode;
        }
    }

    /// Functions of the kernel, by the numbers of linux/bpf.h.
    enum Function {
        GET_PRANDOM_U32(7),
        SKB_STORE_BYTES(9),
        L4_CSUM_REPLACE(11),
        SKB_LOAD_BYTES(26),
        CSUM_DIFF(28),
        SKB_CHANGE_PROTO(31),
        SKB_ADJUST_ROOM(50);

        private final int number;

        Function(int number) {
            this.number = number;
        }
    }

    private int emit(int opcode, int destination, int source, int offset, int number) {
        code.add(new int[] {opcode, destination, source, offset, number});
        return code.size() - 1;
    }

    void set(int register, int number) {
        emit(ALU64 | MOVE, register, 0, 0, number);
    }

    void copy(int register, int from) {
        emit(ALU64 | MOVE | FROM_REGISTER, register, from, 0, 0);
    }

    void add(int register, int number) {
        emit(ALU64 | ADD, register, 0, 0, number);
    }

    /// `register` is the address of that place of the stack.
    void point(int register, int place) {
        copy(register, STACK);
        add(register, place);
    }

    void copy32(int register, int from) {
        emit(ALU32 | MOVE | FROM_REGISTER, register, from, 0, 0);
    }

    void add32(int register, int other) {
        emit(ALU32 | ADD | FROM_REGISTER, register, other, 0, 0);
    }

    void and32(int register, int mask) {
        emit(ALU32 | AND, register, 0, 0, mask);
    }

    void or32(int register, int bits) {
        emit(ALU32 | OR, register, 0, 0, bits);
    }

    void xor32(int register, int bits) {
        emit(ALU32 | XOR, register, 0, 0, bits);
    }

    void left32(int register, int bits) {
        emit(ALU32 | SHIFT_LEFT, register, 0, 0, bits);
    }

    void right32(int register, int bits) {
        emit(ALU32 | SHIFT_RIGHT, register, 0, 0, bits);
    }

    /// Between the machine's order and that of the network, of the low 16 or 32 bits.
    void bigEndian(int register, int bits) {
        emit(TO_BIG_ENDIAN, register, 0, 0, bits);
    }

    void load(Size size, int register, int base, int offset) {
        emit(LOAD | size.bits, register, base, offset, 0);
    }

    void store(Size size, int base, int offset, int register) {
        emit(STORE | size.bits, base, register, offset, 0);
    }

    void storeNumber(Size size, int base, int offset, int number) {
        emit(STORE_NUMBER | size.bits, base, 0, offset, number);
    }

    void call(Function function) {
        emit(CALL, 0, 0, 0, function.number);
    }

    void exit() {
        emit(EXIT, 0, 0, 0, 0);
    }

    void jump(String label) {
        jumps.put(emit(JUMP, 0, 0, 0, 0), label);
    }

    void jump(When when, int register, int number, String label) {
        jumps.put(emit(when.opcode, register, 0, 0, number), label);
    }

    /// When two 32-bit registers differ.
    void jumpDifferent(int register, int other, String label) {
        jumps.put(emit(When.DIFFERENT.opcode | FROM_REGISTER, register, other, 0, 0), label);
    }

    /// When the call before failed.
    void jumpFailed(String label) {
        jumps.put(emit(JUMP_IF_NEGATIVE, R0, 0, 0, 0), label);
    }

    /// Jumps to `label` lead to what is written next.
    void place(String label) {
        if (labels.put(label, code.size()) != null) {
            throw new IllegalStateException("placed twice: " + label);
        }
    }

    /// The program.
    byte[] bytes() {
        jumps.forEach((at, label) -> {
            Integer target = labels.get(label);
            if (target == null) {
                throw new IllegalStateException("never placed: " + label);
            }
            code.get(at)[3] = target - at - 1;
        });
        var out = ByteBuffer.allocate(code.size() * INSTRUCTION_BYTES).order(ByteOrder.nativeOrder());
        for (int[] instruction : code) {
            out.put((byte) instruction[0]).put((byte) (instruction[2] << 4 | instruction[1]))
                    .putShort((short) instruction[3]).putInt(instruction[4]);
        }
        return out.array();
    }
}
