package carafe.kernel;

import java.util.List;
import java.util.stream.Collectors;

/// A table of family inet: its sets and its chains, without the sets' elements.
public record NftTable(String name, List<NftSet> sets, List<NftChain> chains) {

    /// Copies the lists.
    public NftTable {
        sets = List.copyOf(sets);
        chains = List.copyOf(chains);
        if (!name.matches("[A-Za-z][A-Za-z0-9_.-]{0,63}")) {
            throw new IllegalArgumentException("not a name of a table: " + name);
        }
    }

    /// The set of that name; it is our bug if there is none.
    public NftSet set(String set) {
        return sets.stream().filter(known -> known.name().equals(set)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("table " + name + " has no set " + set));
    }

    /// As nft(8) writes it.
    @Override
    public String toString() {
        return "table inet " + name + " {\n" + indented(sets) + indented(chains) + "}\n";
    }

    private static String indented(List<?> parts) {
        return parts.stream().map(part -> part.toString().indent(4)).collect(Collectors.joining());
    }
}
