package carafe.cli.flag;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The flags one command accepts, and after [#parse] what was given and the words that are no flags.
///
/// `--name value`, `--name=value`, `-n value`, `-nvalue`, `-n=value`, letters bundled (`-it`), `--` ends the flags; a
/// truth takes a value only behind `=`. Unless [#stopAtFirstWord] was called, flags may stand between words.
public final class Flags {

    static final String STRINGS = "strings";

    private final Map<String, Flag> byName = new LinkedHashMap<>();
    private final @Nullable Flag[] byLetter = new Flag[128];
    private final List<String> words = new ArrayList<>();
    private boolean interspersed = true;

    /// Every word from the first that is no flag on belongs to the command, as `run IMAGE COMMAND -x` needs.
    public Flags stopAtFirstWord() {
        interspersed = false;
        return this;
    }

    /// A truth, false unless given.
    public Flag bool(String spelled, String usage) {
        return add(spelled, "", usage).otherwise("false").shown("");
    }

    /// A text.
    public Flag text(String spelled, String usage) {
        return add(spelled, "string", usage);
    }

    /// A whole number; `otherwise` shows in help unless it is 0.
    public Flag integer(String spelled, long otherwise, String usage) {
        var flag = add(spelled, "int", usage).checked(Values::integer).otherwise(Long.toString(otherwise));
        return otherwise == 0 ? flag.shown("") : flag;
    }

    /// Texts, one for each time the flag is given.
    public Flag list(String spelled, String usage) {
        return add(spelled, "list", usage);
    }

    /// Texts, some for each time the flag is given: they are separated by commas, as [Csv] reads them.
    public Flag strings(String spelled, String usage) {
        return add(spelled, STRINGS, usage);
    }

    /// A flag of a type that help names `type`; `spelled` is `name` or `l,name` with its letter.
    public Flag add(String spelled, String type, String usage) {
        boolean lettered = spelled.length() > 1 && spelled.charAt(1) == ',';
        var flag = new Flag(lettered ? spelled.substring(2) : spelled, lettered ? spelled.charAt(0) : 0, type, usage);
        byName.put(flag.name, flag);
        if (lettered) {
            byLetter[flag.letter] = flag;
        }
        return flag;
    }

    /// Another spelling of the flag `name`, hidden from help.
    public void alias(String spelled, String name) {
        byName.put(spelled, flag(name));
    }

    /// Reads `typed` from its first word on.
    public void parse(List<String> typed) throws FlagException {
        for (int at = 0; at < typed.size(); at++) {
            String word = typed.get(at);
            if (word.equals("--")) {
                words.addAll(typed.subList(at + 1, typed.size()));
                return;
            }
            if (word.startsWith("--")) {
                at = readLong(word, typed, at);
            } else if (word.length() > 1 && word.charAt(0) == '-') {
                at = readLetters(word, typed, at);
            } else if (interspersed) {
                words.add(word);
            } else {
                words.addAll(typed.subList(at, typed.size()));
                return;
            }
        }
    }

    private int readLong(String word, List<String> typed, int at) throws FlagException {
        int equals = word.indexOf('=');
        String name = equals < 0 ? word.substring(2) : word.substring(2, equals);
        if (name.isEmpty() || name.charAt(0) == '-') {
            throw new FlagException("bad flag syntax: " + word);
        }
        Flag flag = byName.get(name);
        if (flag == null) {
            throw new FlagException("unknown flag: --" + name);
        }
        if (equals >= 0) {
            flag.set(word.substring(equals + 1));
        } else if (flag.standsAlone()) {
            flag.set(flag.isBool() ? "true" : "");
        } else if (at + 1 < typed.size()) {
            flag.set(typed.get(at + 1));
            return at + 1;
        } else {
            throw new FlagException("flag needs an argument: --" + name);
        }
        return at;
    }

    private int readLetters(String word, List<String> typed, int at) throws FlagException {
        for (int i = 1; i < word.length(); i++) {
            char letter = word.charAt(i);
            Flag flag = letter < byLetter.length ? byLetter[letter] : null;
            String rest = word.substring(i);
            if (flag == null) {
                throw new FlagException("unknown shorthand flag: '" + letter + "' in -" + rest);
            }
            if (rest.length() > 2 && rest.charAt(1) == '=') {
                flag.set(rest.substring(2));
                return at;
            }
            if (flag.standsAlone()) {
                flag.set(flag.isBool() ? "true" : "");
            } else if (rest.length() > 1) {
                flag.set(rest.substring(1));
                return at;
            } else if (at + 1 < typed.size()) {
                flag.set(typed.get(at + 1));
                return at + 1;
            } else {
                throw new FlagException("flag needs an argument: '" + letter + "' in -" + rest);
            }
        }
        return at;
    }

    /// The words that are no flags.
    public List<String> words() {
        return words;
    }

    /// Whether the command line gave the flag.
    public boolean given(String name) {
        return flag(name).isChanged();
    }

    /// The truth of a flag made by [#bool].
    public boolean truth(String name) {
        return flag(name).value().equals("true");
    }

    /// The last value given, or the default.
    public String text(String name) {
        return flag(name).value();
    }

    /// The last number given, or the default.
    public long number(String name) {
        String value = flag(name).value();
        return value.isEmpty() ? 0 : Long.parseLong(value);
    }

    /// All values given.
    public List<String> list(String name) {
        return flag(name).values();
    }

    /// Whether there is such a flag.
    public boolean exists(String name) {
        return byName.containsKey(name);
    }

    private Flag flag(String name) {
        Flag flag = byName.get(name);
        if (flag == null) {
            throw new AssertionError("the command has no flag --" + name);
        }
        return flag;
    }

    /// The lines of help, each flag's usage wrapped before column `columns`; empty without visible flags.
    public String usages(int columns) {
        var shown = new ArrayList<Flag>();
        byName.forEach((name, flag) -> {
            if (!flag.isHidden() && name.equals(flag.name)) {
                shown.add(flag);
            }
        });
        shown.sort(Comparator.comparing(flag -> flag.name));
        var heads = new ArrayList<String>();
        int widest = 0;
        for (var flag : shown) {
            String head = (flag.letter == 0 ? "      --" : "  -" + flag.letter + ", --") + flag.name
                    + (flag.isBool() ? "" : " " + flag.type);
            heads.add(head);
            widest = Math.max(widest, head.length() + 1);
        }
        var text = new StringBuilder();
        for (int i = 0; i < shown.size(); i++) {
            var flag = shown.get(i);
            String tail = flag.shownDefault().isEmpty() ? "" : " (default " + flag.shownDefault() + ")";
            text.append(heads.get(i)).repeat(' ', widest - heads.get(i).length() + 2);
            Wrapping.wrap(text, widest + 2, columns, flag.usage + tail);
            text.append('\n');
        }
        return text.toString();
    }
}
