package carafe.engine;

import carafe.spec.EngineException;
import java.nio.ByteBuffer;
import java.util.Locale;

/// Finds the keys that detach a client in what it types. Bytes of a sequence that may still become whole are held back
/// and given out when it does not. One instance per client, fed by one thread; whoever likes
/// may ask [#detached].
final class DetachKeys {
    private static final byte[] DEFAULT = {16, 17};

    private final byte[] keys;
    private int matched;
    private volatile boolean complete;

    private DetachKeys(byte[] keys) {
        this.keys = keys;
    }

    /// Reads `ctrl-p,ctrl-q` and the like: keys are `ctrl-` with a letter or one of `@ [ \ ] ^ _`, or one character.
    /// Empty is Docker's default, ctrl-p ctrl-q.
    static DetachKeys parse(String text) throws EngineException.Invalid {
        if (text.isEmpty()) {
            return new DetachKeys(DEFAULT);
        }
        String[] words = text.split(",", -1);
        if (words.length > 64) {
            throw new EngineException.Invalid("Invalid detach keys provided: too many");
        }
        byte[] keys = new byte[words.length];
        for (int index = 0; index < words.length; index++) {
            keys[index] = key(words[index], text);
        }
        return new DetachKeys(keys);
    }

    private static byte key(String word, String text) throws EngineException.Invalid {
        if (word.length() == 1 && word.charAt(0) < 128) {
            return (byte) word.charAt(0);
        }
        String lower = word.toLowerCase(Locale.ROOT);
        if (lower.length() == 6 && lower.startsWith("ctrl-")) {
            char key = lower.charAt(5);
            if (key >= 'a' && key <= 'z') {
                return (byte) (key - 'a' + 1);
            }
            if (key == '@') {
                return 0;
            }
            if (key >= '[' && key <= '_') {
                return (byte) (key - '[' + 27);
            }
        }
        String shown = text.length() > 60 ? text.substring(0, 60) + "…" : text;
        throw new EngineException.Invalid("Invalid detach keys provided: " + shown);
    }

    /// What of `typed` goes on to the processes; check [#detached] afterwards.
    ByteBuffer pass(ByteBuffer typed) {
        var out = ByteBuffer.allocate(typed.remaining() + keys.length);
        while (typed.hasRemaining() && !complete) {
            byte next = typed.get();
            while (matched > 0 && next != keys[matched]) {
                fallBack(out);
            }
            if (next == keys[matched]) {
                matched++;
                complete = matched == keys.length;
            } else {
                out.put(next);
            }
        }
        return out.flip();
    }

    /// Whether the whole sequence was typed.
    boolean detached() {
        return complete;
    }

    /// Gives out held bytes until what is held is again a beginning of the sequence.
    private void fallBack(ByteBuffer out) {
        int held = matched;
        for (int shift = 1; shift <= held; shift++) {
            boolean beginning = true;
            for (int index = 0; index + shift < held; index++) {
                beginning &= keys[index] == keys[index + shift];
            }
            if (beginning) {
                out.put(keys, 0, shift);
                matched = held - shift;
                return;
            }
        }
    }
}
