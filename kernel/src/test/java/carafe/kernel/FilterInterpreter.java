package carafe.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// Runs classic BPF as the kernel does with a seccomp filter.
final class FilterInterpreter {

    private FilterInterpreter() {}

    /// What the filter answers; `arguments` beyond those given are 0.
    static int answer(byte[] filter, int architecture, int number, long... arguments) {
        var data = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
        data.putInt(number).putInt(architecture).putLong(0);
        for (long argument : arguments) {
            data.putLong(argument);
        }
        var code = ByteBuffer.wrap(filter).order(ByteOrder.LITTLE_ENDIAN);
        int accumulator = 0;
        for (int pc = 0; pc < filter.length / 8; pc++) {
            int opcode = code.getShort(pc * 8);
            int k = code.getInt(pc * 8 + 4);
            int ifTrue = code.get(pc * 8 + 2) & 0xFF;
            int ifFalse = code.get(pc * 8 + 3) & 0xFF;
            switch (opcode) {
                case 0x20 -> accumulator = data.getInt(k);
                case 0x54 -> accumulator &= k;
                case 0x05 -> pc += k;
                case 0x15 -> pc += accumulator == k ? ifTrue : ifFalse;
                case 0x25 -> pc += Integer.compareUnsigned(accumulator, k) > 0 ? ifTrue : ifFalse;
                case 0x35 -> pc += Integer.compareUnsigned(accumulator, k) >= 0 ? ifTrue : ifFalse;
                case 0x45 -> pc += (accumulator & k) != 0 ? ifTrue : ifFalse;
                case 0x06 -> {
                    return k;
                }
                default -> throw new AssertionError("opcode " + Integer.toHexString(opcode));
            }
        }
        throw new AssertionError("ran off the end");
    }
}
