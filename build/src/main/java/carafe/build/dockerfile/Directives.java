package carafe.build.dockerfile;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/// What the comments at a Dockerfile's very begin say about reading it: `syntax` (kept, not obeyed: this reader is the
/// only one), the `escape` character, which checks to `skip` (`all` among them skips every one) and whether a check's
/// finding is an error. `lines` of them are directives.
public record Directives(String syntax, char escape, Set<String> skip, Set<String> experimental, boolean checkErrors, int lines) {

    private static final Pattern LINE = Pattern.compile("^#\\s*([a-zA-Z][a-zA-Z0-9]*)\\s*=\\s*(.+?)\\s*$");

    public Directives {
        skip = Set.copyOf(skip);
        experimental = Set.copyOf(experimental);
    }

    /// Whether a finding of `rule` is to be reported.
    public boolean wants(Rule rule) {
        boolean skipped = skip.contains("all") || skip.contains(rule.word());
        boolean asked = experimental.contains("all") || experimental.contains(rule.word());
        return rule == Rule.INVALID_DEFINITION_DESCRIPTION ? asked : !skipped;
    }

    /// The same with `said` in place of what `# check=` says.
    Directives withChecks(String said) throws DockerfileException {
        var others = new HashSet<String>();
        var asked = new HashSet<String>();
        boolean errors = check(said, others, asked, Span.line(1));
        return new Directives(syntax, escape, others, asked, errors, lines);
    }

    static Directives read(List<String> lines) throws DockerfileException {
        String syntax = "";
        char escape = '\\';
        var skip = new HashSet<String>();
        var experimental = new HashSet<String>();
        boolean errors = false;
        var seen = new HashSet<String>();
        int count = 0;
        for (String line : lines) {
            var matcher = LINE.matcher(line);
            if (!matcher.matches()) {
                break;
            }
            String key = matcher.group(1).toLowerCase(Locale.ROOT);
            if (!Set.of("syntax", "escape", "check").contains(key)) {
                break; // a comment like any other, and so is all that follows
            }
            count++;
            var span = Span.line(count);
            if (!seen.add(key)) {
                throw new DockerfileException(span, "only one " + key + " parser directive can be used");
            }
            String value = matcher.group(2);
            switch (key) {
                case "syntax" -> syntax = value;
                case "escape" -> escape = escape(value, span);
                default -> errors = check(value, skip, experimental, span);
            }
        }
        return new Directives(syntax, escape, skip, experimental, errors, count);
    }

    private static char escape(String value, Span span) throws DockerfileException {
        if (!value.equals("\\") && !value.equals("`")) {
            throw new DockerfileException(span, "invalid ESCAPE '" + value + "' does not match ` or \\");
        }
        return value.charAt(0);
    }

    private static boolean check(String value, Set<String> skip, Set<String> experimental, Span span) throws DockerfileException {
        boolean errors = false;
        for (String part : value.split(";")) {
            int equals = part.indexOf('=');
            String key = equals < 0 ? part.strip() : part.substring(0, equals).strip();
            String said = equals < 0 ? "" : part.substring(equals + 1).strip();
            switch (key.toLowerCase(Locale.ROOT)) {
                case "skip" -> addAll(skip, said);
                case "experimental" -> addAll(experimental, said);
                case "error" -> errors = Flags.truth(said, span, "error");
                default -> throw new DockerfileException(span, "invalid check option \"" + key
                        + "\": skip=RULE,... and error=BOOL are known");
            }
        }
        return errors;
    }

    private static void addAll(Set<String> rules, String said) {
        for (String rule : said.split(",")) {
            rules.add(rule.strip());
        }
    }
}
