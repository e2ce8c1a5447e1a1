package carafe.cli.flag;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One flag of a command: its spelling, what it accepts, and what the command line gave it.
public final class Flag {

    /// Reads one value as typed and returns it in the form the command wants.
    @FunctionalInterface
    public interface Check {
        String accept(String typed) throws FlagException;
    }

    final String name;
    final char letter;
    final String type;
    final String usage;
    private final List<String> values = new ArrayList<>(2);
    private @Nullable Check check;
    private String otherwise = "";
    private String shownDefault = "";
    private boolean hidden;
    private boolean changed;
    private boolean valueOptional;

    Flag(String name, char letter, String type, String usage) {
        this.name = name;
        this.letter = letter;
        this.type = type;
        this.usage = usage;
    }

    /// Has every value pass `check` when it is read.
    public Flag checked(Check check) {
        this.check = check;
        return this;
    }

    /// The value when the flag is not given, shown in help unless it is the type's zero.
    public Flag otherwise(String value) {
        otherwise = value;
        return shown(type.equals("string") ? '"' + value + '"' : value);
    }

    /// Shows `text` as the default in help, whatever the default is.
    public Flag shown(String text) {
        shownDefault = text;
        return this;
    }

    /// Keeps the flag out of help.
    public Flag hidden() {
        hidden = true;
        return this;
    }

    /// Lets the flag stand without a value, which then is empty; a value needs `=`.
    public Flag valueOptional() {
        valueOptional = true;
        return this;
    }

    boolean isBool() {
        return type.isEmpty();
    }

    boolean standsAlone() {
        return type.isEmpty() || valueOptional;
    }

    boolean isHidden() {
        return hidden;
    }

    boolean isChanged() {
        return changed;
    }

    String shownDefault() {
        return shownDefault;
    }

    /// Every value given, in order.
    List<String> values() {
        return values;
    }

    /// The last value given, or the default.
    String value() {
        return values.isEmpty() ? otherwise : values.getLast();
    }

    void set(String typed) throws FlagException {
        try {
            if (type.equals(Flags.STRINGS)) {
                for (String one : typed.isEmpty() ? List.<String>of() : Csv.fields(typed)) {
                    values.add(check == null ? one : check.accept(one));
                }
            } else {
                values.add(isBool() ? Values.bool(typed) : check == null ? typed : check.accept(typed));
            }
            changed = true;
        } catch (FlagException e) {
            String spelled = letter == 0 ? "--" + name : "-" + letter + ", --" + name;
            throw new FlagException("invalid argument " + Values.quote(typed) + " for \"" + spelled + "\" flag: "
                    + e.getMessage());
        }
    }
}
