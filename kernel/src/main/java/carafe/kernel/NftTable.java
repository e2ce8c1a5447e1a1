package carafe.kernel;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// A table of family inet: its sets and its chains, without the sets' elements. The comment is for whoever wonders whose
/// it is; empty for none.
public record NftTable(String name, String comment, List<NftSet> sets, List<NftChain> chains) {

    /// How long a comment may be: the kernel keeps 256 bytes of notes of a table, and three are not the comment's.
    public static final int MOST_COMMENT_BYTES = 253;

    private static final Pattern COMMENT = Pattern.compile("[^\"\\p{Cntrl}]*");

    /// Copies the lists.
    public NftTable {
        sets = List.copyOf(sets);
        chains = List.copyOf(chains);
        if (!name.matches("[A-Za-z][A-Za-z0-9_.-]{0,63}")) {
            throw new IllegalArgumentException("not a name of a table: " + name);
        }
        if (!isComment(comment)) {
            throw new IllegalArgumentException("not a comment of a table: " + comment);
        }
    }

    /// Whether nft(8) could read the text again as a comment: no quotes, no control characters, and not too long.
    public static boolean isComment(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length <= MOST_COMMENT_BYTES && COMMENT.matcher(text).matches();
    }

    /// The set of that name; it is our bug if there is none.
    public NftSet set(String set) {
        return sets.stream().filter(known -> known.name().equals(set)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("table " + name + " has no set " + set));
    }

    /// As nft(8) writes it.
    @Override
    public String toString() {
        String note = comment.isEmpty() ? "" : "    comment \"" + comment + "\"\n";
        return "table inet " + name + " {\n" + note + indented(sets) + indented(chains) + "}\n";
    }

    private static String indented(List<?> parts) {
        return parts.stream().map(part -> part.toString().indent(4)).collect(Collectors.joining());
    }
}
