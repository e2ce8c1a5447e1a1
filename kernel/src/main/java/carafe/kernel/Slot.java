package carafe.kernel;

/// A named place for one descriptor on a [Tape]: filled by the [Launch] that plays it, or by the step whose result it
/// takes. Two slots with one name are the same slot.
public record Slot(String name) {

    public Slot {
        if (name.isEmpty()) {
            throw new IllegalArgumentException("a slot needs a name");
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
