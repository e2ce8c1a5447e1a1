package carafe.kernel;

import java.util.Locale;

/// Who makes a step's system call: the monitor before clone3(2), or the process itself between clone3 and its program.
public enum Part {
    MONITOR,
    CHILD;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
