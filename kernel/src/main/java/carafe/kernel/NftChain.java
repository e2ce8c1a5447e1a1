package carafe.kernel;

import java.util.List;
import java.util.stream.Collectors;

/// A chain that the kernel asks at a hook, with its rules. Its policy is always accept: who drops says so in a rule.
public record NftChain(String name, Kind kind, Hook hook, int priority, List<List<NftStatement>> rules) {

    /// What the chain may do.
    public enum Kind {
        FILTER("filter"),
        NAT("nat");

        private final String text;

        Kind(String text) {
            this.text = text;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    /// Where packets meet it; the order is the kernel's.
    public enum Hook {
        PREROUTING("prerouting"),
        INPUT("input"),
        FORWARD("forward"),
        OUTPUT("output"),
        POSTROUTING("postrouting");

        private final String text;

        Hook(String text) {
            this.text = text;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    /// Copies the rules.
    public NftChain {
        rules = rules.stream().map(List::copyOf).toList();
    }

    /// As nft(8) writes it.
    @Override
    public String toString() {
        return "chain " + name + " {\n\ttype " + kind + " hook " + hook + " priority " + priority + "; policy accept;\n"
                + rules.stream().map(NftChain::text).map(line -> '\t' + line + '\n').collect(Collectors.joining())
                + "}";
    }

    private static String text(List<NftStatement> rule) {
        return rule.stream().map(NftStatement::toString).collect(Collectors.joining(" "));
    }
}
