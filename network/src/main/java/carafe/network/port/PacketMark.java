package carafe.network.port;

/// A mark that the host's own rules give to packets which bridges are to let pass, in the bits of `mask`.
public record PacketMark(int mark, int mask) {

    /// Reads `MARK` or `MARK/MASK`: numbers of up to 32 bits, decimal, or with 0x, 0o, 0 or 0b before them.
    /// @throws IllegalArgumentException it is none, or has bits that the mask leaves out and so never would be met
    public static PacketMark parse(String text) {
        int slash = text.indexOf('/');
        String mark = slash < 0 ? text : text.substring(0, slash);
        int mask = slash < 0 ? -1 : number(text, text.substring(slash + 1));
        int value = number(text, mark);
        if ((value & ~mask) != 0) {
            throw new IllegalArgumentException("no packet has the mark " + text + ": it has bits that are not in its mask");
        }
        return new PacketMark(value, mask);
    }

    private static int number(String text, String digits) {
        String bare = digits.replaceFirst("^0[xXoObB]", "");
        try {
            if (!bare.startsWith("+")) { // which Java would pass over
                return Integer.parseUnsignedInt(bare, radix(digits));
            }
        } catch (NumberFormatException e) {
            // said below, of the whole
        }
        throw new IllegalArgumentException("\"" + text + "\" is no mark of packets: MARK or MARK/MASK is meant, numbers of up"
                + " to 32 bits, as 0x10/0xf0");
    }

    private static int radix(String digits) {
        if (digits.length() < 2 || digits.charAt(0) != '0') {
            return 10;
        }
        return switch (digits.charAt(1)) {
            case 'x', 'X' -> 16;
            case 'b', 'B' -> 2;
            default -> 8;
        };
    }
}
