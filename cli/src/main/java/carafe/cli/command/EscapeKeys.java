package carafe.cli.command;

/// Finds the keys that detach (`ctrl-p,ctrl-q` unless said otherwise) among those typed, and holds back a beginning of
/// them until it is known what follows.
final class EscapeKeys {

    private final byte[] keys;
    private int matched;

    private EscapeKeys(byte[] keys) {
        this.keys = keys;
    }

    /// Reads `ctrl-a,x` and the like; empty is the default.
    static EscapeKeys read(String typed) throws Failure {
        if (typed.isEmpty()) {
            return new EscapeKeys(new byte[] {16, 17});
        }
        var parts = typed.split(",", -1);
        var keys = new byte[parts.length];
        for (int i = 0; i < parts.length; i++) {
            if (parts[i].length() == 1) {
                keys[i] = (byte) parts[i].charAt(0);
            } else if (parts[i].length() == 6 && parts[i].startsWith("ctrl-")) {
                keys[i] = control(parts[i].charAt(5), typed);
            } else {
                throw new Failure(125, "invalid detach keys (" + typed + "): Unknown character: '" + parts[i] + "'");
            }
        }
        return new EscapeKeys(keys);
    }

    private static byte control(char key, String typed) throws Failure {
        if (key >= 'a' && key <= 'z') {
            return (byte) (key - 'a' + 1);
        }
        int sign = "@[\\]^_".indexOf(key);
        if (sign < 0) {
            throw new Failure(125, "invalid detach keys (" + typed + "): Unknown character: 'ctrl-" + key + "'");
        }
        return (byte) (sign == 0 ? 0 : 26 + sign);
    }

    /// Copies what goes on from `typed` to `out`, which must hold `length` plus the keys' number; answers how many bytes
    /// that is, or -1 less that number when the keys were typed.
    int pass(byte[] typed, int length, byte[] out) {
        int passed = 0;
        for (int i = 0; i < length; i++) {
            if (typed[i] == keys[matched]) {
                matched++;
                if (matched == keys.length) {
                    matched = 0;
                    return -1 - passed;
                }
                continue;
            }
            for (int held = 0; held < matched; held++) {
                out[passed++] = keys[held];
            }
            matched = typed[i] == keys[0] ? 1 : 0;
            if (matched == 0) {
                out[passed++] = typed[i];
            } else if (keys.length == 1) {
                matched = 0;
                return -1 - passed;
            }
        }
        return passed;
    }

    /// How many bytes [#pass] may hold back.
    int length() {
        return keys.length;
    }
}
