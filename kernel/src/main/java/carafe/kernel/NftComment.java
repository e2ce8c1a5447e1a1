package carafe.kernel;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// The comment of a table among the notes that the kernel keeps for the `nft` command: each is a type, a length and that
/// many bytes; a comment is of type 0 and ends with a NUL. Source: libnftnl's udata.h, `enum nftnl_udata_table_types`.
final class NftComment {

    private static final int TYPE = 0;
    private static final int HEAD_BYTES = 2;

    private NftComment() {}

    /// Notes with this comment only, which [NftTable#isComment].
    static byte[] write(String comment) {
        byte[] text = comment.getBytes(StandardCharsets.UTF_8);
        byte[] notes = new byte[HEAD_BYTES + text.length + 1];
        notes[0] = TYPE;
        notes[1] = (byte) (text.length + 1);
        System.arraycopy(text, 0, notes, HEAD_BYTES, text.length);
        return notes;
    }

    /// The comment among somebody's notes; empty where there is none, or none that is whole.
    static String read(byte[] notes) {
        for (int at = 0; at + HEAD_BYTES <= notes.length; ) {
            int from = at + HEAD_BYTES;
            int end = from + Byte.toUnsignedInt(notes[at + 1]);
            if (notes[at] == TYPE) {
                return end > from && end <= notes.length && notes[end - 1] == 0
                        ? new String(Arrays.copyOfRange(notes, from, end - 1), StandardCharsets.UTF_8)
                        : "";
            }
            at = end;
        }
        return "";
    }
}
