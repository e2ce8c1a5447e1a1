package carafe.build.dockerfile;

/// The lines of a file that something stands on, from 1, both included.
public record Span(int first, int last) {

    public Span {
        if (first < 1 || last < first) {
            throw new IllegalArgumentException("lines " + first + " to " + last);
        }
    }

    /// One line.
    static Span line(int number) {
        return new Span(number, number);
    }
}
