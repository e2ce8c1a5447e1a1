package carafe.kernel;

import org.jspecify.annotations.Nullable;

/// A named place for one descriptor on a [Tape]: filled by the [Launch] that plays it, or by the step whose result it
/// takes. Two slots with one name are the same slot.
public record Slot(String name) {

    public Slot {
        if (name.isEmpty()) {
            throw new IllegalArgumentException("a slot needs a name");
        }
    }

    // By hand: a start asks thousands of times, and what the compiler makes of a record is slow until it is hot.

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Slot slot && slot.name.equals(name);
    }

    @Override
    public int hashCode() {
        return name.hashCode();
    }

    @Override
    public String toString() {
        return name;
    }
}
