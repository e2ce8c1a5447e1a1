package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// The eBPF program against the rules read the slow way, and against the kernel's verifier.
class DeviceFilterTest {

    private static final int MKNOD = Linux.BPF_DEVCG_ACC_MKNOD;
    private static final int READ = Linux.BPF_DEVCG_ACC_READ;
    private static final int WRITE = Linux.BPF_DEVCG_ACC_WRITE;
    private static final int BLOCK = Linux.BPF_DEVCG_DEV_BLOCK;
    private static final int CHARACTER = Linux.BPF_DEVCG_DEV_CHAR;

    /// Runs the few instructions we use.
    private static boolean allows(byte[] program, int type, int access, int major, int minor) {
        var code = ByteBuffer.wrap(program).order(ByteOrder.nativeOrder());
        int[] context = {access << 16 | type, major, minor};
        long[] register = new long[11];
        for (int pc = 0; pc < program.length / 8; pc++) {
            int opcode = code.get(pc * 8) & 0xFF;
            int destination = code.get(pc * 8 + 1) & 0xF;
            int source = code.get(pc * 8 + 1) >> 4 & 0xF;
            int offset = code.getShort(pc * 8 + 2);
            int immediate = code.getInt(pc * 8 + 4);
            long low = register[destination] & 0xFFFFFFFFL;
            switch (opcode) {
                case 0x61 -> register[destination] = context[offset / 4] & 0xFFFFFFFFL;
                case 0x54 -> register[destination] = low & immediate & 0xFFFFFFFFL;
                case 0x74 -> register[destination] = low >>> immediate;
                case 0xb7 -> register[destination] = immediate;
                case 0xbf -> register[destination] = register[source];
                case 0x56 -> pc += low != (immediate & 0xFFFFFFFFL) ? offset : 0;
                case 0x16 -> pc += low == (immediate & 0xFFFFFFFFL) ? offset : 0;
                case 0x95 -> {
                    return register[0] == 1;
                }
                default -> throw new AssertionError("opcode " + Integer.toHexString(opcode));
            }
        }
        throw new AssertionError("ran off the end");
    }

    /// For every bit the last rule that matches decides; no rule refuses.
    private static boolean expected(List<DeviceRule> rules, int type, int access, int major, int minor) {
        for (var bit : new int[] {MKNOD, READ, WRITE}) {
            boolean allowed = false;
            for (var rule : rules) {
                boolean matches = switch (rule.kind()) {
                    case ALL -> true;
                    case BLOCK -> type == BLOCK;
                    case CHARACTER -> type == CHARACTER;
                } && (rule.major() < 0 || rule.major() == major) && (rule.minor() < 0 || rule.minor() == minor)
                        && rule.access().indexOf(bit == MKNOD ? 'm' : bit == READ ? 'r' : 'w') >= 0;
                allowed = matches ? rule.allow() : allowed;
            }
            if ((access & bit) != 0 && !allowed) {
                return false;
            }
        }
        return true;
    }

    @Test
    void theDefaultsLetContainersUseHarmlessDevicesOnly() {
        byte[] program = DeviceFilter.assemble(DeviceRule.containerDefaults());
        assertThat(allows(program, CHARACTER, READ | WRITE, 1, 3)).isTrue();
        assertThat(allows(program, CHARACTER, READ | WRITE, 136, 42)).isTrue();
        assertThat(allows(program, CHARACTER, READ, 1, 1)).isFalse();
        assertThat(allows(program, CHARACTER, MKNOD, 1, 1)).isTrue();
        assertThat(allows(program, BLOCK, MKNOD, 8, 0)).isTrue();
        assertThat(allows(program, BLOCK, READ, 8, 0)).isFalse();
        assertThat(allows(program, BLOCK, READ, 1, 3)).isFalse();
    }

    @Test
    void privilegedMayAllAndNoRulesMayNothing() {
        assertThat(allows(DeviceFilter.assemble(List.of(DeviceRule.ALLOW_ALL)), BLOCK, READ | WRITE, 8, 0)).isTrue();
        assertThat(allows(DeviceFilter.assemble(List.of()), CHARACTER, READ, 1, 3)).isFalse();
    }

    @Test
    void anyListOfRulesMeansWhatItSaysAndPassesTheVerifier() throws Exception {
        long seed = Long.getLong("seed", 11);
        var random = new Random(seed);
        for (int round = 0; round < 300; round++) {
            var rules = new ArrayList<DeviceRule>();
            for (int i = random.nextInt(12); i > 0; i--) {
                String access = List.of("r", "w", "m", "rw", "rm", "wm", "rwm").get(random.nextInt(7));
                rules.add(new DeviceRule(random.nextBoolean(), DeviceRule.Kind.values()[random.nextInt(3)],
                        random.nextInt(4) - 1, random.nextInt(4) - 1, access));
            }
            byte[] program = DeviceFilter.assemble(rules);
            for (int i = 0; i < 50; i++) {
                int type = random.nextBoolean() ? BLOCK : CHARACTER;
                int access = 1 + random.nextInt(7);
                int major = random.nextInt(3);
                int minor = random.nextInt(3);
                assertThat(allows(program, type, access, major, minor))
                        .as("seed %d, %s, type %d access %d %d:%d", seed, rules, type, access, major, minor)
                        .isEqualTo(expected(rules, type, access, major, minor));
            }
            if (round % 10 == 0) {
                DeviceFilter.load(program).close();
            }
        }
    }

    @Test
    void rulesThatAreNoneAreRefused() {
        assertThatThrownBy(() -> DeviceRule.allowCharacter(1, 3, "x")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> DeviceRule.allowCharacter(1, 3, "")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> DeviceRule.allowCharacter(-2, 3, "r")).isInstanceOf(IllegalArgumentException.class);
        assertThat(DeviceRule.allowCharacter(136, -1, "rw").text()).isEqualTo("c 136:* rw");
        assertThat(DeviceRule.DENY_ALL.text()).isEqualTo("a *:* rwm");
    }
}
