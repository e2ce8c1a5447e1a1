package carafe.build.tree;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;

/// Closes several things, whatever becomes of some of them.
public final class Closing {

    private Closing() {}

    /// Closes each of `all`, in their order.
    /// @throws IOException (or what else it is) of the first that could not be closed; it has those of others with it
    public static void all(List<? extends Closeable> all) throws IOException {
        Exception first = null;
        for (var each : all) {
            try {
                each.close();
            } catch (IOException | RuntimeException e) {
                if (first == null) {
                    first = e;
                } else {
                    first.addSuppressed(e);
                }
            }
        }
        switch (first) {
            case null -> { }
            case IOException e -> throw e;
            case RuntimeException e -> throw e;
            default -> throw new AssertionError(first);
        }
    }
}
