package carafe.kernel;

import java.util.List;

/// One argument of a system call on a tape. Pure data; pointers exist only once the player has put the tape somewhere.
public sealed interface Arg {

    /// A number that is known now. `shown` is how the tape's text prints it: `MS_NOSUID|MS_NODEV`, `AT_FDCWD`.
    record Number(long value, String shown) implements Arg {
        private static final Number ZERO = new Number(0, "0");
    }

    /// A pointer to a NUL-terminated string.
    record Text(String value) implements Arg {
        public Text {
            if (value.indexOf(0) >= 0) {
                throw new IllegalArgumentException("a string of a tape holds a NUL: " + value.replace('\0', '?'));
            }
        }
    }

    /// A pointer to bytes, which the call may also write to. `shown` stands for them in the tape's text.
    @SuppressWarnings("ArrayRecordComponent") // never compared; the text is what tests look at
    record Bytes(byte[] value, String shown) implements Arg {
        public Bytes {
            value = value.clone();
        }
    }

    /// A pointer to a NULL-terminated array of pointers to strings, as execve(2) takes.
    record Strings(List<String> values) implements Arg {
        public Strings {
            values = List.copyOf(values);
            for (var value : values) {
                if (value.indexOf(0) >= 0) {
                    throw new IllegalArgumentException("a string of a tape holds a NUL: " + value.replace('\0', '?'));
                }
            }
        }
    }

    /// The descriptor that is in a slot when the call is made; -1 if the step that fills it failed and was forgiven.
    record Ref(Slot slot) implements Arg {}

    /// A pointer to a structure, its fields laid out one after the other without padding (padding is a field too).
    /// `shown` stands for it in the tape's text.
    record Struct(List<Field> fields, String shown) implements Arg {
        public Struct {
            fields = List.copyOf(fields);
        }
    }

    /// One field of a [Struct].
    sealed interface Field {

        /// A little-endian number of 1, 2, 4 or 8 bytes.
        record Fixed(int bytes, long value) implements Field {
            public Fixed {
                if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) {
                    throw new IllegalArgumentException("a number of " + bytes + " bytes");
                }
            }
        }

        /// An 8-byte pointer to what another argument describes.
        record Pointer(Arg target) implements Field {
            public Pointer {
                if (target instanceof Number || target instanceof Ref) {
                    throw new IllegalArgumentException("nothing to point to: " + target);
                }
            }
        }

        /// The 4-byte descriptor of a slot.
        record Descriptor(Slot slot) implements Field {}
    }

    /// A plain number, printed in decimal.
    static Arg number(long value) {
        return value == 0 ? Number.ZERO : new Number(value, Long.toString(value));
    }

    /// A number that has a name: a flag, or flags joined by `|`.
    static Arg number(long value, String shown) {
        return new Number(value, shown);
    }

    /// A null pointer.
    static Arg none() {
        return new Number(0, "NULL");
    }

    /// The current directory or an absolute path follows: AT_FDCWD.
    static Arg cwd() {
        return new Number(Linux.AT_FDCWD, "AT_FDCWD");
    }

    /// A pointer to `value` as a C string.
    static Arg text(String value) {
        return new Text(value);
    }

    /// A pointer to bytes; `shown` is their name in the tape's text.
    static Arg bytes(byte[] value, String shown) {
        return new Bytes(value, shown);
    }

    /// A pointer to an array of strings.
    static Arg strings(List<String> values) {
        return new Strings(values);
    }

    /// The descriptor in `slot`.
    static Arg slot(Slot slot) {
        return new Ref(slot);
    }

    /// A pointer to a structure.
    static Arg struct(String shown, Field... fields) {
        return new Struct(List.of(fields), shown);
    }
}
